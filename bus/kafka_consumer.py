"""Reading with kafka-python: a member of a group, and a reader of partitions without one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kafka.consumer.fetcher import Fetcher
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.protocol.consumer import IsolationLevel
from kafka.structs import MemberState, TopicPartition

from bus.errors import CorruptionError, RetryError
from bus.kafka_checks import check_range
from bus.kafka_errors import in_our_words
from bus.kafka_records import decode
from bus.ports import Membership, Partition, Record
from bus.refused import Asker

#: A poll that returns inside a rebalance can lose the assignment (trap 8), so it is given time to end.
REBALANCE_SECONDS = 5.0
CLOSE_MS = 2000
#: A poll that finds only a commit marker moves the position on and then waits its time out: so it is given little.
SOON = 0.02


class Batches(Fetcher.PartitionRecords):  # type: ignore[misc]  # untyped library
    """The library's reader of fetched batches, with our decoder inside: a `Record` is all that is made for a record."""

    def _unpack_records(self, tp: Any, records: Any, *_deserializers: object) -> Iterator[Record]:
        batch = records.next_batch()
        while batch is not None:
            if not batch.validate_crc():
                raise CorruptionError(f"A record batch of {tp.topic}, partition {tp.partition} has a wrong checksum.")
            if self._is_readable(batch):
                for record in _decoded(batch, tp.topic, tp.partition):
                    self.records_read += 1
                    self.next_fetch_offset = record.offset + 1
                    yield record
            self.bytes_read += batch.size_in_bytes
            self.leader_epoch = batch.leader_epoch
            self.next_fetch_offset = batch.next_offset
            batch = records.next_batch()
        self.drain()

    def _is_readable(self, batch: Any) -> bool:
        """False for what was aborted and for control records, which keep the book of what was."""
        if self.isolation_level == IsolationLevel.READ_COMMITTED and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return False
        return not batch.is_control_batch


def _decoded(batch: Any, topic: str, partition: int) -> Iterator[Record]:
    batch._maybe_uncompress()  # noqa: SLF001  pinned, see kafka_producer.check_version
    data = bytes(memoryview(batch._buffer)[batch._pos :])  # noqa: SLF001 - the library's own, read with its version checked
    fixed = batch.max_timestamp if batch.timestamp_type else None
    return decode(data, batch.records_count, topic, partition, batch.base_offset, batch.first_timestamp, fixed)


class _Flag(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped library
    """Rule 6: these run on the library's IO thread, so they set a flag and do nothing else."""

    def __init__(self) -> None:
        self.raised = False

    def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002  the library's signature
        self.raised = True

    def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002 - the listener is given both
        self.raised = True

    def on_partitions_lost(self, lost: object) -> None:  # noqa: ARG002 - the listener is given both
        self.raised = True


class KafkaMember:
    """`bus.ports.Consumer` on kafka-python."""

    def __init__(self, native: Any, group: str, topics: Sequence[str], seconds: float, asker: Asker | None = None) -> None:
        self._native = native
        self._asker = asker
        self._group = group
        self._seconds = seconds
        self._flag = _Flag()
        self._membership = Membership(group, -1, "", None)
        native._fetcher.PartitionRecords = Batches  # noqa: SLF001 - the library's own, read with its version checked
        for topic in topics:
            native.partitions_for_topic(topic)
        native.subscribe(topics=list(topics), listener=self._flag)
        # Who joins before he knows his topics joins again as soon as he does: every start would pass by trap 8.
        native._coordinator._handle_metadata_update(native._cluster)  # noqa: SLF001 - the library's own, read with its version checked

    def poll(self, timeout: float, limit: int = 500) -> list[Record]:
        with in_our_words("reading", self._asker):
            ready = self._joined(timeout) and not self._flag.raised  # after a rebalance it must be rewound first
            fetched = self._native.poll(timeout_ms=timeout * 1000, max_records=limit) if ready else {}
        self._take_membership()
        if not self._stable():
            self._check_joining()
            return []
        return [record for records in fetched.values() for record in records]

    def membership(self) -> Membership:
        return self._membership

    def assignment(self) -> frozenset[Partition]:
        return frozenset(Partition(*place) for place in self._native.assignment())

    def rebalanced(self) -> bool:
        raised, self._flag.raised = self._flag.raised, False
        return raised

    def positions(self) -> dict[Partition, int]:
        with in_our_words("asking for positions", self._asker):
            return {Partition(*place): self._native.position(place, timeout_ms=5000) for place in self._native.assignment()}

    def rewind(self) -> None:
        places = list(self._native.assignment())
        with in_our_words("asking for committed offsets", self._asker):
            committed = self._committed(places)
            first, last = self._native.beginning_offsets(places), self._native.end_offsets(places)
            for place in places:
                if place in committed:
                    check_range(Partition(*place), committed[place], first[place], last[place])
                self._native.seek(place, committed.get(place, first[place]))

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._native.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _joined(self, timeout: float) -> bool:
        """Take part in a rebalance to its end before anything is read; a poll would wait on for records after it."""
        coordinator = self._native._coordinator  # noqa: SLF001 - the library's own, read with its version checked
        if not coordinator.need_rejoin():
            return True
        return bool(coordinator.poll(timeout_ms=max(timeout, REBALANCE_SECONDS) * 1000))

    def _stable(self) -> bool:
        return bool(self._native.group_metadata().state == MemberState.STABLE)

    def _take_membership(self) -> None:
        """Rule 3: right after the poll, because later it can turn into that of nobody."""
        native = self._native.group_metadata()
        self._membership = Membership(self._group, native.generation_id, native.member_id, native)

    def _check_joining(self) -> None:
        """Trap 8: joined, says the log, but nobody applies the assignment, and nobody ever will."""
        if not self._native._coordinator.need_rejoin():  # noqa: SLF001 - the library's own, read with its version checked
            raise RetryError(f"The group {self._group} was joined without an assignment. A new member is needed.")

    def _committed(self, places: list[Any]) -> dict[Any, int]:
        """Waits while another's transaction still holds offsets of these partitions (KIP-447)."""
        found = self._native._coordinator.fetch_committed_offsets(places, timeout_ms=self._seconds * 1000)  # noqa: SLF001 - the library's own, read with its version checked
        return {place: offset.offset for place, offset in found.items()}


class KafkaReader:
    """Partitions read from given offsets without a group. `consumer` makes a consumer for a reset policy."""

    def __init__(self, consumer: Callable[..., Any], positions: Mapping[Partition, int], asker: Asker | None = None) -> None:
        self._asker = asker
        self._native = consumer(auto_offset_reset="none")
        self._native._fetcher.PartitionRecords = Batches  # noqa: SLF001 - the library's own, read with its version checked
        places = [TopicPartition(*place) for place in positions]
        self._native.assign(places)
        for place, offset in zip(places, positions.values(), strict=True):
            if offset:
                self._native.seek(place, offset)
            else:
                self._native.seek_to_beginning(place)

    def until(self, ends: Mapping[Partition, int], seconds: float) -> Iterator[list[Record]]:
        """Batches up to these ends; waits for open transactions before them, `seconds` without progress at most."""
        waited_since = time.monotonic()
        before = self._positions()
        while any(before.get(place, 0) < end for place, end in ends.items()):
            batch = self._poll(SOON)
            after = self._positions()
            if after != before:
                before, waited_since = after, time.monotonic()
            elif time.monotonic() - waited_since > seconds:
                raise RetryError(f"Nothing came for {seconds:g} s, though not everything was read: a broker does not answer.")
            if batch := [record for record in batch if record.offset < ends[Partition(record.topic, record.partition)]]:
                yield batch

    def forever(self, timeout: float) -> Iterator[list[Record]]:
        while True:
            yield self._poll(timeout)

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._native.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _poll(self, timeout: float) -> list[Record]:
        with in_our_words("reading", self._asker):
            fetched = self._native.poll(timeout_ms=timeout * 1000, max_records=5000)
        return [record for records in fetched.values() for record in records]

    def _positions(self) -> dict[Partition, int]:
        """Without asking anybody: 0 until a partition has been looked at."""
        states = self._native._subscription.assignment  # noqa: SLF001 - the library's own, read with its version checked
        return {Partition(*place): state.position.offset for place, state in states.items() if state.position is not None}
