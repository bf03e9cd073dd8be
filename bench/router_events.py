"""The events that `bench.router` measures with: lives of cases, interleaved, one event in twenty late."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from bus.partition import partition_of
from bus.ports import Client, Message
from bus.topics import EVENTS, Topic
from schemas.codec import default
from schemas.envelope import body_hash, event_id

PARTITIONS = 8
CODEC = default()
MINUTE = 60_000_000  # microseconds
START = 1_740_000_000_000_000
#: What the plain loop and Quix Streams write.
OUT = Topic("bench.plain.journal", "case")
CHANGELOG = Topic("bench.plain.state", "case", compacted=True)

Life = Sequence[tuple[str, dict[str, Any]]]
#: From the application to the acceptance: after these a case is open, with its clock running.
BEGUN: Life = (
    ("Applied", {"channel": "WINDOW", "promised_days": 10}),
    ("Received", {}),
    ("SupplementRequested", {"missing": ["plan"]}),
    ("SupplementReceived", {}),
    ("Accepted", {"promised_days": 10, "statutory_days": 20}),
)
GOES_ON: Life = (
    ("StepStarted", {"step": "review"}),
    ("ClockPaused", {"pause": "P1", "procedure": "HEARING"}),
    ("ClockResumed", {"pause": "P1"}),
    ("StepCompleted", {"step": "review", "opinion": "PASS"}),
    ("Decided", {"result": "GRANTED"}),
    ("Collected", {}),
)


class Load(NamedTuple):
    """`events` in all; of `open_cases` that the routers know already, or of new ones, from number `first` on."""

    events: int
    open_cases: int = 0
    first: int = 0


def key_of(case: int) -> str:
    return f"city:{case:08d}"


def messages(load: Load) -> list[Message]:
    """In order of publishing. Cases are drawn evenly from all that are open: what a cache holds helps little."""
    random, begun = Random(7), len(BEGUN) if load.open_cases else 0
    life = [*enumerate([*BEGUN, *GOES_ON])][begun:]
    wanted = -(-load.events // len(life))
    new = range(load.first, load.first + wanted)
    cases = random.sample(range(load.open_cases), min(wanted, load.open_cases)) if begun else new
    made = []
    for case in cases:
        begin = random.randrange(load.events)
        for step, (name, body) in life:
            late = random.randrange(40) if random.random() < 0.05 else 0
            made.append((begin + step * 10 + late, case, step, name, body))
    made.sort(key=lambda row: row[:3])
    return [message(key_of(case), step, name, body) for _, case, step, name, body in made[: load.events]]


def message(case: str, step: int, name: str, body: dict[str, Any]) -> Message:
    """One event of a case, an hour after the one before."""
    at = START + step * 60 * MINUTE
    header = {
        "event_id": event_id("hall", "cases", case, name, 1),
        "body_hash": "",
        "case": case,
        "region": "500103",
        "item": "0123-001",
        "authority": "quality@500103",
        "step": step,
        "sequence": step,
        "activity": name,
        "occurred_at": {"at": at, "precision": "SECOND", "zone": "Asia/Shanghai"},
        "received_at": at + MINUTE,
        "source": {"system": "hall", "table": "cases", "key": f"{case}/{step}", "position": str(step)},
    }
    header, body = CODEC.complete(name, header, body)
    header["body_hash"] = body_hash(name, header, body)
    key = case.encode()
    return Message(EVENTS.name, partition_of(key, PARTITIONS), key, CODEC.encode(name, header, body), at // 1000)


def publish(client: Client, made: Sequence[Message]) -> None:
    """All in one transaction: whoever waits for them sees them at one moment. `client` must allow it the time."""
    producer = client.producer("bench-fill")
    producer.begin()
    for start in range(0, len(made), 2000):
        producer.send(made[start : start + 2000])
    producer.commit()
    producer.close()
