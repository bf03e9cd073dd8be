"""Where the headings of a table are: titles, notes and merged cells stand above them in many exports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

#: Rows in which the headings must come, and rows below them that say which columns are used.
_FIRST, _BELOW = 30, 20
#: What no heading holds: a date, a telephone, the number of a case.
_VALUE = re.compile(r"\d{4}")
#: What the rows that sum up begin with.
_TOTALS = ("合计", "总计", "小计", "total", "Total", "TOTAL")

Row = Sequence[Any]


def found(rows: Sequence[Row], two: bool = False) -> list[int]:
    """The places of the headings, counted from 0: one row, or with `two` perhaps a merged one and the one below it."""
    for place, row in enumerate(rows[:_FIRST]):
        used = _used(rows[place + 1 :])
        if _headings(row) and used <= _filled(row):
            return [place]
        if two and place + 2 < len(rows) and _are_two(row, rows[place + 1], _used(rows[place + 2 :])):
            return [place, place + 1]
    return [0]


def totals(rows: Sequence[Row]) -> list[str]:
    """The words that rows begin with which only sum up."""
    first = {str(row[0]).strip() for row in rows if row and row[0] is not None}
    return [word for word in _TOTALS if word in first]


def _are_two(upper: Row, lower: Row, used: set[int]) -> bool:
    """Neither is enough alone, both are."""
    both = _filled(upper) | _filled(lower)
    return _headings(upper) and _headings(lower) and not used <= _filled(lower) and used <= both


def _headings(row: Row) -> bool:
    """Two or more texts, none of which is a value."""
    filled = [row[place] for place in _filled(row)]
    return len(filled) > 1 and all(isinstance(one, str) and not _VALUE.search(one) for one in filled)


def _filled(row: Row) -> set[int]:
    return {place for place, value in enumerate(row) if value is not None and str(value).strip()}


def _used(rows: Sequence[Row]) -> set[int]:
    """The columns that most rows fill; rows of one cell are notes."""
    tables = [filled for filled in map(_filled, rows[:_BELOW]) if len(filled) > 1]
    return {place for place in _places(tables) if sum(place in one for one in tables) * 2 > len(tables)}


def _places(tables: Sequence[set[int]]) -> Iterator[int]:
    yield from set().union(*tables)
