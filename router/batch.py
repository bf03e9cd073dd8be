"""What one transaction works on: the cases it touches, the end of input as it hears of it, the messages it writes."""

from __future__ import annotations

from bus.partition import partition_of
from bus.ports import Message, Record
from router.desk import Desk, Setting
from router.keep import Keep
from router.marks import Marks
from router.outbox import Cause, row_of
from schemas.envelope import Event


class Batch:
    """Begun for each call of `process` and dropped with it, so an abort leaves nothing behind."""

    def __init__(self, setting: Setting, keep: Keep) -> None:
        self.out = setting.out
        self.desks: dict[bytes, Desk] = {}
        self.marks: dict[tuple[int, str], Marks] = {}
        #: Words heard in this batch of rows that came to a new case, by `row_of`.
        self.rows: dict[bytes, Event] = {}
        self._setting = setting._replace(rows=self._row)
        self._keep = keep

    def desk(self, number: int, key: bytes) -> Desk:
        """The case of a key, with its state as committed and as changed in this batch."""
        known = self.desks.get(key)
        if known is None:
            known = Desk(self._keep.state(number, key), lambda: self._keep.history(number, key), self._setting)
            self.desks[key] = known
        return known

    def holders(self, number: int, row: bytes) -> set[bytes]:
        """The keys of this partition under which a row was reported."""
        here = {key for key, desk in self.desks.items() if any(row_of(one.origin) == row for one in desk.state.ledger)}
        return self._keep.holders(number, row) | {key for key in here if partition_of(key, self._keep.partitions) == number}

    def _row(self, origin: str) -> Event | None:
        if not (self.rows or self._keep.moved):
            return None
        row = row_of(origin)
        return self.rows.get(row) or self._keep.row(row)

    def drop(self) -> None:
        """Let go of the cases at once: batch and desks know each other, and the collector seldom looks (`calm_collector`)."""
        self.desks.clear()

    def finished(self, timestamp: int) -> list[Message]:
        """All messages, the last state of each touched case at the end, with the last record's `timestamp` (milliseconds)."""
        for desk in self.desks.values():
            if desk.touched:
                self.out.state(desk.state, timestamp, provisional=desk.provisional)
        return self.out.messages


def cause_of(record: Record) -> Cause:
    return Cause(record.timestamp * 1000, record.timestamp, record.partition, record.offset)
