"""A transactional producer on confluent-kafka.

Every call that waits for a coordinator is bounded here too: librdkafka 2.14 gives it a time-out and does not keep it
while a group's coordinator is away (github.com/confluentinc/librdkafka/issues/5456 and 5511; one of six deaths of a
coordinator in `tests/broker/test_traps.py`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bus.bounded import Bounded
from bus.confluent_errors import in_our_words, translated
from bus.errors import BusError, FencedError, RetryError
from bus.ports import Membership, Message, Partition, Written
from bus.refused import Asker

ABORT_SECONDS = 5.0
GRACE_SECONDS = 1.0  # beyond the time-out the library was given: it mostly keeps it, and then says more


class ConfluentTransactions:
    """`bus.ports.Producer` on confluent-kafka. `seconds` bounds what is waited for from the first record to the commit."""

    def __init__(self, native: Any, seconds: float, asker: Asker | None = None) -> None:
        self._native = native
        self.asker = asker
        self._seconds = seconds
        self._messages: dict[tuple[str, int], list[Message]] = {}
        self._offsets: dict[tuple[str, int], list[int]] = {}
        self._errors: list[BusError] = []
        self._broken = False
        self._deadline = 0.0
        self._bounded: Bounded[None] = Bounded()
        try:
            self._wait("taking the transactional id", lambda: self._native.init_transactions(seconds), seconds)
        except BusError:
            self.close()
            raise

    def begin(self) -> None:
        self._forget()
        with self._once("beginning a transaction"):
            self._native.begin_transaction()
        self._deadline = 0.0

    def send(self, messages: Iterable[Message]) -> None:
        with self._once("sending"):
            self._left()
            for message in messages:
                self._messages.setdefault(message[:2], []).append(message)
                self._produce(message)
            self._native.poll(0)

    def offsets(self, positions: Mapping[Partition, int], membership: Membership) -> None:
        from confluent_kafka import TopicPartition

        native = [TopicPartition(*place, offset) for place, offset in positions.items()]
        self.asker = self.asker and self.asker._replace(group=membership.group)
        with self._once("committing offsets"):
            if not membership.member:
                raise FencedError(f"This process is no member of the group {membership.group} any more.")
            self._settle()
            left, group = self._left(), membership.native
            self._wait("committing offsets", lambda: self._native.send_offsets_to_transaction(native, group, left), left)

    def commit(self) -> list[Written]:
        with self._once("committing"):
            written = self._settle()
            left = self._left()
            self._wait("committing", lambda: self._native.commit_transaction(left), left)
        self._forget()
        return written

    def abort(self) -> None:
        """After an error nothing is asked of the library: with a dead coordinator its abort hangs in spite of its time-out.

        Whoever takes the id next, or time, ends the transaction. Else, what is queued goes out first: to abort before
        the broker has heard of the transaction is fatal in librdkafka 2.16.
        """
        if self._broken:
            return
        with self._once("aborting"):
            self._native.flush(1)
            self._wait("aborting", lambda: self._native.abort_transaction(ABORT_SECONDS), ABORT_SECONDS)
        self._forget()

    def close(self) -> None:
        """Nothing is flushed: what is not committed does not count. The library frees what nobody refers to any more."""
        self._broken = True
        self._bounded.close()
        with contextlib.suppress(Exception):
            self._native.purge()
            self._native.flush(0)
        self._native = None

    def _wait(self, doing: str, call: Callable[[], None], seconds: float) -> None:
        """One call that the library was given so many seconds for. It refers to `self` alone, for `close` to free the rest."""

        def ask() -> None:
            with in_our_words(doing, self.asker):  # here already: a fatal error is no exception and would end the thread
                call()

        try:
            self._bounded.call(ask, seconds + GRACE_SECONDS)
        except TimeoutError:
            raise RetryError(f"While {doing}: librdkafka did not come back within {seconds:.1f} s.") from None

    def _left(self) -> float:
        """Seconds left; the clock starts with the first call that makes the broker open the transaction."""
        self._deadline = self._deadline or time.monotonic() + self._seconds
        return max(0.0, self._deadline - time.monotonic())

    def _once(self, doing: str) -> _Once:
        if self._broken:
            raise RetryError("This producer has failed. Make a new one.")
        return _Once(self, doing)

    def fail(self) -> None:
        """After any error nothing but `close`: the port promises no more, whatever the library could."""
        self._broken = True

    def _produce(self, message: Message) -> None:
        topic, partition, key, value, timestamp, headers = message
        while True:
            try:
                self._native.produce(topic, value, key, partition, self._delivered, timestamp=timestamp, headers=list(headers))
            except BufferError:  # its queue is full: let it send
                self._native.poll(0.1)
            else:
                return

    def _delivered(self, error: Any, message: Any) -> None:
        """Called by the library for each message, in their order within a partition."""
        if error is not None:
            self._errors.append(
                translated(error, f"sending to {message.topic()}", self.asker and self.asker._replace(topics=[message.topic()]))
            )
        else:
            self._offsets.setdefault((message.topic(), message.partition()), []).append(message.offset())

    def _settle(self) -> list[Written]:
        """Wait until every message is known to be written. Returns them with their offsets, by partition."""
        while self._native.flush(0.5):
            if not self._left():
                raise RetryError("While sending: the records were not confirmed in time.")
        if self._errors:
            raise self._errors[0]
        return [
            Written(message, offset)
            for place, messages in self._messages.items()
            for message, offset in zip(messages, self._offsets.get(place, ()), strict=True)
        ]

    def _forget(self) -> None:
        self._messages, self._offsets, self._errors = {}, {}, []


class _Once(in_our_words):
    """One call on a producer: if it fails, the producer has failed."""

    def __init__(self, producer: ConfluentTransactions, doing: str) -> None:
        super().__init__(doing, producer.asker)
        self._producer = producer

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self._producer.fail()
        super().__exit__(kind, error, trace)
