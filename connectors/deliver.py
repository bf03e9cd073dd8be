"""Deliveries: a case handed to an authority leaves the bus into that authority's system.

At least once to the outside, with an idempotency key: the effect first, then the commit, so a crash between them repeats a
delivery and the receiver drops it. What fails is parked in the retry topic with growing pauses and blocks nobody; what fails
for good becomes a dead letter. A delivery for an authority without a receiver here is a dead letter at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol

import structlog

from bus import crash
from bus.errors import BusError, RetryError
from bus.ports import Client, Message, Record, Written
from bus.topics import DEADLETTERS, DELIVERIES, EVENTS, RETRIES
from bus.transaction import Loop
from connectors import deadletters, receipts
from connectors.config import Connector
from connectors.source import Target
from schemas.codec import CodecError

log = structlog.get_logger(__name__)

TOPICS = (DELIVERIES.name, RETRIES.name)
#: One transaction holds few deliveries: each is an effect in a system that may be slow.
BATCH = 20
IDLE = 1.0


class Codec(Protocol):
    def complete(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def encode(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> bytes: ...
    def decode_record(self, data: bytes) -> tuple[str, dict[str, Any]]: ...
    def encode_record(self, name: str, value: dict[str, Any]) -> bytes: ...


class Receiver(NamedTuple):
    """A system that takes deliveries for some authorities."""

    name: str
    authorities: Sequence[str]
    target: Target
    attempts: int

    def takes(self, authority: str) -> bool:
        return any(fnmatchcase(authority, pattern) for pattern in self.authorities)


class Pauses(NamedTuple):
    """Seconds between attempts: doubled each time, up to the longest."""

    first: float = 2.0
    longest: float = 600.0

    def after(self, attempts: int) -> float:
        return float(min(self.first * 2 ** min(attempts - 1, 30), self.longest))


def receivers(connectors: Sequence[Connector]) -> list[Receiver]:
    """Those of a deployment's systems that take deliveries. Raises ProblemsError."""
    found = []
    for connector in connectors:
        wanted, target = connector.settings.deliver, connector.target()
        if wanted is not None and target is not None:
            found.append(Receiver(connector.name, wanted.to, target, wanted.attempts))
    return found


class Sizes(NamedTuple):
    """Partition counts of the topics that deliveries lead to."""

    letters: int
    events: int


class Due(NamedTuple):
    """What the retry topic says of a delivery: how often it was tried, and when it is due again (ms since 1970 UTC)."""

    attempts: int
    at: int

    @classmethod
    def of(cls, record: Record) -> Due:
        found = dict(record.headers)
        return cls(int(found.get("attempts", b"0")), int(found.get("due", b"0")))

    def headers(self) -> tuple[tuple[str, bytes], ...]:
        return (("type", b"Delivery"), ("attempts", str(self.attempts).encode()), ("due", str(self.at).encode()))


class Deliverer:
    """`bus.ports.Processor` over deliveries and retries; its effects are idempotent, so an aborted batch may come again."""

    def __init__(self, found: Sequence[Receiver], codec: Codec, sizes: Sizes, pauses: Pauses | None = None) -> None:
        self._receivers = found
        self._codec = codec
        self._partitions, self._events = sizes
        self._pauses = pauses or Pauses()
        #: Deliveries tried in the last batch: 0 says that everything there is waits for its time.
        self.tried = 0

    def assigned(self, partitions: frozenset[int]) -> None:
        """No state is held."""

    def process(self, records: Sequence[Record]) -> list[Message]:
        self.tried = 0
        messages = [message for record in records if (message := self._one(record)) is not None]
        if self.tried:
            crash.point("delivery.after_effect")
        return messages

    def committed(self, written: Sequence[Written]) -> None:
        """Nothing is held back."""

    def aborted(self) -> None:
        """Effects stand; their repetition changes nothing."""

    def _one(self, record: Record) -> Message | None:
        due = Due.of(record)
        if due.at > _now():
            return self._parked(record, due)
        self.tried += 1
        try:
            delivery = self._codec.decode_record(record.value or b"")[1]
        except CodecError as error:
            return self._letter(record, {}, "unreadable_delivery", str(error))
        receiver = next((one for one in self._receivers if one.takes(delivery["to"])), None)
        if receiver is None:
            text = f"No system here takes deliveries for {delivery['to']}. Add deliver: to its connector."
            return self._letter(record, delivery, "no_receiver", text)
        return self._delivered(record, delivery, receiver, due)

    def _delivered(self, record: Record, delivery: dict[str, Any], receiver: Receiver, due: Due) -> Message | None:
        try:
            receipt = receiver.target.deliver(delivery)
        except BusError as error:
            return self._failed(record, delivery, receiver, due, error)
        except Exception as error:
            log.exception("delivery failed", receiver=receiver.name)  # one receiver's fault must not stop the others
            return self._failed(record, delivery, receiver, due, RetryError(f"{type(error).__name__}: {error}"))
        log.info("delivered", receiver=receiver.name, case=delivery["case"], place=receipt.place, repeated=receipt.repeated)
        if receipt.signed_at is None or delivery["hand_over"] is None:
            return None
        return receipts.message(delivery, receipt, self._codec, self._events, _now())

    def _failed(self, record: Record, delivery: dict[str, Any], receiver: Receiver, due: Due, error: BusError) -> Message:
        attempts = due.attempts + 1
        if attempts >= receiver.attempts:
            text = f"{receiver.name} did not take it in {attempts} attempts: {error} Repair the receiver, then deliver it again."
            return self._letter(record, delivery, "not_delivered", text)
        log.warning("delivery parked", receiver=receiver.name, case=delivery["case"], attempts=attempts, reason=str(error))
        return self._parked(record, Due(attempts, _now() + round(self._pauses.after(attempts) * 1000)))

    def _parked(self, record: Record, due: Due) -> Message:
        return Message(RETRIES.name, record.partition, record.key, record.value, _now(), due.headers())

    def _letter(self, record: Record, delivery: dict[str, Any], reason: str, text: str) -> Message:
        letter = deadletters.of_delivery(record, delivery, reason, text)
        return deadletters.message(letter, self._codec, self._partitions, _now())


def _now() -> int:
    return time.time_ns() // 1_000_000


class Deliveries:
    """The service: a group of its own over deliveries and retries."""

    def __init__(self, found: Sequence[Receiver], client: Client, codec: Codec, group: str, pauses: Pauses | None = None) -> None:
        sizes = Sizes(len(client.ends([DEADLETTERS.name])), len(client.ends([EVENTS.name])))
        self._deliverer = Deliverer(found, codec, sizes, pauses)
        self._loop = Loop(
            client=client,
            group=group,
            topics=TOPICS,
            processor=self._deliverer,
            transactional_id=f"{group}-1",
            max_batch=BATCH,
            name="delivery",
        )

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set."""
        self._until(stop, lambda _: False)

    def run_to_end(self, stop: threading.Event) -> None:
        """Deliver what there is; what must wait for its time stays parked."""
        self._until(stop, lambda done: bool(self._loop.partitions) and not (done and self._deliverer.tried))

    def _until(self, stop: threading.Event, ended: Callable[[int], bool]) -> None:
        assigned = False
        try:
            while not stop.is_set():
                failures = self._loop.failures
                done = self._loop.step()
                if assigned and self._loop.failures <= failures and ended(done):
                    return
                assigned = bool(self._loop.partitions)
                self._pause(stop, done)
        finally:
            self._loop.close()

    def _pause(self, stop: threading.Event, done: int) -> None:
        """Where all that came still waits for its time, looking again at once would only turn in a circle."""
        if self._loop.failures or (done and not self._deliverer.tried):
            stop.wait(IDLE)
