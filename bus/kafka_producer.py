"""A transactional producer on kafka-python, with the rules that make it safe (`bus.transaction` has the others).

The library is entered below `KafkaProducer.send`: whole record batches are handed to its accumulator, each with one
future. That is why its version is pinned to the digit and looked at here before anything is sent.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import kafka
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.memory_records import MemoryRecordsBuilder
from kafka.structs import OffsetAndMetadata, TopicPartition

from bus.errors import ConfigurationError, FencedError, RetryError
from bus.kafka_errors import in_our_words, translated
from bus.kafka_records import BATCH_BYTES, chunks
from bus.ports import Membership, Message, Partition, Written
from bus.refused import Asker

VERSION = "3.0.12"
CLOSE_SECONDS = 2.0
ABORT_SECONDS = 5.0


def check_version() -> None:
    """Raise ConfigurationError where another kafka-python is installed than this code knows from the inside."""
    if kafka.__version__ != VERSION:
        raise ConfigurationError(f"kafka-python {kafka.__version__} is installed, casebus needs {VERSION}. Install that one.")


class _Batch(NamedTuple):
    """Messages on their way as one record batch."""

    messages: list[Message]
    native: Any


class _Split:
    """Stands where a batch keeps its records' futures: the library cuts a batch the broker finds too large in two.

    The halves have futures of their own, which nobody here holds, so the transaction must not be committed.
    """

    def __init__(self) -> None:
        self.happened = False

    def rebind(self, future: object, index: int) -> None:  # noqa: ARG002  the library's signature
        self.happened = True


class KafkaTransactions:
    """`bus.ports.Producer` on kafka-python.

    `seconds` bounds what is waited for from the first record to the commit: longer than the coordinator keeps a
    transaction open (rule 8). Nothing in here waits for ever.
    """

    def __init__(self, native: Any, seconds: float, asker: Asker | None = None) -> None:
        self._native = native
        self.asker = asker
        self._manager = native._transaction_manager  # noqa: SLF001  pinned, see `check_version`
        self._seconds = seconds
        self._batches: list[_Batch] = []
        self._identity: object = None
        self._broken = False
        self._deadline = 0.0

    def start(self) -> None:
        """Fence whoever held the transactional id before and end its open transaction."""
        with self._once("taking the transactional id"):
            self._deadline = time.monotonic() + self._seconds
            self._wait(self._manager.initialize_transactions(), "taking the transactional id")

    def begin(self) -> None:
        self._batches = []
        with self._once("beginning a transaction"):
            self._native.begin_transaction()
        self._identity = self._manager.producer_id_and_epoch
        self._deadline = 0.0

    def send(self, messages: Iterable[Message]) -> None:
        """Queue the messages, by partition, in their order."""
        by_place: dict[tuple[str, int], list[Message]] = {}
        for message in messages:
            by_place.setdefault(message[:2], []).append(message)
        with self._once("sending"):
            self._start_clock()
            for (topic, number), group in by_place.items():
                self._check_place(topic, number)
                self._queue(TopicPartition(topic, number), group)
            self._native._sender.wakeup()  # noqa: SLF001 - the library's own, written with its version checked

    def offsets(self, positions: Mapping[Partition, int], membership: Membership) -> None:
        """Rule 3 and rule 4: under a membership that is one, and after every record is known to be written."""
        native = {TopicPartition(*place): OffsetAndMetadata(offset, "", -1) for place, offset in positions.items()}
        self.asker = self.asker and self.asker._replace(group=membership.group)
        with self._once("committing offsets"):
            if membership.generation < 0 or not membership.member:
                raise FencedError(f"This process is no member of the group {membership.group} any more.")
            self._settle()
            result = self._manager.send_offsets_to_transaction(native, membership.native)
            self._wait(result, "committing offsets")

    def commit(self) -> list[Written]:
        with self._once("committing"):
            written = self._settle()
            if self._manager.producer_id_and_epoch is not self._identity:  # trap 1: after it a commit commits nothing
                raise FencedError("The coordinator timed the transaction out: its work was aborted.")
            self._wait(self._manager.begin_commit(), "committing")
        self._batches = []
        return written

    def abort(self) -> None:
        self._batches = []
        self._deadline = time.monotonic() + ABORT_SECONDS
        with in_our_words("aborting"):
            self._wait(self._manager.begin_abort(), "aborting")

    def close(self) -> None:
        """Its own close gives up half-way when records cannot be sent, so the sender is told to end as well."""
        sender = self._native._sender  # noqa: SLF001 - the library's own, written with its version checked
        sender.force_close()
        with contextlib.suppress(Exception):
            self._native.close(timeout=CLOSE_SECONDS)

    @contextlib.contextmanager
    def _once(self, doing: str) -> Iterator[None]:
        """Rule 5: after any error nothing but `abort` and `close`, because offsets of the failed work linger (trap 4)."""
        if self._broken:
            raise RetryError("This producer has failed. Make a new one.")
        try:
            with in_our_words(doing, self.asker):
                yield
        except BaseException:
            self._broken = True
            raise

    def _check_place(self, topic: str, number: int) -> None:
        with in_our_words(f"looking for topic {topic}", self.asker and self.asker._replace(topics=[topic])):
            known = self._native.partitions_for(topic)
        if number not in known:
            raise ConfigurationError(f"Topic {topic} has no partition {number}. Check kafka.partitions.")

    def _queue(self, place: Any, messages: list[Message]) -> None:
        self._manager.maybe_add_partition_to_transaction(place)
        accumulator = self._native._accumulator  # noqa: SLF001 - the library's own, written with its version checked
        for start, records in chunks(messages, BATCH_BYTES):
            part = messages[start : start + len(records)]
            native = _native_batch(place, part, records)
            with accumulator._tp_lock(place):  # noqa: SLF001  pinned; the lock its own append takes
                accumulator._batches[place].append(native)  # noqa: SLF001 - the library's own, written with its version checked
                accumulator._incomplete.add(native)  # noqa: SLF001 - the library's own, written with its version checked
            self._batches.append(_Batch(part, native))

    def _settle(self) -> list[Written]:
        """Rule 4: wait for every batch and look at its own result. Returns what is written, by partition."""
        self._start_clock()
        written: list[Written] = []
        for batch in self._batches:
            first = _base_offset(batch, self._deadline, self.asker)
            written += [Written(message, offset) for offset, message in enumerate(batch.messages, first)]
        return written

    def _start_clock(self) -> None:
        """With the first call that makes the broker open the transaction."""
        self._deadline = self._deadline or time.monotonic() + self._seconds

    def _wait(self, result: Any, doing: str) -> None:
        self._native._sender.wakeup()  # noqa: SLF001 - the library's own, written with its version checked
        if not result.wait(timeout_ms=max(0.0, self._deadline - time.monotonic()) * 1000):
            raise RetryError(f"While {doing}: the broker did not answer in time.")


def _native_batch(place: Any, messages: list[Message], records: list[bytes]) -> Any:
    builder = MemoryRecordsBuilder(2, 0, BATCH_BYTES)
    inner = builder._builder  # noqa: SLF001 - the library's own, written with its version checked
    inner._buffer += b"".join(records)  # noqa: SLF001 - the library's own, written with its version checked
    stamps = [message.timestamp for message in messages]
    inner._first_timestamp, inner._max_timestamp = stamps[0], max(stamps)  # noqa: SLF001 - the library's own, written with its version checked
    inner._num_records, inner._last_offset = len(records), len(records) - 1  # noqa: SLF001 - the library's own, written with its version checked
    builder._next_offset = len(records)  # noqa: SLF001 - the library's own, written with its version checked
    batch = ProducerBatch(place, builder)
    batch._record_futures.append(_Split())  # noqa: SLF001 - the library's own, written with its version checked
    return batch


def _base_offset(batch: _Batch, deadline: float, asker: Asker | None) -> int:
    """The offset of a batch's first record, once the broker has confirmed it; else the error it met."""
    future, split = batch.native.produce_future, batch.native._record_futures[0]  # noqa: SLF001 - the library's own, written with its version checked
    while not future.wait(timeout=min(0.5, max(0.0, deadline - time.monotonic()))):
        if time.monotonic() >= deadline:
            raise RetryError("While sending: the records were not confirmed in time.")
        if split.happened:
            raise ConfigurationError(
                f"The broker takes no batch of {BATCH_BYTES} bytes for topic {batch.native.topic_partition.topic}. "
                "Raise max.message.bytes of the topic to its default of 1048588."
            )
    offset, _, error_of = future.value
    topic = batch.native.topic_partition.topic
    return _checked(offset, error_of, asker and asker._replace(topics=[topic]))


def _checked(offset: int, error_of: Callable[[int], Exception] | None, asker: Asker | None) -> int:
    if error_of is not None:
        raise translated(error_of(0), "sending", asker)
    if offset < 0:
        raise RetryError("The records are written, but the broker did not say where: a repeated answer was lost.")
    return offset
