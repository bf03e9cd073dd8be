"""What a `bus.memory.Cluster` hands out: producers and consumers, each as Kafka's client library would behave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bus.errors import FencedError, RetryError
from bus.kafka_checks import check_range
from bus.memory_log import Status, Transaction
from bus.ports import Membership, Message, Partition, Record, Written

if TYPE_CHECKING:
    from bus.memory import Cluster


class MemoryProducer:
    """`bus.ports.Producer` on a `Cluster`."""

    def __init__(self, cluster: Cluster, transactional_id: str, epoch: int) -> None:
        self._cluster = cluster
        self._id = transactional_id
        self._epoch = epoch
        self._broken = False
        self._begun = False

    def begin(self) -> None:
        self._usable()
        if self._begun:
            raise RetryError("A transaction is open already. Commit or abort it first.")
        self._cluster.open(self._id)
        self._begun = True

    def send(self, messages: Iterable[Message]) -> None:
        transaction = self._current()
        for message in messages:
            place = Partition(message.topic, message.partition)
            offset = self._cluster.log(place).append(message, transaction)
            transaction.places.add(place)
            transaction.written.append(Written(message, offset))

    def offsets(self, positions: Mapping[Partition, int], membership: Membership) -> None:
        transaction = self._current()
        if not self._cluster.groups.accepts(membership):
            self._broken = True
            raise FencedError(f"The group {membership.group} has moved on: {membership.member} is no member of its generation.")
        transaction.offsets.setdefault(membership.group, {}).update(positions)

    def commit(self) -> list[Written]:
        self._current()
        self._broken = True  # until it is known to stand
        written = self._cluster.commit(self._id)
        self._broken = self._begun = False
        return written

    def abort(self) -> None:
        self._begun = False
        self._cluster.check(self._id, self._epoch)
        self._cluster.finish(self._id, Status.ABORTED)

    def close(self) -> None:
        """An open transaction stays open, as after a crash, until its time is out or its id is taken again."""
        self._broken = True

    def _current(self) -> Transaction:
        self._usable()
        if not self._begun:
            raise RetryError("No transaction is open. Begin one first.")
        return self._cluster.open(self._id)

    def _usable(self) -> None:
        self._cluster.check(self._id, self._epoch)
        if self._broken:
            raise RetryError("This producer has failed or was closed. Make a new one.")


class MemoryConsumer:
    """`bus.ports.Consumer` on a `Cluster`."""

    def __init__(self, cluster: Cluster, group: str, topics: tuple[str, ...], member: str) -> None:
        self.group = group
        self.member = member
        self._cluster = cluster
        self._topics = topics
        self._generation = -1
        self._positions: dict[Partition, int] = {}
        self._rebalanced = False
        self._turn = 0
        self._join()

    def poll(self, timeout: float, limit: int = 500) -> list[Record]:  # noqa: ARG002  nothing is waited for
        self._join()
        if self._cluster.groups.generation(self.group) != self._generation:
            self._adopt()
        return self._fetch(limit)

    def membership(self) -> Membership:
        return Membership(self.group, self._generation, self.member, None)

    def assignment(self) -> frozenset[Partition]:
        return frozenset(self._positions)

    def rebalanced(self) -> bool:
        changed, self._rebalanced = self._rebalanced, False
        return changed

    def positions(self) -> dict[Partition, int]:
        return dict(self._positions)

    def rewind(self) -> None:
        committed = self._cluster.groups.committed(self.group)
        for place in self._positions:
            self._positions[place] = committed.get(place, 0)
            check_range(place, self._positions[place], 0, self._cluster.log(place).end())

    def close(self) -> None:
        self._cluster.groups.leave(self.group, self.member)

    def _join(self) -> None:
        self._cluster.groups.join(self.group, self.member, self._cluster.places(self._topics))

    def _adopt(self) -> None:
        self._generation = self._cluster.groups.generation(self.group)
        self._positions = dict.fromkeys(self._cluster.groups.assignment(self.group, self.member), 0)
        self._rebalanced = True
        self.rewind()

    def _fetch(self, limit: int) -> list[Record]:
        """Up to `limit` records, beginning with another partition each time so that none starves."""
        places = sorted(self._positions)
        self._turn = (self._turn + 1) % len(places) if places else 0
        records: list[Record] = []
        for place in places[self._turn :] + places[: self._turn]:
            records += self._cluster.fetch(self._positions, place, limit - len(records))
        return records
