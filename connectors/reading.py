"""Columns compiled: where a value comes from, how it is cleaned, typed, checked and translated; once at load, not at each row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from connectors import steps
from connectors.columns import ColumnSettings
from connectors.expressions import Expression
from connectors.lookups import Table
from connectors.steps import Check, Step, Value, Values
from connectors.values import Refusal, shown

__all__ = ["Around", "Column", "Read", "Value", "Values", "called", "column", "field_name", "reader"]

Read = Callable[[Mapping[str, Any], Values], Value]


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
    first, each, check, absent = chain

    def read(row: Mapping[str, Any], values: Values) -> Value:
        try:
            value = first(row, values)
            for step in each:
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

    `function` is that of `python:`, `rows` are the columns of the rows inside it. The word is `case` or `key` for what names
    them (`missing_case`), `value` for all others.
    """

    tables: Mapping[str, Table]
    zone: str | None = None
    word: str = "value"
    function: Step | None = None
    rows: Sequence[Column] = ()


def column(name: str, settings: ColumnSettings, where: str, read: Read, around: Around) -> Column:
    """Compile one column. Raises FormatError (with a remedy) where settings do not go together."""
    function = [around.function] if around.function is not None and not settings.of else []
    typed = [_rows(around.rows)] if settings.type == "rows" else steps.typed(settings, around.zone)
    chain = [steps.cleaned(settings), *function, *typed]
    if settings.pattern is not None:
        chain.append(steps.patterned(re.compile(settings.pattern), around.word))
    if settings.within is not None:
        chain.append(steps.within(around.tables[settings.within]))
    if settings.lookup is not None:
        chain.append(steps.looked_up(*steps.table_and_member(settings.lookup, around.tables)))
    word = "time" if settings.type == "time" else around.word
    absent = _required(word) if settings.required and settings.default is None else lambda: settings.default
    field, whole = field_name(name, settings), Chain(read, tuple(chain), steps.between(settings), absent)
    return Column(name, field, where, _chained(field, where, whole))


def field_name(name: str, settings: ColumnSettings) -> str:
    """The source's own name of what the column reads, as refusals say it."""
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


def _rows(columns: Sequence[Column]) -> Step:
    """A list of rows, each read by its own columns; a refusal names the row's place in the list."""

    def one(row: Any, number: int) -> Values:
        if not isinstance(row, Mapping):
            raise Refusal("unreadable_value", f"found {shown(row)} as row {number}", "Send a list of rows")
        found: Values = {}
        for column in columns:
            try:
                found[column.name] = column.read(row, found)
            except Refusal as refusal:
                refusal.found = f"in row {number}, {refusal.found}"
                raise
        return found

    def step(value: Value) -> Value:
        if not isinstance(value, list):
            raise Refusal("unreadable_value", f"found {shown(value)}", "Send a list of rows")
        return [one(row, number) for number, row in enumerate(value, 1)]

    return step


def _required(word: str) -> Callable[[], Value]:
    def refuse() -> Value:
        raise Refusal(f"missing_{word}", "found nothing", "Send a value")

    return refuse
