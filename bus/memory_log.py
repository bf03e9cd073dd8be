"""The parts that `bus.memory` is made of: a partition's log, a transaction, the groups, a clock one advances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from bus.ports import Membership, Message, Partition, Record, Written


class ManualClock:
    """A `bus.ports.Clock` that stands still until it is moved. Microseconds since 1970-01-01 UTC."""

    def __init__(self, at: int = 0) -> None:
        self._at = at

    def now(self) -> int:
        return self._at

    def advance(self, *, seconds: float = 0.0, micros: int = 0) -> None:
        self._at += int(seconds * 1_000_000) + micros


class Status(StrEnum):
    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(eq=False, slots=True)
class Transaction:
    """What one transaction has done so far, and how it ended."""

    started_at: int
    status: Status = Status.OPEN
    places: set[Partition] = field(default_factory=set)
    written: list[Written] = field(default_factory=list)
    offsets: dict[str, dict[Partition, int]] = field(default_factory=dict)


class Entry(NamedTuple):
    """One offset of a log: a record, or the control record that ends a transaction."""

    record: Record | None
    transaction: Transaction


class Log:
    """One partition: entries in order, and the transactions still open with their first offset."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._open: dict[Transaction, int] = {}
        #: The first offset there still is.
        self.begin = 0

    def append(self, message: Message, transaction: Transaction) -> int:
        offset = len(self._entries)
        topic, partition, key, value, timestamp, headers = message
        self._entries.append(Entry(Record(topic, partition, offset, key, value, timestamp, headers), transaction))
        self._open.setdefault(transaction, offset)
        return offset

    def close(self, transaction: Transaction) -> None:
        """Write the control record."""
        del self._open[transaction]
        self._entries.append(Entry(None, transaction))

    def stable_end(self) -> int:
        """The last stable offset: nothing from here on is decided."""
        return min(self._open.values(), default=len(self._entries))

    def end(self) -> int:
        """The high watermark: everything written, decided or not."""
        return len(self._entries)

    def fetch(self, position: int, limit: int, end: int | None = None) -> tuple[list[Record], int]:
        """Up to `limit` committed records from here, and the position after what was looked at."""
        stop = self.stable_end() if end is None else min(end, self.stable_end())
        records: list[Record] = []
        while position < stop and len(records) < limit:
            record, transaction = self._entries[position]
            if record is not None and transaction.status is Status.COMMITTED:
                records.append(record)
            position += 1
        return records, position


@dataclass(slots=True)
class Group:
    generation: int = 0
    members: dict[str, tuple[Partition, ...]] = field(default_factory=dict)
    assignment: dict[str, frozenset[Partition]] = field(default_factory=dict)
    committed: dict[Partition, int] = field(default_factory=dict)


class Groups:
    """Consumer groups: who is a member, of which generation, of which partitions, committed how far."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}

    def join(self, name: str, member: str, places: Sequence[Partition]) -> None:
        """Become a member; nothing happens to one that is a member already."""
        group = self._groups.setdefault(name, Group())
        if member not in group.members:
            group.members[member] = tuple(places)
            _rebalance(group)

    def leave(self, name: str, member: str) -> None:
        group = self._groups.setdefault(name, Group())
        if group.members.pop(member, None) is not None:
            _rebalance(group)

    def generation(self, name: str) -> int:
        return self._groups[name].generation

    def assignment(self, name: str, member: str) -> frozenset[Partition]:
        return self._groups[name].assignment[member]

    def committed(self, name: str) -> Mapping[Partition, int]:
        return self._groups.setdefault(name, Group()).committed

    def store(self, name: str, positions: Mapping[Partition, int]) -> None:
        self._groups[name].committed.update(positions)

    def accepts(self, membership: Membership) -> bool:
        """True for a member of the present generation (KIP-447)."""
        group = self._groups.get(membership.group)
        return group is not None and membership.generation == group.generation and membership.member in group.members


def _rebalance(group: Group) -> None:
    """A new generation, with the same partition numbers of every topic at the same member."""
    group.generation += 1
    everything = [place for places in group.members.values() for place in places]
    owner = _ranges(sorted(group.members), sorted({place.number for place in everything}))
    group.assignment = {
        member: frozenset(place for place in places if owner[place.number] == member) for member, places in group.members.items()
    }


def _ranges(members: Sequence[str], numbers: Iterable[int]) -> dict[int, str]:
    """Kafka's range assignor: consecutive numbers, the first members get one more where it does not divide."""
    left = list(numbers)
    owner: dict[int, str] = {}
    for index, member in enumerate(members):
        take = -(-len(left) // (len(members) - index))
        owner.update(dict.fromkeys(left[:take], member))
        left = left[take:]
    return owner
