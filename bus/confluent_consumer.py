"""Reading with confluent-kafka: a member of a group, and a reader of partitions without one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_END, KafkaError
from confluent_kafka import TopicPartition as Place

from bus.confluent_errors import in_our_words, translated
from bus.errors import RetryError
from bus.kafka_checks import check_range
from bus.ports import Membership, Partition, Record
from bus.refused import Asker

ANSWER = 10.0
SLICE = 0.1  # seconds a call into the library may last


def consume(
    native: Any, limit: int, wait: Callable[[], float], positions: dict[Partition, int], asker: Asker | None = None
) -> list[Record]:
    """The records at hand; while there is none, as long as `wait` gives seconds. Moves `positions` on, over control records too.

    `Consumer.consume(n, timeout)` would wait until n are there, and deaf to Ctrl-C.
    """
    with in_our_words("reading", asker):
        found = native.consume(1, wait())
        while not found and (seconds := wait()):
            found = native.consume(1, seconds)
        if found and limit > 1:
            found += native.consume(limit - 1, 0)
    return [record for message in found if (record := _record(message, positions, asker))]


def within(timeout: float) -> Callable[[], float]:
    """What is left of `timeout`, in slices; 0.0 at its end."""
    deadline = time.monotonic() + timeout
    return lambda: max(0.0, min(SLICE, deadline - time.monotonic()))


def _record(message: Any, positions: dict[Partition, int], asker: Asker | None) -> Record | None:
    error, topic, number, offset = message.error(), message.topic(), message.partition(), message.offset()
    if error is None:
        positions[Partition(topic, number)] = offset + 1
        headers = tuple((name, value or b"") for name, value in message.headers() or ())
        return Record(topic, number, offset, message.key(), message.value(), message.timestamp()[1], headers)
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED and asker is not None and not asker.group:
        return None  # who reads alone is in no group; the library looks for the coordinator of its id all the same
    if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  the library's public name
        raise translated(error, "reading", asker and asker._replace(topics=[topic] if topic else asker.topics))
    positions[Partition(topic, number)] = offset
    return None


class ConfluentMember:
    """`bus.ports.Consumer` on confluent-kafka."""

    def __init__(self, native: Any, group: str, topics: Sequence[str], seconds: float, asker: Asker | None = None) -> None:
        self._native = native
        self._asker = asker
        self._group = group
        self._seconds = seconds
        self._raised = False
        self._positions: dict[Partition, int] = {}
        self._membership = Membership(group, -1, "", None)
        with in_our_words("joining the group", asker):
            native.subscribe(list(topics), on_assign=self._assigned, on_revoke=self._changed, on_lost=self._changed)

    def poll(self, timeout: float, limit: int = 500) -> list[Record]:
        left = within(timeout)
        # After a rebalance it must be rewound first: there is nothing to wait for.
        records = consume(self._native, limit, lambda: 0.0 if self._raised else left(), self._positions, self._asker)
        with in_our_words("asking for the membership"):
            self._membership = Membership(self._group, 0, self._native.memberid() or "", self._native.consumer_group_metadata())
        return records

    def membership(self) -> Membership:
        """Its generation is inside `native`, where nobody but the library can read it."""
        return self._membership

    def assignment(self) -> frozenset[Partition]:
        with in_our_words("asking for the assignment"):
            return frozenset(Partition(place.topic, place.partition) for place in self._native.assignment())

    def rebalanced(self) -> bool:
        raised, self._raised = self._raised, False
        return raised

    def positions(self) -> dict[Partition, int]:
        return dict(self._positions)

    def rewind(self) -> None:
        places = [Place(*place) for place in sorted(self.assignment())]
        with in_our_words("asking for committed offsets", self._asker):
            committed = self._native.committed(places, self._seconds) if places else []
            starts = {Partition(place.topic, place.partition): self._start(place) for place in committed}
            self._native.assign([Place(*place, offset) for place, offset in starts.items()])
        self._positions = starts

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._native.close()

    def _start(self, place: Any) -> int:
        """Where to read this partition on; raises CorruptionError where that is gone."""
        first, last = self._native.get_watermark_offsets(place, timeout=ANSWER)
        if place.offset < 0:
            return int(first)
        check_range(Partition(place.topic, place.partition), place.offset, first, last)
        return int(place.offset)

    def _assigned(self, native: Any, places: Sequence[Any]) -> None:
        """`rewind` says from where; what comes until then is not believed by who asks `rebalanced`.

        Not paused meanwhile: resumed right after its new start, a partition waited a second every fourth time, and once
        for ever (librdkafka 2.14; the start and the resumption seem to overtake each other).
        """
        self._raised = True
        native.assign([Place(place.topic, place.partition, OFFSET_END) for place in places])

    def _changed(self, native: Any, places: Sequence[Any]) -> None:  # noqa: ARG002  the library's signature
        self._raised = True
        self._positions = {}


class ConfluentReader:
    """Partitions read from given offsets, or the library's words for them, without a group."""

    def __init__(self, native: Any, starts: Mapping[Partition, int], asker: Asker | None = None) -> None:
        self._native = native
        self._asker = asker
        self._positions: dict[Partition, int] = {}
        with in_our_words("reading"):
            native.assign([Place(*place, offset) for place, offset in starts.items()])

    def until(self, ends: Mapping[Partition, int], seconds: float) -> Iterator[list[Record]]:
        """Batches up to these ends; waits for open transactions before them, `seconds` without progress at most."""
        waited_since, before = time.monotonic(), dict(self._positions)
        while any(before.get(place, 0) < end for place, end in ends.items()):
            batch = consume(self._native, 5000, within(0.5), self._positions, self._asker)
            if self._positions != before:
                before, waited_since = dict(self._positions), time.monotonic()
            elif time.monotonic() - waited_since > seconds:
                raise RetryError(f"Nothing came for {seconds:g} s, though not everything was read: a broker does not answer.")
            if batch := [record for record in batch if record.offset < ends[Partition(record.topic, record.partition)]]:
                yield batch

    def forever(self, timeout: float) -> Iterator[list[Record]]:
        while True:
            yield consume(self._native, 5000, within(timeout), self._positions, self._asker)

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._native.close()
