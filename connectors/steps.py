"""The steps of a column, compiled: cleaned, typed, checked, looked up; each takes a value and gives one, or refuses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from connectors import values
from connectors.cleaning import cleaner
from connectors.columns import ColumnSettings
from connectors.gb18030 import repaired
from connectors.lookups import Table
from connectors.times import TimeReader, instant
from connectors.values import Damaged, Refusal, looks_scientific, shown

Value = Any
Values = dict[str, Value]
Step = Callable[[Value], Value]
Check = Callable[[Value, Values], None]


def cleaned(settings: ColumnSettings) -> Step:
    """Text cleaned, and what stands for nothing turned into None."""
    clean = cleaner(settings.clean)
    nothing = frozenset(value for value in settings.missing if not isinstance(value, (list, dict))) | {""}
    nothing |= {str(value) for value in nothing if type(value) in (int, float)}  # YAML's 9999 is a text in most exports
    keeps_digits = "key" in settings.clean
    repairs = settings.clean != ["none"]
    plain = _is_plain(settings)

    def step(value: Value) -> Value:
        if not isinstance(value, str):
            return None if _among(value, nothing) else values.text_of(value) if plain else value
        if repairs and not value.isascii():
            value = repaired(value)
        value = clean(value)
        if keeps_digits and not value.isdigit() and looks_scientific(value):
            raise Refusal("damaged_number", f"found {shown(value)}, a number that has lost digits", "Send it as text")
        return None if value in nothing else value

    return step


def _is_plain(settings: ColumnSettings) -> bool:
    """Text from the source and nothing else: what most columns are. Cleaned, it is done."""
    return settings.type == "text" and not (settings.computed or settings.lookup or settings.python)


def _among(value: Value, nothing: frozenset[Any]) -> bool:
    try:
        return value in nothing
    except TypeError:  # a list, a dictionary, a signalling NaN: none of them has a hash
        return False


def typed(settings: ColumnSettings, zone: str | None) -> list[Step]:
    if settings.type == "time":
        times = TimeReader(settings.formats or ["iso"], settings.zone or zone, settings.precision)
        return [times.read, *_window(settings, zone)]
    if settings.type == "money":
        return [lambda value: values.money_of(value, settings.digits, settings.decimal)]
    if settings.type == "number":
        return [lambda value: values.number_of(value, settings.decimal)]
    if _is_plain(settings):
        return []
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


def between(settings: ColumnSettings) -> Check | None:
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


def patterned(pattern: re.Pattern[str], word: str) -> Step:
    def step(value: Value) -> Value:
        if pattern.fullmatch(values.text_of(value) or "") is None:
            found = f"found {shown(value)}, which does not have the form {pattern.pattern}"
            raise Refusal(f"malformed_{word}", found, "Correct it at the source")
        return value

    return step


def _unknown(table: Table, value: Value) -> Refusal:
    found = f"found {shown(value)}, which `{table.name}` does not have"
    return Refusal(table.unknown, found, f"Correct it at the source, or add it to the lookup ({table.origin})")


def within(table: Table) -> Step:
    def step(value: Value) -> Value:
        if table.get(value) is None:
            raise _unknown(table, value)
        return value

    return step


def looked_up(table: Table, member: str | None) -> Step:
    def step(value: Value) -> Value:
        row = table.get(value)
        if row is None:
            raise _unknown(table, value)
        return row if member is None else row.get(member) if isinstance(row, Mapping) else None

    return step


def table_and_member(text: str, tables: Mapping[str, Table]) -> tuple[Table, str | None]:
    name, _, member = text.partition(".")
    return tables[name], member or None
