"""What the view shows, against what the topics make it show. Sums of hashes first; rows only where two sums differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import tzinfo
from functools import cached_property
from typing import Any

from sqlalchemy import Select, select

from bus.errors import CorruptionError
from bus.ports import Client, Partition, Record
from bus.topics import DEADLETTERS, JOURNAL, STATE
from casebus.audit.facts import Difference
from casebus.audit.rows import Part, Placed, Sums, differences, part, unequal
from casebus.audit.told import last_of_each, read_through
from monitor import tables
from monitor.rows import Reader, rows_of
from monitor.view import Snapshot

#: Tables that are made of the topics, row by row.
COMPARED = (tables.entries, tables.events, *tables.OF_STATE, tables.dead_letters)
_AT_ONCE = 500


def read_by(snapshot: Snapshot) -> dict[Partition, int]:
    """How far the view had read when the snapshot was taken."""
    return {Partition(row.topic, row.partition): row.next_offset for row in snapshot.all(select(tables.offsets))}


class Shown:
    """The view's side of the audit. `positions` is how far the view has read: what lies behind cannot be missing in it."""

    def __init__(self, client: Client, reader: Reader, positions: Mapping[Partition, int]) -> None:
        self._client, self._reader, self._positions = client, reader, positions
        self._right = Sums()
        self.behind: set[str] = set()
        self.rows = 0

    @cached_property
    def states(self) -> dict[bytes, tuple[int, int]]:
        """Where the last state of each case stands that the view has read (partition, offset)."""
        return last_of_each(read_through(self._client, STATE.name), self._positions)

    def expect(self, record: Record) -> None:
        """Count the rows that this record must have become, if the view has read it."""
        if not self._has_read(record):
            self.behind.add((record.key or b"").decode())
            return
        for table, row in self._placed(record):
            self._right.add(table, row)

    def differences(self, snapshot: Snapshot, zone: tzinfo) -> Iterator[Difference]:
        found = _summed(snapshot)
        self.rows = sum(count for count, _ in found.of.values())
        suspects = unequal(self._right, found) - self._untold(snapshot)
        if suspects:
            right = (placed for placed in self._again() if part(*placed) in suspects)
            yield from differences(right, _rows_of(snapshot, suspects), zone)

    def _untold(self, snapshot: Snapshot) -> set[Part]:
        """States that nothing can be held against: the view lags behind, and compaction took what it had read.

        A view that shows a state from behind its own position does not lag: its position was put back.
        """
        lagging = self.behind - {key.decode() for key in self.states}
        return {
            Part(row.case_key, of_state=True)
            for row in snapshot.stream(select(tables.cases))
            if row.case_key in lagging and row.state_offset < self._positions.get(Partition(STATE.name, row.state_partition), 0)
        }

    def _has_read(self, record: Record) -> bool:
        return record.offset < self._positions.get(Partition(record.topic, record.partition), 0)

    def _placed(self, record: Record) -> Iterator[Placed]:
        """Rows of a record; one that cannot be read has been told of where its chain was followed."""
        try:
            rows = rows_of([record], self._reader)
        except CorruptionError:
            return
        for table in COMPARED:
            yield from ((table.name, row) for row in rows.of(table))

    def _again(self) -> Iterator[Placed]:
        """All rows once more, as far as the view has read."""
        for topic in (JOURNAL.name, STATE.name, DEADLETTERS.name):
            for record in read_through(self._client, topic):
                stale = topic == STATE.name and self.states.get(record.key or b"") != (record.partition, record.offset)
                if not stale and self._has_read(record):
                    yield from self._placed(record)


def _summed(snapshot: Snapshot) -> Sums:
    sums = Sums()
    for table in COMPARED:
        for row in snapshot.stream(select(table)):
            sums.add(table.name, _plain(row))
    return sums


def _rows_of(snapshot: Snapshot, parts: Collection[Part]) -> Iterator[Placed]:
    """The rows that the view has of these parts."""
    keys = sorted({one.case for one in parts})
    for start in range(0, len(keys), _AT_ONCE):
        for table in COMPARED:
            query: Select[Any] = select(table).where(table.c.case_key.in_(keys[start : start + _AT_ONCE]))
            rows = ((table.name, _plain(row)) for row in snapshot.stream(query))
            yield from (placed for placed in rows if part(*placed) in parts)


def _plain(row: Any) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public name for a row as a mapping
