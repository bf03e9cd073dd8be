"""Cells of a sheet that are merged over several rows: only the first holds the value that people see in all of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import IO, Any

_REF = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
#: Bytes of one look, and what of it is looked at again: a reference may be cut in two.
_LOOK, _AGAIN = 1 << 20, 128
#: More of them is nobody's table.
MOST = 200_000

Cells = tuple[Any, ...]
#: By the row they begin in: the column (from 0) and the last row.
Ranges = dict[int, list[tuple[int, int]]]


def ranges(part: IO[bytes]) -> Ranges:
    """Those of a sheet's XML that go over several rows. Raises ValueError for more than `MOST`."""
    from openpyxl.utils.cell import column_index_from_string

    found: Ranges = defaultdict(list)
    text, seen = b"", 0
    while more := part.read(_LOOK):
        text = text[-_AGAIN:] + more
        for column, first, last in _REF.findall(text):
            seen += 1
            if int(last) > int(first):
                found[int(first)].append((column_index_from_string(column.decode()) - 1, int(last)))
        if seen > MOST:
            raise ValueError(f"it has more than {MOST:,} merged cells")
    return dict(found)


def filled(rows: Iterable[tuple[int, Cells]], merged: Ranges) -> Iterator[tuple[int, Cells]]:
    """Numbered rows, in which the value of merged cells stands in each row that they go over; blank rows stay blank."""
    over: dict[int, tuple[int, Any]] = {}
    for number, cells in rows:
        for column, last in merged.get(number, ()):
            over[column] = last, cells[column] if column < len(cells) else None
        if over:
            over = {column: held for column, held in over.items() if number <= held[0]}
        yield number, cells if not over or all(map(empty, cells)) else _with(cells, over)


def _with(cells: Cells, over: dict[int, tuple[int, Any]]) -> Cells:
    row = [*cells, *[None] * (max(over) + 1 - len(cells))]
    for column, (_, value) in over.items():
        if empty(row[column]):
            row[column] = value
    return tuple(row)


def empty(cell: Any) -> bool:
    return cell is None or cell == ""
