"""A made-up city that arrives little by little in several departments' folders, and the processes that carry it: for storms.

Three brokers, several workers for the connectors, several routers, two monitors with a view each. Whoever asks for a storm
owns the brokers; the services are the same commands that people run, started again when they end (`casebus.crew`).
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Self

from bus import connect
from bus.broker import Broker
from bus.errors import BusError
from bus.ports import Client, Message
from bus.settings import KafkaSettings
from bus.topics import EVENTS, JOURNAL, standard
from casebus.crew import CASEBUS, Crew

EXAMPLE = Path(__file__).parents[2] / "examples" / "generated-city"
FEEDS = 3  # connectors
PARTITIONS = 4
TICK = 0.5  # seconds between two files of a department
LOOK = 0.2  # seconds between two looks at how far the journal is
SMALL = 400 << 20  # bytes of the small disk, beside what the cases need
A_CASE = 48 << 10  # bytes of a case in two routers' stores and a view, with room
SESSION = 3_000  # milliseconds after which a silent member is replaced


class Plan(NamedTuple):
    """What is to happen. `seconds` of storm; the whole city arrives within them."""

    seconds: float
    client: str
    seed: int
    cases: int


class Services(NamedTuple):
    """Names of what may be killed."""

    routers: tuple[str, ...] = ("route-0", "route-1")
    workers: tuple[str, ...] = ("connect-0", "connect-1")
    monitors: tuple[str, ...] = ("monitor", "second-monitor")

    @property
    def all(self) -> tuple[str, ...]:
        return self.routers + self.workers + self.monitors


SERVICES = Services()


class Stormy:
    """`with Stormy(folder, plan, generator) as world:` everything runs, and the city begins to arrive."""

    def __init__(self, place: Path, plan: Plan, generator: Path, *, small_disk: bool = False) -> None:
        self.plan = plan
        self.files, self.folder, self.second = place / "city", place / "run", place / "second"
        self.files.mkdir(parents=True)
        _generate(generator, self.files, plan)
        _deployment(self.folder, self.files, plan.client)
        self.data = self.folder / ".casebus"
        if small_disk:
            _small_disk(self.data, place / "kafka", SMALL + plan.cases * A_CASE)
        self.broker = Broker(self.data / "kafka", nodes=3)
        self.said: list[str] = []
        self._over = threading.Event()
        self._feeder = threading.Thread(target=self._feed, name="feeder", daemon=True)

    def __enter__(self) -> Self:
        os.environ["CASEBUS_CITY"] = str(self.files)
        self.broker.start()
        self.client = self.connected()
        self.client.create(standard(PARTITIONS))
        _deployment(self.second, self.files, self.plan.client, brokers=self.broker.bootstrap)
        self.crew = Crew(self.data / "logs", self.said.append)
        for name in SERVICES.all:
            self._hire(name)
        self._feeder.start()
        self._until_all_works()
        return self

    def _until_all_works(self) -> None:
        """The storm begins when the first cases have gone the whole way."""
        deadline = time.monotonic() + 300
        while not sum(self.journal().values()):
            assert time.monotonic() < deadline, f"nothing came through; {self.said}"
            self.tend()
            time.sleep(LOOK)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.crew.dismiss_all()
        self.client.close()
        self.broker.stop()

    def _hire(self, name: str) -> None:
        service, _, number = name.partition("-")
        if name == "second-monitor":
            self.crew.hire(name, "monitor", str(self.second))
        elif service == "route":
            self.crew.hire(name, "route", str(self.folder), "--member", number)
        else:
            self.crew.hire(name, service, str(self.folder))

    def connected(self) -> Client:
        return connect(KafkaSettings(partitions=PARTITIONS, client=self.plan.client).at(self.broker.bootstrap))

    def _feed(self) -> None:
        """The lines of the city as small files in the folders, evenly over the time of the storm, all by its end."""
        waiting = _split((self.files / "events.jsonl").read_bytes().splitlines(keepends=True))
        rounds = max(1, int(self.plan.seconds * 0.9 / TICK))
        share = [-(-len(lines) // rounds) for lines in waiting]
        for number in itertools.count():
            if not any(waiting):
                return
            for feed, lines in enumerate(waiting):
                _drop(self.files / f"feed-{feed}", number, [lines.popleft() for _ in range(min(share[feed], len(lines)))])
            self._over.wait(0 if self._over.is_set() else TICK)

    def tend(self) -> None:
        """To be called every moment or so: what has ended is started again."""
        self.crew.tend()

    def pid(self, name: str) -> int | None:
        return self.crew.pid(name)

    def journal(self) -> dict[int, int]:
        """The end of each partition of the journal; empty while Kafka cannot say."""
        try:
            return {place.number: end for place, end in self.client.ends([JOURNAL.name]).items()}
        except BusError:
            return {}

    def poison(self, payload: bytes, number: int) -> None:
        """A stranger writes what no connector of ours would."""
        with closing(self.connected()) as client, closing(client.producer(f"stranger-{time.time_ns()}")) as producer:
            producer.begin()
            producer.send([Message(EVENTS.name, number, payload[:8], payload, time.time_ns() // 1_000_000, ())])
            producer.commit()

    def settle(self) -> None:
        """Let the rest arrive, end the services, and process what there is to its end, in both views."""
        self._over.set()
        self._feeder.join()
        self.crew.dismiss_all()
        _run("up", str(self.folder), "--exit")
        _run("monitor", str(self.second), "--rebuild")

    def audit(self) -> list[Any]:
        done = _run("audit", str(self.folder), "--json", codes=(0, 1))
        return list(json.loads(done.stdout)["differences"])


def _run(*arguments: str, codes: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*CASEBUS, *arguments], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode in codes, f"{arguments}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done


def _generate(generator: Path, files: Path, plan: Plan) -> None:
    arguments = ["--cases", str(plan.cases), "--seed", str(plan.seed), "--bad", "0", "--out", str(files)]
    subprocess.run([sys.executable, str(generator), *arguments], check=True, capture_output=True)


def _deployment(folder: Path, files: Path, client: str, brokers: str = "embedded") -> None:
    """The example of the generated city, with a connector for each feed."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".casebus", "connectors"))
    (folder / "connectors").mkdir()
    connector = (EXAMPLE / "connectors" / "city.yaml").read_text(encoding="utf-8")
    for feed in range(FEEDS):
        (files / f"feed-{feed}").mkdir(exist_ok=True)
        text = connector.replace("events.jsonl", f"feed-{feed}/*.jsonl").replace("system: city", f"system: city-{feed}")
        text = text.replace("  format: jsonl\n", "  format: jsonl\n  settle: 0\n") + "\nbatch: 50\n"
        (folder / "connectors" / f"city-{feed}.yaml").write_text(text, encoding="utf-8")
    head = (folder / "casebus.yaml").read_text(encoding="utf-8")
    kafka = f"  nodes: 3\n  client: {client}\n  session_timeout_ms: {SESSION}\n  transaction_timeout_ms: {2 * SESSION}\n"
    head = head.replace("brokers: embedded", f"brokers: {brokers}").replace(
        "  partitions: 4\n", f"  partitions: {PARTITIONS}\n{kafka}"
    )
    (folder / "casebus.yaml").write_text(head, encoding="utf-8")


def _small_disk(data: Path, kafka: Path, size: int) -> None:
    """The services' own data on a disk that can be filled; Kafka's not: its brokers would all stop for good."""
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "storm", str(data)], check=True)
    kafka.mkdir()
    (data / "kafka").symlink_to(kafka)


def _split(lines: Sequence[bytes]) -> list[deque[bytes]]:
    """One queue for each feed; a repeated line goes where it went before."""
    queues: list[deque[bytes]] = [deque() for _ in range(FEEDS)]
    for line in lines:
        queues[zlib.crc32(json.loads(line)["event_id"].encode()) % FEEDS].append(line)
    return queues


def _drop(folder: Path, number: int, lines: Sequence[bytes]) -> None:
    """As a careful department does: written under another name, then renamed."""
    if lines:
        temporary = folder / f"{number:06}.tmp"
        temporary.write_bytes(b"".join(lines))
        temporary.rename(folder / f"{number:06}.jsonl")
