"""Columns compiled: where a value comes from, how it is cleaned, typed, checked and translated; once at load, not at each row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from connectors import values
from connectors.cleaning import cleaner
from connectors.columns import ColumnSettings
from connectors.expressions import Expression
from connectors.lookups import Table
from connectors.times import TimeReader, instant
from connectors.values import Damaged, Refusal, looks_scientific, shown

Value = Any
Values = dict[str, Value]
Read = Callable[[Mapping[str, Any], Values], Value]
Step = Callable[[Value], Value]
Check = Callable[[Value, Values], None]


class Chain(NamedTuple):
    """Where a value comes from, what is done with it, how it stands to other columns, and what stands where there is none."""

    first: Read
    steps: tuple[Step, ...]
    check: Check | None
    absent: Callable[[], Value]


class Column(NamedTuple):
    """One compiled column: `read` takes the source's row and the columns read before it.

    It gives the value, or None where the source has none; it raises Refusal naming field and line.
    """

    name: str
    field: str
    where: str
    read: Read


def _chained(field: str, where: str, chain: Chain) -> Read:
    first, steps, check, absent = chain

    def read(row: Mapping[str, Any], values: Values) -> Value:
        try:
            value = first(row, values)
            for step in steps:
                if value is None:
                    break
                value = step(value)
            if value is None:
                return absent()
            if check is not None:
                check(value, values)
        except Refusal as refusal:
            refusal.field = refusal.field or field
            refusal.where = refusal.where or where
            raise
        return value

    return read


class Around(NamedTuple):
    """What a column needs from the rest of its connector: lookups, zone, and the word its reasons end in.

    `function` is that of `python:`. The word is `case` or `key` for what names them (`missing_case`), `value` for all others.
    """

    tables: Mapping[str, Table]
    zone: str | None = None
    word: str = "value"
    function: Step | None = None


def column(name: str, settings: ColumnSettings, where: str, read: Read, around: Around) -> Column:
    """Compile one column. Raises FormatError (with a remedy) where settings do not go together."""
    called = [around.function] if around.function is not None and not settings.of else []
    steps = [_cleaned(settings), *called, *_typed(settings, around.zone)]
    if settings.pattern is not None:
        steps.append(_patterned(re.compile(settings.pattern), around.word))
    if settings.within is not None:
        steps.append(_within(around.tables[settings.within]))
    if settings.lookup is not None:
        steps.append(_looked_up(*_table_and_member(settings.lookup, around.tables)))
    word = "time" if settings.type == "time" else around.word
    absent = _required(word) if settings.required and settings.default is None else lambda: settings.default
    field, chain = _field_name(name, settings), Chain(read, tuple(steps), _between(settings), absent)
    return Column(name, field, where, _chained(field, where, chain))


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
    path = _path(source) if isinstance(source, str) and nested else source
    if isinstance(path, str) or len(path) == 1:
        field = path if isinstance(path, str) else path[0]
        return lambda row, _: row.get(field)  # type: ignore[arg-type]  # a list of one number counts into a list
    return lambda row, _: _member(row, path)


def called(function: Callable[..., Value], names: Sequence[str]) -> Read:
    """What a function makes of columns read before."""
    return lambda _, read: function(*[read[name] for name in names])


def _path(source: str) -> list[str]:
    """The steps of `step.code`; `../` is what stands around the row."""
    inner = source.lstrip("./")
    around = source[: len(source) - len(inner)].count("../")
    return [".."] * around + inner.split(".")


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
    clean = cleaner(settings.clean)
    nothing = frozenset(value for value in settings.missing if not isinstance(value, (list, dict))) | {""}
    keeps_digits = "key" in settings.clean

    def step(value: Value) -> Value:
        if not isinstance(value, str):
            return None if _among(value, nothing) else value
        value = clean(value)
        if keeps_digits and not value.isdigit() and looks_scientific(value):
            raise Refusal("damaged_number", f"found {shown(value)}, a number that has lost digits", "Send it as text")
        return None if value in nothing else value

    return step


def _among(value: Value, nothing: frozenset[Any]) -> bool:
    try:
        return value in nothing
    except TypeError:  # a list, a dictionary, a signalling NaN: none of them has a hash
        return False


def _typed(settings: ColumnSettings, zone: str | None) -> list[Step]:
    if settings.type == "time":
        times = TimeReader(settings.formats or ["iso"], settings.zone or zone, settings.precision)
        return [times.read, *_window(settings, zone)]
    if settings.type == "money":
        return [lambda value: values.money_of(value, settings.digits, settings.decimal)]
    if settings.type == "number":
        return [lambda value: values.number_of(value, settings.decimal)]
    if settings.type == "any" or (settings.type == "text" and (settings.computed or settings.lookup is not None)):
        return [_exact]
    return [_CONVERSIONS[settings.type]]


_CONVERSIONS: dict[str, Step] = {
    "text": values.text_of,
    "whole": values.int_of,
    "bool": values.bool_of,
    "list": values.list_of,
}


def _exact(value: Value) -> Value:
    """Values go on as they are, but nothing that an expression would silently change."""
    if isinstance(value, (str, bool, dict, list)):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, Damaged):
        raise Refusal(*value)
    return values.text_of(value)


def _implausible(side: str, edge: object) -> Refusal:
    return Refusal("implausible_time", f"found a time {side} {edge}", "Correct the year or the date")


def _window(settings: ColumnSettings, zone: str | None) -> list[Step]:
    """Fixed edges of the plausible window."""
    low, high = (
        instant(edge, settings.zone or zone) if edge is not None and edge not in settings.edges else None
        for edge in (settings.not_before, settings.not_after)
    )
    if low is None and high is None:
        return []

    def step(value: Value) -> Value:
        if low is not None and value["at"] < low:
            raise _implausible("before", settings.not_before)
        if high is not None and value["at"] > high:
            raise _implausible("after", settings.not_after)
        return value

    return [step]


def _between(settings: ColumnSettings) -> Check | None:
    """Edges that are other columns of the row; a row without them has no such edge."""
    low = settings.not_before if settings.not_before in settings.edges else None
    high = settings.not_after if settings.not_after in settings.edges else None
    if low is None and high is None:
        return None

    def check(value: Value, row: Values) -> None:
        if low is not None and row[low] is not None and value["at"] < row[low]["at"]:
            raise _implausible("before", low)
        if high is not None and row[high] is not None and value["at"] > row[high]["at"]:
            raise _implausible("after", high)

    return check


def _patterned(pattern: re.Pattern[str], word: str) -> Step:
    def step(value: Value) -> Value:
        if pattern.fullmatch(values.text_of(value) or "") is None:
            found = f"found {shown(value)}, which does not have the form {pattern.pattern}"
            raise Refusal(f"malformed_{word}", found, "Correct it at the source")
        return value

    return step


def _unknown(table: Table, value: Value) -> Refusal:
    found = f"found {shown(value)}, which `{table.name}` does not have"
    return Refusal(table.unknown, found, f"Correct it at the source, or add it to the lookup ({table.origin})")


def _within(table: Table) -> Step:
    def step(value: Value) -> Value:
        if table.get(value) is None:
            raise _unknown(table, value)
        return value

    return step


def _looked_up(table: Table, member: str | None) -> Step:
    def step(value: Value) -> Value:
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
