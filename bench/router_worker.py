"""One process that `bench.router` measures: the router, or the plain loop. Ends at SIGTERM, with its figures as JSON.

    python -P -m bench.router_worker plain|router --bootstrap HOST:PORT [--client confluent] [--folder STORES] [--member 2]

Both are processors of `bus.transaction.Loop`, exactly once; the plain loop commits each 500 records, the router as in service.

- `plain` does the least that routing can be: decode an Avro event, update the case's state in a dictionary, write the state
  and one Avro record for each event. Nothing is on disk but in Kafka.
- `router` is the whole: journal with its hash chain, ledger, fold, decisions, deliveries, dead letters, a store on disk.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import logging
import pstats
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog

from bench.router_events import CHANGELOG, CODEC, OUT, PARTITIONS
from bus import connect
from bus.collector import calm_collector
from bus.ports import Client, Message, Processor, Record, Written
from bus.settings import KafkaSettings
from bus.store import open_store
from bus.topics import EVENTS
from bus.transaction import Loop
from router.service import AT_ONCE, TOPICS, Router, Settings


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
        """A worker whose transaction failed says so (`Watched.aborted`)."""


class Watched:
    """A processor whose time is measured, from its first records on."""

    def __init__(self, inner: Processor, profile: cProfile.Profile | None) -> None:
        self._inner, self._profile = inner, profile
        self._cpu: float | None = None
        self._spent = self._seconds = 0.0
        self.records = self.aborts = 0

    def assigned(self, partitions: frozenset[int]) -> None:
        start = time.perf_counter()
        self._inner.assigned(partitions)
        say(assigned=len(partitions), seconds=round(time.perf_counter() - start, 3))

    def process(self, records: Sequence[Record]) -> list[Message]:
        if self._cpu is None:
            self._cpu = time.process_time()
        self.records += len(records)
        messages: list[Message] = self._timed(lambda: self._inner.process(records))
        return messages

    def committed(self, written: Sequence[Written]) -> None:
        self._timed(lambda: self._inner.committed(written))
        self._spent = time.process_time() - (self._cpu or 0.0)

    def aborted(self) -> None:
        self.aborts += self.records > 0
        self._inner.aborted()

    def figures(self) -> dict[str, float]:
        """Of one event: processor time of the whole process, and the time inside the processor (`process`, `committed`)."""
        of_one = 1e6 / max(1, self.records)
        return {"records": self.records, "cpu_us": self._spent * of_one, "processor_us": self._seconds * of_one}

    def _timed(self, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        if self._profile:
            self._profile.enable()
        result: Any = work()
        if self._profile:
            self._profile.disable()
        self._seconds += time.perf_counter() - start
        return result


def say(**figures: Any) -> None:
    """One line for the process that measures."""
    print(json.dumps(figures), flush=True)


def peak_mb() -> float:
    """The most memory this process had. (`ru_maxrss` of a child begins with what its parent had.)"""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def made(kind: str, client: Client, folder: Path) -> tuple[Processor, Sequence[str], int]:
    """The processor, what it reads, and how many records it takes in one transaction."""
    if kind == "plain":
        return Plain(), [EVENTS.name], 500
    return Router(client, CODEC, lambda number: open_store(folder / str(number)), Settings(PARTITIONS)), TOPICS, AT_ONCE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("plain", "router"))
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--client", default="kafka-python")
    parser.add_argument("--folder", type=Path, default=Path("state"))
    parser.add_argument("--member", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="where the processor's time goes, to stderr")
    arguments = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    profile = cProfile.Profile(time.thread_time) if arguments.profile else None  # whoever else uses the machine does not count
    work(arguments, profile, stop)
    if profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(35)


def work(arguments: argparse.Namespace, profile: cProfile.Profile | None, stop: threading.Event) -> None:
    client = connect(KafkaSettings(client=arguments.client).at(arguments.bootstrap))
    processor, topics, at_once = made(arguments.kind, client, arguments.folder)
    watched = Watched(processor, profile)
    calm_collector()
    name = f"{arguments.kind}-{arguments.member}"
    loop = Loop(client, arguments.kind, topics, watched, name, at_once, name="bench")
    while not stop.is_set():
        loop.step(1.0)
    say(mb=peak_mb(), aborts=watched.aborts, **watched.figures())
    loop.close()
    if isinstance(processor, Router):
        processor.close()
    client.close()


if __name__ == "__main__":
    main()
