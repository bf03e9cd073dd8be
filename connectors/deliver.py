"""Deliveries: a case handed to an authority leaves the bus into that authority's system.

At least once to the outside, with an idempotency key: the effect first, then the commit, so a crash between them repeats a
delivery and the receiver drops it. What fails waits for longer each time and blocks nobody but what the same receiver is told
of the same case; what fails too often, or is refused for good, becomes a dead letter. So does at once a delivery for an
authority without a receiver here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import structlog

from bus import crash
from bus.errors import BusError
from bus.ports import Client, Message, Record, Written
from bus.pulse import Pulse
from bus.topics import DEADLETTERS, DELIVERIES, EVENTS, RETRIES
from bus.transaction import POLL_SECONDS, Loop
from connectors import deadletters, receipts, waiting
from connectors.receivers import Pauses, Receiver, receivers
from connectors.source import LaterError, RefusedError
from connectors.waiting import Waiting
from schemas.codec import CodecError

__all__ = ["Deliverer", "Deliveries", "Pauses", "Receiver", "Sizes", "receivers"]

log = structlog.get_logger(__name__)

TOPICS = (DELIVERIES.name, RETRIES.name)
#: One transaction holds few deliveries: each is an effect in a system that may be slow.
BATCH = 20
#: Seconds after which a transaction begins no further delivery: the process is ended where one lasts a minute.
BUDGET = 15.0
IDLE = 1.0


class Codec(Protocol):
    def complete(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def encode(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> bytes: ...
    def decode_record(self, data: bytes) -> tuple[str, dict[str, Any]]: ...
    def encode_record(self, name: str, value: dict[str, Any]) -> bytes: ...


class Sizes(NamedTuple):
    """Partition counts of the topics that deliveries lead to."""

    letters: int
    events: int


Table = Callable[[frozenset[int]], dict[str, Waiting]]
#: Who takes deliveries now: the same sequence as long as nobody has changed.
Found = Callable[[], Sequence[Receiver]]


class Deliverer:
    """`bus.ports.Processor` over deliveries and retries; its effects are idempotent, so an aborted batch may come again.

    `table` reads what waits in some partitions: the topic is the memory, this object only remembers it.
    """

    def __init__(self, found: Found, codec: Codec, sizes: Sizes, table: Table, pauses: Pauses) -> None:
        self._found = found
        self._receivers = found()
        self._codec = codec
        self._partitions, self._events = sizes
        self._read = table
        self._pauses = pauses
        self._waiting: dict[str, Waiting] = {}
        #: Failures in a row of each receiver, and until when it is left alone (ms).
        self._failures: Counter[str] = Counter()
        self._resting: dict[str, int] = {}

    def assigned(self, partitions: frozenset[int]) -> None:
        self._waiting = self._read(partitions)

    def renew(self) -> bool:
        """Ask who takes deliveries now; what waits for one who changed is tried at once. False where nobody takes any."""
        found, before = self._found(), self._receivers
        if found is not before:
            self._receivers = found
            changed = {one.name for one in found if one not in before}
            for name in changed:
                self._rested(name)
            mine = [one for one in self._waiting.values() if (to := self._receiver(one)) is not None and to.name in changed]
            self._waiting |= {one.id: one._replace(at=0) for one in mine}
        return bool(found)

    def due(self) -> bool:
        """`bus.ports.Timed`."""
        return any(self._at(one) <= _now() for one in self._first_of_each_lane())

    def rest(self) -> float:
        """Seconds until something that waits is due; POLL_SECONDS at most."""
        wanted = min((self._at(one) for one in self._first_of_each_lane()), default=None)
        return POLL_SECONDS if wanted is None else min(max((wanted - _now()) / 1000, 0.05), POLL_SECONDS)

    def process(self, records: Sequence[Record]) -> list[Message]:
        self.renew()  # the files may have changed while these were waited for
        messages: list[Message] = []
        arrived: list[Waiting] = []
        for record in records:
            try:
                one = waiting.of(record, self._codec) if record.value else None
            except CodecError as error:
                messages.append(self._unreadable(record, str(error)))
                continue
            if one is not None and record.topic == DELIVERIES.name:
                arrived.append(one)
            elif one is not None and one.asked:
                self._asked(one)
        end = time.monotonic() + BUDGET
        for one in [*self._due_now(), *arrived]:
            messages += self._one(one, in_time=time.monotonic() < end)
        if messages or arrived:
            crash.point("delivery.after_effect")
        return messages

    def committed(self, written: Sequence[Written]) -> None:
        """What waits was remembered while it was worked on."""

    def aborted(self) -> None:
        """Effects stand; their repetition changes nothing. What waits is read again with the assignment that follows."""

    # -- what waits

    @property
    def waits(self) -> int:
        """How many deliveries."""
        return len(self._waiting)

    def _first_of_each_lane(self) -> Iterable[Waiting]:
        first: dict[tuple[str, str], Waiting] = {}
        for one in self._waiting.values():
            if (known := first.get(one.lane)) is None or one.turn < known.turn:
                first[one.lane] = one
        return first.values()

    def _at(self, one: Waiting) -> int:
        receiver = self._receiver(one)
        return one.at if one.asked or receiver is None else max(one.at, self._resting.get(receiver.name, 0))

    def _due_now(self) -> list[Waiting]:
        """Those that were tried least come first: one that a receiver can never take keeps the others up no longer."""
        due = [one for one in self._first_of_each_lane() if self._at(one) <= _now()]
        return sorted(due, key=lambda one: (not one.asked, one.attempts, one.at))[:BATCH]

    def _asked(self, one: Waiting) -> None:
        if one.id in self._waiting:
            self._waiting[one.id] = one

    def _receiver(self, one: Waiting) -> Receiver | None:
        return next((receiver for receiver in self._receivers if receiver.takes(one.delivery["to"])), None)

    # -- what becomes of one

    def _one(self, one: Waiting, *, in_time: bool) -> list[Message]:
        receiver = self._receiver(one)
        if receiver is None:
            text = f"No system here takes deliveries for {one.delivery['to']}. Add deliver: to its connector."
            return self._ended(one, self._letter(one, "no_receiver", text))
        if one.id not in self._waiting and (earlier := self._earlier(one)) is not None:
            return self._parked(one._replace(reason=f"It waits behind {earlier.id} of the same case."))
        if not in_time or self._at(one) > _now():
            return self._parked(one._replace(reason=one.reason or f"{receiver.name} is busy, or did not answer others."))
        return self._delivered(one, receiver)

    def _earlier(self, one: Waiting) -> Waiting | None:
        return next((other for other in self._waiting.values() if other.lane == one.lane and other.turn < one.turn), None)

    def _delivered(self, one: Waiting, receiver: Receiver) -> list[Message]:
        try:
            receipt = receiver.target.deliver(one.delivery)
        except BusError as error:
            return self._failed(one, receiver, error)
        except Exception as error:
            log.exception("delivery failed", **_about(one, receiver))  # one receiver's fault must not stop the others
            return self._failed(one, receiver, BusError(f"{type(error).__name__}: {error}"))
        self._rested(receiver.name)
        log.info("delivered", **_about(one, receiver), place=receipt.place, repeated=receipt.repeated)
        signed = receipt.signed_at is not None and one.delivery["hand_over"] is not None
        events = [receipts.message(one.delivery, receipt, self._codec, self._events, _now())] if signed else []
        return self._ended(one, *receipt.messages, *events)

    def _rested(self, name: str) -> None:
        self._failures.pop(name, None)
        self._resting.pop(name, None)

    def _failed(self, one: Waiting, receiver: Receiver, error: BusError) -> list[Message]:
        attempts = one.attempts + 1
        if isinstance(error, RefusedError):
            return self._ended(one, self._letter(one, "delivery_refused", f"{receiver.name} refused it: {error}"))
        if attempts >= receiver.attempts:
            text = f"{receiver.name} did not take it in {attempts} attempts: {error} Repair the receiver, then deliver it again."
            return self._ended(one, self._letter(one, "not_delivered", text))
        log.warning("delivery waits", **_about(one, receiver), attempts=attempts, reason=str(error))
        self._failures[receiver.name] += 1
        told = error.seconds if isinstance(error, LaterError) else 0.0
        self._resting[receiver.name] = _later(max(told, self._pauses.after(self._failures[receiver.name])))
        at = _later(max(told, self._pauses.after(attempts)))
        return self._parked(one._replace(attempts=attempts, at=at, reason=str(error), asked=False))

    def _parked(self, one: Waiting) -> list[Message]:
        """Written once: until it is tried again nothing of it changes."""
        known = self._waiting.get(one.id)
        self._waiting[one.id] = one
        return [] if known == one else [one.message(_now())]

    def _ended(self, one: Waiting, *messages: Message) -> list[Message]:
        waited = self._waiting.pop(one.id, None) is not None
        return [*messages, one.done(_now())] if waited else [*messages]

    def _letter(self, one: Waiting, reason: str, text: str) -> Message:
        letter = deadletters.of_delivery(one.record, one.delivery, reason, text)
        return deadletters.message(letter, self._codec, self._partitions, _now())

    def _unreadable(self, record: Record, text: str) -> Message:
        letter = deadletters.of_delivery(record, {}, "unreadable_delivery", text)
        return deadletters.message(letter, self._codec, self._partitions, _now())


def _about(one: Waiting, receiver: Receiver) -> dict[str, Any]:
    """What a line of the log says of a delivery: where it lies in its topic, too."""
    place = {"topic": one.record.topic, "partition": one.record.partition, "offset": one.record.offset}
    return {"receiver": receiver.name, "case": one.delivery["case"], "delivery": one.id, **place}


def _later(seconds: float) -> int:
    return _now() + round(seconds * 1000)


def _now() -> int:
    return time.time_ns() // 1_000_000


class Deliveries:
    """The service: a group of its own over deliveries and retries. `found` may be a `Roster.found`, asked before each step.

    Several members, each with a number of its own, share the partitions.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what it works with, each once
        self,
        found: Sequence[Receiver] | Found,
        client: Client,
        codec: Codec,
        group: str,
        pauses: Pauses | None = None,
        member: int = 0,
    ) -> None:
        ask = found if callable(found) else lambda: found
        sizes = Sizes(len(client.ends([DEADLETTERS.name])), len(client.ends([EVENTS.name])))
        self._deliverer = Deliverer(ask, codec, sizes, lambda numbers: waiting.read(client, codec, numbers), pauses or Pauses())
        self._loop = Loop(
            client=client,
            group=group,
            topics=TOPICS,
            processor=self._deliverer,
            transactional_id=f"{group}-{member + 1}",
            max_batch=BATCH,
            name="delivery",
        )

    def pulse(self) -> Pulse:
        """As the loop's; with how many deliveries wait for their time. From any thread."""
        pulse = self._loop.pulse()
        return pulse._replace(figures={**pulse.figures, "waiting": self._deliverer.waits})

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set, or until nobody takes deliveries any more."""
        self._until(stop, lambda _: False)

    def run_to_end(self, stop: threading.Event) -> None:
        """Deliver what there is; what must wait for its time stays where it is."""
        self._until(stop, lambda done: bool(self._loop.partitions) and not done and not self._deliverer.due())

    def _until(self, stop: threading.Event, ended: Callable[[int], bool]) -> None:
        assigned = False
        try:
            while not stop.is_set() and self._deliverer.renew():
                failures = self._loop.failures
                done = self._loop.step(self._deliverer.rest())
                if assigned and self._loop.failures <= failures and ended(done):
                    return
                assigned = bool(self._loop.partitions)
                if self._loop.failures:
                    stop.wait(IDLE)
        finally:
            self._loop.close()
