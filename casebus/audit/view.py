"""Rows for the comparison of the view with the topics: those the topics give, and those the tables have."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Select, Table, select

from casebus.audit.rows import Placed, Sums
from monitor import tables
from monitor.rows import Rows
from monitor.view import Snapshot

#: Tables that are made of the topics, row by row.
COMPARED = (tables.entries, tables.events, *tables.OF_STATE, tables.dead_letters)
_AT_ONCE = 500


def placed(rows: Rows, of: Collection[Table] = COMPARED) -> Iterator[Placed]:
    return ((table.name, row) for table in of for row in rows.of(table))


def summed(snapshot: Snapshot) -> Sums:
    """Sums over all tables of the view."""
    sums = Sums()
    for table in COMPARED:
        for row in snapshot.stream(select(table)):
            sums.add(table.name, _plain(row))
    return sums


def rows_of_cases(snapshot: Snapshot, cases: Collection[str]) -> Iterator[Placed]:
    """The rows that the view has of these cases."""
    keys = sorted(cases)
    for start in range(0, len(keys), _AT_ONCE):
        for table in COMPARED:
            query: Select[Any] = select(table).where(table.c.case_key.in_(keys[start : start + _AT_ONCE]))
            yield from ((table.name, _plain(row)) for row in snapshot.stream(query))


def _plain(row: Any) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public name for a row as a mapping
