"""Read, process, write, exactly once: the loop around a `Processor`.

The rules are those that make kafka-python safe (each one answers a fault seen in a run) and harm no other client:

- work starts only on a rectangular assignment: the same partition numbers of every topic;
- the membership is taken right after the poll, and the offsets go out under it;
- the offsets follow when every message is known to be written (`Producer.offsets` sees to it);
- a revoked partition aborts what is under way;
- after any error nothing is reused: abort, new producer, new consumer, back to what is committed, stores caught up;
- a call that hangs, and a failure that repeats, end the process: a supervisor starts it again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from bus import crash
from bus.errors import BusError, FencedError, RetryError, StuckError
from bus.ports import Client, Consumer, Partition, Processor, Producer, Record, Timed
from bus.pulse import Beat, Pulse
from bus.watchdog import Watchdog

log = structlog.get_logger(__name__)

_UNASSIGNED = "No partitions are assigned: it has just begun, or there are more members than partitions."
POLL_SECONDS = 5.0  # a shorter poll can return inside a rebalance and lose the assignment (trap 8)


class Limits(NamedTuple):
    """When to give up. `transaction_seconds` is far above what the clients wait for in all: only a hang lasts so long."""

    transaction_seconds: float = 60.0
    failures: int = 20
    longest_pause: float = 5.0


class Loop:
    """One worker: a consumer, a producer and a processor. `name` is what its crash points and log lines begin with."""

    def __init__(  # noqa: PLR0913, PLR0917  called once in each service, by keyword
        self,
        client: Client,
        group: str,
        topics: Sequence[str],
        processor: Processor,
        transactional_id: str,
        max_batch: int = 500,
        limits: Limits = Limits(),  # noqa: B008  an immutable value
        name: str = "router",
    ) -> None:
        self._client = client
        self._group = group
        self._topics = tuple(topics)
        self._processor = processor
        self._transactional_id = transactional_id
        self._max_batch = max_batch
        self._limits = limits
        self._name = name
        self._watchdog = Watchdog(limits.transaction_seconds)
        self._consumer: Consumer | None = None
        self._producer: Producer | None = None
        self._numbers: frozenset[int] | None = None
        self._failures = 0
        self._beat = Beat(_UNASSIGNED)
        self._beat.count(
            transactions=0, records=0, dropped=0
        )  # there from the start: what begins with its first one has no increase

    @property
    def partitions(self) -> frozenset[int]:
        """The partition numbers it works on; empty before the first assignment and after an error."""
        return self._numbers or frozenset()

    @property
    def failures(self) -> int:
        """Failures in a row; 0 when the last transaction stood."""
        return self._failures

    def pulse(self) -> Pulse:
        """Ready when partitions are assigned and their stores have caught up. From any thread."""
        return self._beat.pulse(partitions=len(self.partitions), failures=self._failures)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, waiting longer after each failure in a row. Raises what `step` raises."""
        try:
            while not stop.is_set():
                self.step()
                if self._failures:
                    stop.wait(min(0.1 * 2**self._failures, self._limits.longest_pause))
        finally:
            self.close()

    def step(self, timeout: float = POLL_SECONDS) -> int:
        """One poll and, when it brought records, one transaction. Returns how many records are done.

        What heals by itself returns 0 and is done again by the next step. Raises StuckError when that has not helped
        too often, ConfigurationError and CorruptionError at once, and whatever the processor raises; in each case
        nothing of the batch stands.
        """
        self._beat.turn()
        try:
            return self._step(timeout)
        except RetryError as error:
            self._recover(error)
            return 0
        except BaseException:
            self._reset()
            self._processor.aborted()
            raise

    def close(self) -> None:
        """Leave the group, so that another member takes over at once."""
        self._reset()
        self._watchdog.close()

    def _step(self, timeout: float) -> int:
        consumer = self._member()
        records = consumer.poll(timeout, self._max_batch)
        if consumer.rebalanced() or self._numbers is None:
            self._assign(consumer)
            return 0
        if records or (isinstance(self._processor, Timed) and self._processor.due()):
            self._transact(consumer, records)
        return len(records)

    def _member(self) -> Consumer:
        """The producer first: that aborts what a killed predecessor left open, whose pending offsets would hold us up."""
        if self._consumer is None:
            with self._watchdog:
                self._writer()
            self._consumer = self._client.consumer(self._group, self._topics)
        return self._consumer

    def _writer(self) -> Producer:
        self._producer = self._producer or self._client.producer(self._transactional_id)
        return self._producer

    def _assign(self, consumer: Consumer) -> None:
        """Start work on what is assigned now. What was just polled comes again, from the committed offsets."""
        self._numbers, self._beat.missing = None, _UNASSIGNED
        numbers = rectangle(consumer.assignment(), self._topics)
        consumer.rewind()
        if numbers is None:
            log.info("assignment is not the same for all topics yet", loop=self._name)
            return
        with self._beat.busy("The stores of its partitions catch up."):
            self._processor.assigned(numbers)
        self._numbers, self._beat.missing = numbers, "" if numbers else _UNASSIGNED
        log.info("assigned", loop=self._name, partitions=sorted(numbers))

    def _transact(self, consumer: Consumer, records: list[Record]) -> None:
        membership = consumer.membership()
        messages = self._processor.process(records)  # hard cases take their time, which is no hang: not under the watchdog
        with self._watchdog:
            producer = self._writer()
            producer.begin()
            producer.send(messages)
            crash.point(f"{self._name}.after_send")
            if consumer.rebalanced():
                raise RevokedError("Partitions were taken away while their records were worked on.")
            producer.offsets(next_offsets(records) or consumer.positions(), membership)  # never none: they prove the membership
            crash.point(f"{self._name}.before_commit")
            written = producer.commit()
        self._processor.committed(written)
        self._failures = 0
        self._beat.count(transactions=1, records=len(records))

    def _recover(self, error: RetryError) -> None:
        """Nothing of the failed work is reused, because no client library says reliably what it was."""
        self._failures += 1
        self._beat.missing = f"Its last transaction did not stand: {error}"
        self._beat.count(dropped=1)
        log.warning("transaction dropped", loop=self._name, failures=self._failures, reason=str(error))
        self._reset(keep_consumer=isinstance(error, RevokedError))
        self._processor.aborted()
        if self._failures >= self._limits.failures:
            raise StuckError(
                f"{self._name}: {self._failures} transactions in a row did not stand. The last reason: {error} "
                "This process ends; start it again."
            ) from error

    def _reset(self, *, keep_consumer: bool = False) -> None:
        producer, self._producer, self._numbers = self._producer, None, None
        with self._watchdog:
            if producer is not None:
                with contextlib.suppress(BusError):
                    producer.abort()
                producer.close()
            if not keep_consumer and self._consumer is not None:
                self._consumer.close()
                self._consumer = None


class RevokedError(FencedError):
    """A rebalance took the partitions: the consumer is sound, the work is not ours any more."""


def rectangle(assignment: frozenset[Partition], topics: Sequence[str]) -> frozenset[int] | None:
    """The partition numbers assigned of every topic alike; None when the topics differ."""
    numbers = frozenset(place.number for place in assignment)
    whole = all(Partition(topic, number) in assignment for topic in topics for number in numbers)
    return numbers if whole else None


def next_offsets(records: Sequence[Record]) -> dict[Partition, int]:
    """Where to read on after these records."""
    return {Partition(record.topic, record.partition): record.offset + 1 for record in records}
