"""Events published at an even rate, and the moments at which they come out: for `bench.compare`.

Publisher and reader live in one process, so both moments are of one clock. The reader is read-committed: an event has come
out when whoever relies on the journal may see it.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from confluent_kafka import Consumer, Producer, TopicPartition

from bus.ports import Client, Message
from casebus.wiring import patiently
from schemas.codec import default

CODEC = default()
T = TypeVar("T")
PATIENCE = 120.0  # seconds for a batch, a start, an answer, and what a kill leaves behind
QUIET = 0.5  # seconds without a record after which nothing more is expected


class Arrival(NamedTuple):
    """When a record was read, by the monotonic clock, and its value."""

    at: float
    value: bytes


class Steady(threading.Thread):
    """Publishes messages one by one, `rate` a second, and remembers when each was handed over."""

    def __init__(self, bootstrap: str, messages: Sequence[Message], rate: float) -> None:
        super().__init__(name="steady", daemon=True)
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "enable.idempotence": True, "log_level": 3})
        self._messages, self._rate = messages, rate
        self.published: list[float] = []

    def run(self) -> None:
        start = time.monotonic()
        for number, message in enumerate(self._messages):
            wait = start + number / self._rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self.published.append(time.monotonic())
            self._producer.produce(
                message.topic, message.value, message.key, partition=message.partition, timestamp=message.timestamp
            )
            self._producer.poll(0)
        self._producer.flush()


class Watch(threading.Thread):
    """Reads what is committed to a topic from now on."""

    def __init__(self, bootstrap: str, client: Client, topic: str) -> None:
        super().__init__(name="watch", daemon=True)
        settings = {"group.id": "bench-watch", "enable.auto.commit": False, "isolation.level": "read_committed"}
        self._consumer = Consumer({"bootstrap.servers": bootstrap, **settings})
        ends = answered(lambda: client.ends([topic]))
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in ends.items()])
        self._ended = threading.Event()
        self.arrivals: list[Arrival] = []

    def run(self) -> None:
        while not self._ended.is_set():
            found: Any = self._consumer.poll(0.1)
            if found is not None and found.error() is None:
                self.arrivals.append(Arrival(time.monotonic(), found.value()))
        self._consumer.close()

    def settled(self) -> list[Arrival]:
        """All that came, when nothing has come for a while; ends the reading."""
        last = -1
        while len(self.arrivals) > last:
            last = len(self.arrivals)
            time.sleep(QUIET)
        self._ended.set()
        self.join()
        return self.arrivals


class Latency(NamedTuple):
    """From published to read in the output, in milliseconds."""

    p50: float
    p99: float


def latency(published: Mapping[str, float], came: Mapping[str, float]) -> Latency:
    """Of the events in `published`. Raises KeyError where one never came."""
    waits = sorted(1000 * (came[one] - at) for one, at in published.items())
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return Latency(cuts[49], cuts[98])


def resumed(arrivals: Sequence[float], killed: float) -> float:
    """Seconds from a kill until the output grew again: the end of its longest silence.

    What was committed just before the kill may still come after it, so the first arrival after it is no answer. Raises
    ValueError where nothing came any more.
    """
    after = [killed, *(at for at in arrivals if at > killed)]
    if len(after) == 1:
        raise ValueError("nothing came out any more after the kill")
    silences = [(later - earlier, later) for earlier, later in pairwise(after)]
    return max(silences)[1] - killed


def first_of(arrivals: Iterable[Arrival]) -> dict[str, float]:
    """The moment when each event came out first."""
    came: dict[str, float] = {}
    for one in arrivals:
        if name := event_of(one.value):
            came.setdefault(name, one.at)
    return came


def event_of(value: bytes) -> str | None:
    """The id of the event that an output record is of; None for a journal's entries about other things."""
    name, _, _ = CODEC.written(value)
    if name != "JournalEntry":
        return CODEC.decode(value).id
    entry = CODEC.decode_record(value)[1]
    return str(entry["event_id"]) if entry["event"] is not None else None


class Count(NamedTuple):
    """What the output holds of the events that were published."""

    results: int
    lost: int
    twice: int


def counted(client: Client, topic: str, wanted: Iterable[str]) -> Count:
    """Read all of an output topic. `twice` counts those that stand in it more often than once."""
    records = (record for batch in client.read(client.begins([topic])) for record in batch)
    return compared(Counter(name for record in records if (name := event_of(record.value or b""))), wanted)


def compared(found: Mapping[str, int], wanted: Iterable[str]) -> Count:
    lost = sum(name not in found for name in wanted)
    return Count(sum(found.values()), lost, sum(times > 1 for times in found.values()))


def until(holds: Callable[[], bool], patience: float, what: str, check: Callable[[], None]) -> None:
    """Look each 20 ms. Raises SystemExit where it has not come true in time."""
    deadline = time.monotonic() + patience
    while not holds():
        check()
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited {patience:g} s for {what}: it did not come.")
        time.sleep(0.02)


def answered(ask: Callable[[], T]) -> T:
    """On a busy machine a broker takes long to make topics."""
    return patiently(ask, PATIENCE)
