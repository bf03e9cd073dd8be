"""Columns: how a field of the source is read, cleaned, typed and translated, declared in YAML, compiled once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from connectors import values
from connectors.expressions import Expression
from connectors.lookups import Table
from connectors.times import PRECISIONS, FormatError, TimeReader, instant, zone_of
from connectors.values import Damaged, Refusal, looks_scientific, shown
from schemas.yamlfile import Settings

Value = Any
Values = dict[str, Value]
Read = Callable[[Mapping[str, Any], Values], Value]
Step = Callable[[Value, Values], Value]


class ColumnSettings(Settings):
    """One column. `from` is the source's own field (a path in nested rows), `value` an expression over columns above."""

    source: str | list[str | int] | None = Field(None, alias="from")
    value: Any = None
    clean: list[str] = Field(default_factory=lambda: ["trim"])
    type: Literal["text", "whole", "number", "money", "bool", "list", "time", "any"] = "text"
    required: bool = False
    missing: list[Any] = Field(default_factory=list)
    default: Any = None
    pattern: str | None = None
    lookup: str | None = None
    within: str | None = None
    formats: list[str] = Field(default_factory=list)
    zone: str | None = None
    precision: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    digits: int = Field(2, ge=0, le=9)

    @field_validator("clean", "formats", "missing", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    @field_validator("clean")
    @classmethod
    def _cleaners(cls, names: list[str]) -> list[str]:
        unknown = [name for name in names if name not in values.CLEANERS]
        if unknown:
            raise ValueError(f"there is no cleaning `{unknown[0]}`, write some of {', '.join(values.CLEANERS)}")
        return names

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"no regular expression ({error})") from None
        return pattern

    @field_validator("formats", "zone", "precision")
    @classmethod
    def _times(cls, value: Any) -> Any:
        try:
            if isinstance(value, list) and value:
                TimeReader(value, None)
            elif isinstance(value, str) and value not in PRECISIONS:
                zone_of(value)
        except FormatError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _whole(self) -> ColumnSettings:
        if self.source is not None and self.value is not None:
            raise ValueError("write either from: or value:, not both")
        timely = self.formats or self.precision or self.not_before or self.not_after
        if timely and self.type != "time":
            raise ValueError("formats, precision and not_before/not_after belong to `type: time`")
        return self


class Chain(NamedTuple):
    """Where a value comes from, what is done with it, and what stands where there is none."""

    first: Read
    steps: tuple[Step, ...]
    absent: Callable[[], Value]


class Column:
    """One compiled column: `read` takes the source's row and the columns read before it."""

    def __init__(self, name: str, field: str, where: str, chain: Chain) -> None:
        self.name = name
        self.field = field
        self.where = where
        self._first, self._steps, self._absent = chain

    def read(self, row: Mapping[str, Any], values: Values) -> Value:
        """The value, or None where the source has none. Raises Refusal naming field and line."""
        try:
            value = self._first(row, values)
            for step in self._steps:
                if value is None:
                    break
                value = step(value, values)
            return self._absent() if value is None else value
        except Refusal as refusal:
            refusal.field = refusal.field or self.field
            refusal.where = refusal.where or self.where
            raise


class Around(NamedTuple):
    """What a column needs from the rest of its connector: lookups, zone, and the word its reasons end in.

    The word is `case` or `key` for what names them (`missing_case`), `value` for all others.
    """

    tables: Mapping[str, Table]
    zone: str | None = None
    word: str = "value"


def column(name: str, settings: ColumnSettings, where: str, read: Read, around: Around) -> Column:
    """Compile one column. Raises FormatError (with a remedy) where settings do not go together."""
    steps: list[Step] = [_cleaned(settings), *_typed(settings, around.zone)]
    if settings.pattern is not None:
        steps.append(_patterned(re.compile(settings.pattern), around.word))
    if settings.within is not None:
        steps.append(_within(around.tables[settings.within]))
    if settings.lookup is not None:
        steps.append(_looked_up(*_table_and_member(settings.lookup, around.tables)))
    word = "time" if settings.type == "time" else around.word
    absent = _required(word) if settings.required and settings.default is None else lambda: settings.default
    return Column(name, _field_name(name, settings), where, Chain(read, tuple(steps), absent))


def _field_name(name: str, settings: ColumnSettings) -> str:
    source = settings.source
    if isinstance(source, list):
        return ".".join(map(str, source))
    return name if source is None else source


def reader(settings: ColumnSettings, name: str, nested: bool, expression: Expression | None) -> Read:
    """Where the raw value comes from: a field of the row, a path in it, or an expression over earlier columns."""
    if expression is not None:
        return lambda _, read: expression.evaluate(read)
    source = name if settings.source is None else settings.source
    path = source.split(".") if isinstance(source, str) and nested else source
    if isinstance(path, str) or len(path) == 1:
        field = path if isinstance(path, str) else path[0]
        return lambda row, _: row.get(field)  # type: ignore[arg-type]  # a row's fields may be counted
    return lambda row, _: _member(row, path)


def _member(row: Any, path: Sequence[str | int]) -> Any:
    for name in path:
        if isinstance(row, dict):
            row = row.get(name)
        elif isinstance(row, list) and str(name).isdigit() and int(name) < len(row):
            row = row[int(name)]
        else:
            return None
    return row


def _cleaned(settings: ColumnSettings) -> Step:
    """Text cleaned, and what stands for nothing turned into None."""
    clean = values.cleaner(settings.clean)
    nothing = frozenset(value for value in settings.missing if not isinstance(value, (list, dict))) | {""}
    keeps_digits = "key" in settings.clean

    def step(value: Value, _: Values) -> Value:
        if not isinstance(value, str):
            return None if not isinstance(value, (dict, list)) and value in nothing else value
        value = clean(value)
        if keeps_digits and looks_scientific(value):
            raise Refusal("damaged_number", f"found {shown(value)}, a number that has lost digits", "Send it as text")
        return None if value in nothing else value

    return step


def _typed(settings: ColumnSettings, zone: str | None) -> list[Step]:
    if settings.type == "time":
        return [_timed(settings, zone), *_window(settings, zone)]
    if settings.type == "any":
        return [_exact]
    if settings.type == "money":
        return [lambda value, _: values.money_of(value, settings.digits)]
    if settings.type == "text" and (settings.value is not None or settings.lookup is not None):
        return [_exact]
    convert = _CONVERSIONS[settings.type]
    return [lambda value, _: convert(value)]


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "text": values.text_of,
    "whole": values.int_of,
    "number": values.number_of,
    "bool": values.bool_of,
    "list": values.list_of,
}


def _exact(value: Value, _: Values) -> Value:
    """Values go on as they are, but nothing that an expression would silently change."""
    if isinstance(value, (str, bool, dict, list)):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, Damaged):
        raise Refusal(*value)
    return values.text_of(value)


def _timed(settings: ColumnSettings, zone: str | None) -> Step:
    times = TimeReader(settings.formats or ["iso"], settings.zone or zone, settings.precision)
    return lambda value, _: times.read(value)


def _window(settings: ColumnSettings, zone: str | None) -> list[Step]:
    low, high = (_bound(edge, settings.zone or zone) for edge in (settings.not_before, settings.not_after))
    if low is None and high is None:
        return []

    def step(value: Value, read: Values) -> Value:
        if low is not None and (edge := low(read)) is not None and value["at"] < edge:
            raise Refusal("implausible_time", f"found a time before {settings.not_before}", "Correct the year or the date")
        if high is not None and (edge := high(read)) is not None and value["at"] > edge:
            raise Refusal("implausible_time", f"found a time after {settings.not_after}", "Correct the year or the date")
        return value

    return [step]


def _bound(edge: str | None, zone: str | None) -> Callable[[Values], int | None] | None:
    """An edge of the window: an ISO time, or the name of a time column read before."""
    if edge is None:
        return None
    if edge[:1].isdigit():
        fixed = instant(edge, zone)
        return lambda _: fixed
    return lambda read: (read.get(edge) or {}).get("at")


def _patterned(pattern: re.Pattern[str], word: str) -> Step:
    reason = f"malformed_{word}"

    def step(value: Value, _: Values) -> Value:
        if pattern.fullmatch(values.text_of(value) or "") is None:
            raise Refusal(
                reason, f"found {shown(value)}, which does not have the form {pattern.pattern}", "Correct it at the source"
            )
        return value

    return step


def _unknown(table: Table, value: Value) -> Refusal:
    found = f"found {shown(value)}, which `{table.name}` does not have"
    return Refusal(table.unknown, found, f"Correct it at the source, or add it to the lookup ({table.origin})")


def _within(table: Table) -> Step:
    def step(value: Value, _: Values) -> Value:
        if table.get(value) is None:
            raise _unknown(table, value)
        return value

    return step


def _looked_up(table: Table, member: str | None) -> Step:
    def step(value: Value, _: Values) -> Value:
        row = table.get(value)
        if row is None:
            raise _unknown(table, value)
        return row if member is None else row.get(member) if isinstance(row, Mapping) else None

    return step


def _table_and_member(text: str, tables: Mapping[str, Table]) -> tuple[Table, str | None]:
    name, _, member = text.partition(".")
    return tables[name], member or None


def _required(word: str) -> Callable[[], Value]:
    def refuse() -> Value:
        raise Refusal(f"missing_{word}", "found nothing", "Send a value")

    return refuse
