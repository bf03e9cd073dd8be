"""Kafka's promises in memory: a `Client` for tests, part of the product.

What it keeps: transactions that become visible as a whole or never, control records that take an offset, the last
stable offset, fencing by transactional id, groups with co-partitioned range assignment, refusal of a stale membership,
time-out of transactions. What it leaves out: threads, sleep and chance. Every call returns at once, and time is a
`ManualClock` that the test advances (or a reader that has to wait for an open transaction). The contract suite runs the
same tests over this and over a real broker.

    cluster = Cluster()
    cluster.create(topics.standard(4))
    cluster.publish([Message("approval.events", 0, b"key", b"value", 0)])
    loop = Loop(cluster, "router", ["approval.events"], processor, "router-1")
    loop.step()                       # the first one joins the group
    loop.step()
    cluster.fail_next_commit()        # the next commit is refused, its work aborted
    cluster.fail_after_commit()       # the next commit stands, but its caller sees an error
    cluster.evict(consumer)           # this member is thrown out and does not know it
    cluster.clock.advance(seconds=9)  # open transactions time out
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count

from bus.errors import ConfigurationError, FencedError, RetryError
from bus.kafka_checks import check_count
from bus.memory_clients import MemoryConsumer, MemoryProducer
from bus.memory_log import Groups, Log, ManualClock, Status, Transaction
from bus.ports import Message, Partition, Record, Written
from bus.topics import Topic

__all__ = ["Cluster", "ManualClock"]

MICROS = 1_000_000


class Cluster:
    """The whole of Kafka, as a `bus.ports.Client`. Processes that share a cluster share this object."""

    def __init__(self, clock: ManualClock | None = None, transaction_timeout: float = 8.0) -> None:
        self.clock = clock or ManualClock()
        self.groups = Groups()
        self.logs: dict[Partition, Log] = {}
        self._transaction_timeout = int(transaction_timeout * MICROS)
        self._epochs: dict[str, int] = {}
        self._open: dict[str, Transaction] = {}
        self._names = count(1)
        self._fail_before = 0
        self._fail_after = 0

    # what tests do to it

    def fail_next_commit(self, times: int = 1) -> None:
        """The next commits are refused and their work is aborted."""
        self._fail_before += times

    def fail_after_commit(self, times: int = 1) -> None:
        """The next commits stand, but the caller sees an error and cannot know."""
        self._fail_after += times

    def evict(self, consumer: MemoryConsumer) -> None:
        """Throw a member out of its group, as the broker does with one that stopped; it learns it at its next poll."""
        self.groups.leave(consumer.group, consumer.member)

    def forget(self, place: Partition, before: int) -> None:
        """What retention does: the records before this offset are gone."""
        self.logs[place].begin = before

    def publish(self, messages: Iterable[Message]) -> list[Written]:
        """Write messages in a transaction of their own."""
        producer = self.producer(f"publish-{next(self._names)}")
        producer.begin()
        producer.send(messages)
        return producer.commit()

    def records(self, topic: str) -> list[Record]:
        """All committed records of a topic, by partition and offset."""
        starts = {place: 0 for place in sorted(self.logs) if place.topic == topic}
        return [record for batch in self.read(starts) for record in batch]

    # bus.ports.Client

    def producer(self, transactional_id: str) -> MemoryProducer:
        """A producer; whoever held this id before is fenced, its open transaction aborted."""
        self.finish(transactional_id, Status.ABORTED)
        epoch = self._epochs.get(transactional_id, -1) + 1
        self._epochs[transactional_id] = epoch
        return MemoryProducer(self, transactional_id, epoch)

    def consumer(self, group: str, topics: Sequence[str]) -> MemoryConsumer:
        self._known(topics)
        return MemoryConsumer(self, group, tuple(topics), f"member-{next(self._names):04d}")

    def read(self, positions: Mapping[Partition, int], *, until_end: bool = True, timeout: float = 1.0) -> Iterator[list[Record]]:  # noqa: ARG002  nothing is waited for
        at = dict(positions)
        ends = {place: self.log(place).end() for place in at}
        if until_end:
            self._await_decision(at)
        while True:
            batch = [record for place in at for record in self.fetch(at, place, 500, ends[place] if until_end else None)]
            if until_end and not batch:
                return
            yield batch

    def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        self.expire()
        return {place: self.logs[place].stable_end() for place in self.places(topics)}

    def begins(self, topics: Sequence[str]) -> dict[Partition, int]:
        return {place: self.logs[place].begin for place in self.places(topics)}

    def create(self, topics: Sequence[Topic]) -> None:
        for topic in topics:
            self._create(topic)

    def committed(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        offsets = self.groups.committed(group)
        return {place: offsets[place] for place in self.places(topics) if place in offsets}

    def close(self) -> None:
        """Nothing to close: what was written stays for the next process."""

    # what producers and consumers ask

    def log(self, place: Partition) -> Log:
        if place not in self.logs:
            raise ConfigurationError(f"There is no partition {place.number} of topic {place.topic}. Create the topic first.")
        return self.logs[place]

    def places(self, topics: Sequence[str]) -> list[Partition]:
        self._known(topics)
        return sorted(place for place in self.logs if place.topic in topics)

    def check(self, transactional_id: str, epoch: int) -> None:
        """Raise FencedError when this producer's place has been taken."""
        self.expire()
        if self._epochs[transactional_id] != epoch:
            raise FencedError(f"Another producer has taken the transactional id {transactional_id}, or its time ran out.")

    def open(self, transactional_id: str) -> Transaction:
        return self._open.setdefault(transactional_id, Transaction(self.clock.now()))

    def commit(self, transactional_id: str) -> list[Written]:
        if self._fail_before:
            self._fail_before -= 1
            self.finish(transactional_id, Status.ABORTED)
            raise RetryError("The commit was refused (injected).")
        written = self.finish(transactional_id, Status.COMMITTED)
        if self._fail_after:
            self._fail_after -= 1
            raise RetryError("The answer to the commit was lost (injected).")
        return written

    def finish(self, transactional_id: str, status: Status) -> list[Written]:
        """End the open transaction of this id: its records count, or never will."""
        transaction = self._open.pop(transactional_id, None)
        if transaction is None:
            return []
        transaction.status = status
        for place in transaction.places:
            self.logs[place].close(transaction)
        if status is Status.COMMITTED:
            for group, positions in transaction.offsets.items():
                self.groups.store(group, positions)
        return sorted(transaction.written, key=lambda one: one.message[:2])

    def expire(self) -> None:
        """Abort and fence transactions that lasted longer than the time-out, as the coordinator does."""
        limit = self.clock.now() - self._transaction_timeout
        for transactional_id, transaction in list(self._open.items()):
            if transaction.started_at < limit:
                self.finish(transactional_id, Status.ABORTED)
                self._epochs[transactional_id] += 1

    def fetch(self, at: dict[Partition, int], place: Partition, limit: int, end: int | None = None) -> list[Record]:
        self.expire()
        records, at[place] = self.log(place).fetch(at[place], limit, end)
        return records

    def _await_decision(self, places: Iterable[Partition]) -> None:
        """Where a real reader waits for an open transaction, the clock moves on to its time-out."""
        self.expire()
        waited_for = [transaction.started_at for transaction in self._open.values() if not transaction.places.isdisjoint(places)]
        if waited_for:
            late = max(waited_for) + self._transaction_timeout + 1
            self.clock.advance(micros=max(0, late - self.clock.now()))
            self.expire()

    def _create(self, topic: Topic) -> None:
        found = sum(1 for place in self.logs if place.topic == topic.name)
        if found:
            check_count(topic, found)
        for number in range(topic.partitions or 1):
            self.logs.setdefault(Partition(topic.name, number), Log())

    def _known(self, topics: Sequence[str]) -> None:
        missing = set(topics) - {place.topic for place in self.logs}
        if missing:
            raise ConfigurationError(f"There is no topic {', '.join(sorted(missing))}. Create the topics first.")
