"""The view's tables against the topics: the same rows are made again and compared, table by table, column by column.

First one sum of hashes a case; single rows are looked at only where two sums differ. Pure.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

import msgspec

from casebus.audit.facts import Difference, Side
from monitor import tables
from monitor.rows import Row
from monitor.times import local_date

#: A row with the name of its table.
Placed = tuple[str, Row]
_BITS = (1 << 64) - 1
_pack = msgspec.msgpack.Encoder().encode
_COLUMNS = {table.name: [column.name for column in table.columns] for table in tables.metadata.sorted_tables}
_OF_STATE = frozenset(table.name for table in tables.OF_STATE)
_KEYS = {table.name: [column.name for column in table.primary_key] for table in tables.metadata.sorted_tables}


def owner(row: Mapping[str, Any]) -> str:
    """The case a row belongs to; empty for dead letters without one."""
    return str(row["case_key"])


class Part(NamedTuple):
    """What a case has in the view: what was recorded of it, which only grows, or its state, replaced as a whole."""

    case: str
    of_state: bool


def part(table: str, row: Mapping[str, Any]) -> Part:
    return Part(owner(row), table in _OF_STATE)


class Sums:
    """How many rows each part has, and the sum of their hashes: equal sums, equal rows, in whatever order."""

    def __init__(self) -> None:
        self.of: dict[Part, tuple[int, int]] = defaultdict(lambda: (0, 0))

    def add(self, table: str, row: Mapping[str, Any]) -> None:
        where = part(table, row)
        count, total = self.of[where]
        self.of[where] = count + 1, (total + hashed(table, row)) & _BITS


def hashed(table: str, row: Mapping[str, Any]) -> int:
    said = _pack([str(table), *(row[name] for name in _COLUMNS[table])])
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest())


def unequal(right: Sums, view: Sums) -> set[Part]:
    """The parts whose rows differ."""
    return {one for one in right.of.keys() | view.of.keys() if right.of.get(one) != view.of.get(one)}


def differences(right: Iterable[Placed], view: Iterable[Placed], zone: tzinfo) -> Iterator[Difference]:
    """Row by row: `right` are the rows as the topics give them."""
    should, have = _by_key(right), _by_key(view)
    for key in sorted(should.keys() | have.keys(), key=str):
        table, *values = key
        row = should.get(key) or have[key]
        cause = _cause(_name(table, values), should.get(key), have.get(key))
        if cause:
            yield Difference(owner(row), _day(row, zone), Side.VIEW, cause, str(row.get("event_id", "")))


def _day(row: Row, zone: tzinfo) -> str:
    """The day the row speaks of, where it speaks of one."""
    at = row.get("occurred_at") or row.get("recorded_at") or row.get("at")
    return local_date(at, zone).isoformat() if at else ""


def _by_key(rows: Iterable[Placed]) -> dict[tuple[str, ...], Row]:
    return {(table, *(row[name] for name in _KEYS[table])): row for table, row in rows}


def _name(table: str, values: list[Any]) -> str:
    """`events 3`, `moves h1`: a row as people call it, the case's own key left out."""
    own = [str(value) for name, value in zip(_KEYS[table], values, strict=True) if name != "case_key" and value != ""]
    return " ".join([table, *own])


def _cause(name: str, right: Row | None, found: Row | None) -> str:
    if found is None:
        return f"row {name} is missing: it was deleted from the view, or never written"
    if right is None:
        return f"row {name} is in the view only: no topic knows it"
    columns = [column for column in right if right[column] != found[column]]
    return f"row {name} was changed in the view: {', '.join(columns)}" if columns else ""
