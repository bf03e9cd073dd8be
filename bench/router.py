"""Events a second: the full router beside a plain loop of the same client, on one broker, in one run.

    uv run python -P bench/router.py --events 40000 [--client confluent] [--profile]

The plain loop does the least that routing can be: read an Avro event, update the case's state in memory, write the state
and one Avro record for each event, exactly once. The router keeps journal and hash chain, ledger, fold, decisions, dead
letters, and a store on disk. Both run three times, one after the other in turn; the median counts.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import logging
import pstats
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import structlog

from bus import connect
from bus.broker import Broker
from bus.collector import calm_collector
from bus.partition import partition_of
from bus.ports import Client, Message, Processor, Record, Store, Written
from bus.settings import KafkaSettings
from bus.store import open_store
from bus.topics import EVENTS, Topic, standard
from bus.transaction import Loop
from router.service import TOPICS, Router, Settings
from schemas.codec import default
from schemas.envelope import body_hash, event_id

PARTITIONS = 8
CODEC = default()
MINUTE = 60_000_000
START = 1_740_000_000_000_000
LIFE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Applied", {"channel": "WINDOW", "promised_days": 10}),
    ("Received", {}),
    ("SupplementRequested", {"missing": ["plan"]}),
    ("SupplementReceived", {}),
    ("Accepted", {"promised_days": 10, "statutory_days": 20}),
    ("StepStarted", {"step": "review"}),
    ("ClockPaused", {"pause": "P1", "procedure": "HEARING"}),
    ("ClockResumed", {"pause": "P1"}),
    ("StepCompleted", {"step": "review", "opinion": "PASS"}),
    ("Decided", {"result": "GRANTED"}),
    ("Collected", {}),
)
OUT = Topic("bench.plain.journal", "case")
CHANGELOG = Topic("bench.plain.state", "case", compacted=True)


class Plain:
    """The plain loop, as a processor of the same loop."""

    def __init__(self) -> None:
        self._states: dict[bytes, dict[str, Any]] = {}

    def assigned(self, partitions: frozenset[int]) -> None:
        """Nothing is restored."""

    def process(self, records: Sequence[Record]) -> list[Message]:
        messages = []
        for record in records:
            event = CODEC.decode(record.value or b"")
            key = record.key or b""
            state = self._states.setdefault(key, {"events": 0, "phase": "", "last": 0})
            state["events"] += 1
            state["phase"], state["last"] = event.type, event.occurred_at
            out = CODEC.encode(event.type, event.header, event.body)
            messages.append(Message(OUT.name, record.partition, key, out, record.timestamp))
            messages.append(Message(CHANGELOG.name, record.partition, key, msgspec.msgpack.encode(state), record.timestamp))
        return messages

    def committed(self, written: Sequence[Written]) -> None:
        """The state is in memory."""

    def aborted(self) -> None:
        """Told at the end too; `run` asks the loop whether a transaction failed."""


class Watched:
    """A processor whose time is measured."""

    def __init__(self, inner: Processor, profile: cProfile.Profile | None) -> None:
        self._inner, self._profile = inner, profile
        self.seconds = 0.0
        self.assigned, self.aborted = inner.assigned, inner.aborted

    def process(self, records: Sequence[Record]) -> list[Message]:
        messages: list[Message] = self._timed(lambda: self._inner.process(records))
        return messages

    def committed(self, written: Sequence[Written]) -> None:
        self._timed(lambda: self._inner.committed(written))

    def _timed(self, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        if self._profile:
            self._profile.enable()
        result: Any = work()
        if self._profile:
            self._profile.disable()
        self.seconds += time.perf_counter() - start
        return result


def messages(events: int) -> list[Message]:
    """Lives of cases, interleaved, one event in twenty late."""
    random, made = Random(7), []
    for case in range(-(-events // len(LIFE))):
        begin = random.randrange(events)
        for step, (name, body) in enumerate(LIFE):
            late = random.randrange(40) if random.random() < 0.05 else 0
            made.append((begin + step * 10 + late, case, step, name, body))
    made.sort(key=lambda row: row[:3])
    return [_message(f"city:{case:08d}", step, name, body) for _, case, step, name, body in made[:events]]


def _message(case: str, step: int, name: str, body: dict[str, Any]) -> Message:
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


def fill(client: Client, made: list[Message]) -> None:
    producer = client.producer("bench-fill")
    for start in range(0, len(made), 2000):
        producer.begin()
        producer.send(made[start : start + 2000])
        producer.commit()
    producer.close()


def run(client: Client, name: str, topics: Sequence[str], watched: Watched, events: int) -> dict[str, float]:
    """One member reads everything from the start; the clock runs from its first records to its last commit."""
    loop = Loop(client, name, topics, watched, name, 500, name="bench")
    done = 0
    while not loop.partitions:
        loop.step()
    start, cpu = time.perf_counter(), time.process_time()
    while done < events:
        done += loop.step()
        if loop.failures:
            raise RuntimeError("A transaction failed: the figures would mean nothing. Run it again.")
    seconds, spent = time.perf_counter() - start, time.process_time() - cpu
    loop.close()
    return {"events_a_second": done / seconds, "cpu_us": spent / done * 1e6, "processor_us": watched.seconds / done * 1e6}


def measure(arguments: argparse.Namespace, made: list[Message], profile: cProfile.Profile | None) -> dict[str, dict[str, float]]:
    """A new broker each round, because a router begins with what its changelogs hold."""
    found: dict[str, list[dict[str, float]]] = {"plain": [], "router": []}
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder, Broker(Path(folder) / "kafka") as broker:
            client = connect(KafkaSettings(client=arguments.client).at(broker.bootstrap))
            client.create([*standard(PARTITIONS), OUT.sized(PARTITIONS), CHANGELOG.sized(PARTITIONS)])
            fill(client, made)
            found["plain"].append(run(client, "plain", [EVENTS.name], Watched(Plain(), None), len(made)))
            router = Router(client, CODEC, opener(Path(folder)), Settings(PARTITIONS))
            found["router"].append(run(client, "router", TOPICS, Watched(router, profile), len(made)))
            router.close()
            client.close()
    return {name: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for name, runs in found.items()}


def opener(folder: Path) -> Callable[[int], Store]:
    return lambda number: open_store(folder / "state" / str(number))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--client", default="kafka-python")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    profile = cProfile.Profile() if arguments.profile else None
    calm_collector()
    result: dict[str, Any] = {"events": arguments.events, "client": arguments.client}
    result |= measure(arguments, messages(arguments.events), profile)
    result["share_of_the_plain_loop"] = result["router"]["events_a_second"] / result["plain"]["events_a_second"]
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result, indent=1))
    if profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
