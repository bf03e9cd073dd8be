"""Events a second of the router: beside a plain loop and Quix Streams, in one process and two, with up to a million open cases.

    uv run python -m bench.router [--client confluent] [--quix] [--events 40000] [--profile]
    uv run python -m bench.router --open 10000 100000 1000000 --picture docs/pictures/speed-router.svg

The first races the plain loop, Quix Streams (`--quix`; in an environment of its own, which uv makes) and the router on one
broker over the same events, in turn, three rounds on three brokers; the median counts. What each does is said by
`bench.router_worker` and `bench.router_quix`. The second (`--open`) gives the router stores that know so many open cases
(`bench.router_stores`) and measures it in one process, then in two that share the partitions, each with events of cases
drawn evenly from all of them: the cost of an event must not grow with their number.

All are processes of their own. A rate is what the group commits: from the first commit seen in Kafka (looked for each 50 ms)
to the last, so starting and joining do not count, writing the stores does.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from bench import router_picture, router_stores
from bench.router_events import CHANGELOG, OUT, PARTITIONS, Load, messages, publish
from bus import connect
from bus.broker import Broker
from bus.ports import Client, Message
from bus.settings import KafkaSettings
from bus.topics import EVENTS, standard
from casebus.wiring import patiently

ROOT = Path(__file__).parents[1]
PYTHON = (sys.executable, "-P")
#: uv finds the project by its working directory; the wheels are in its cache after the first time.
QUIX = ("uv", "run", "--quiet", "--frozen", "--isolated", "--no-dev", "--group", "quix", "python", "-P")
PATIENCE = 120.0  # seconds without a commit
Figures = dict[str, float]


class Bench(NamedTuple):
    """A broker, the folder of what belongs to it, and how to measure."""

    client: Client
    bootstrap: str
    folder: Path
    kind: str
    profile: bool


class Worker:
    """A process under measurement, and what it says."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.said: list[Figures] = []
        self._ears = threading.Thread(target=self._listen)
        self._ears.start()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self.said.append(json.loads(line))

    @property
    def partitions(self) -> int:
        """How many it works on."""
        return int(next((one["assigned"] for one in reversed(self.said) if "assigned" in one), 0))

    @property
    def ready(self) -> float:
        """Seconds it took, at most, to open its stores and read on in their changelogs; 0 for one that has none."""
        return max((one["seconds"] for one in self.said if "assigned" in one), default=0.0)

    def check(self) -> None:
        if self._process.poll() is not None:
            raise SystemExit(f"A process under measurement ended by itself (exit {self._process.returncode}): see above.")

    def end(self) -> Figures:
        """Its figures. One that had to do work again measured nothing."""
        self._process.terminate()
        self._process.wait(60)
        self._ears.join()
        figures = self.said[-1]
        if figures["aborts"]:
            raise SystemExit("A transaction failed: the figures would mean nothing. Run it again.")
        return figures

    def kill(self) -> None:
        """Where something went wrong; nothing for one that has ended."""
        self._process.kill()
        self._process.wait()
        self._ears.join()


class Course:
    """How far a group has come in the events."""

    def __init__(self, client: Client, group: str) -> None:
        self._client, self._group = client, group
        self._before = patiently(self.committed)  # a new broker has no coordinator at first

    def committed(self) -> int:
        return sum(self._client.committed(self._group, [EVENTS.name]).values())

    def rate(self, events: int, workers: Sequence[Worker]) -> float:
        """Events a second until the group has committed so many more; from its first commit on."""
        first = last = (0.0, 0)
        moved = time.monotonic()
        while last[1] < events:
            time.sleep(0.05)
            done, now = self.committed() - self._before, time.monotonic()
            if done > last[1]:
                last, moved = (now, done), now
                first = first if first[1] else last
            if now - moved > PATIENCE:
                raise SystemExit(f"Nothing was committed for {PATIENCE:g} s: {last[1]} of {events} events are done.")
            for worker in workers:
                worker.check()
        return (last[1] - first[1]) / max(0.001, last[0] - first[0])


@contextmanager
def bench(arguments: argparse.Namespace) -> Iterator[Bench]:
    """A new broker: a router begins with what its changelogs hold."""
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder) / "kafka") as broker:
        settings = KafkaSettings(transaction_timeout_ms=60_000)  # all events are one transaction
        client = connect(settings.at(broker.bootstrap))
        client.create([*standard(PARTITIONS), OUT.sized(PARTITIONS), CHANGELOG.sized(PARTITIONS)])
        yield Bench(client, broker.bootstrap, Path(folder), arguments.client, arguments.profile)
        client.close()


def command(place: Bench, kind: str, member: int) -> list[str]:
    reach = ("--bootstrap", place.bootstrap, "--folder", str(place.folder / kind))
    if kind == "quix":
        return [*QUIX, "-m", "bench.router_quix", *reach]
    profile = ("--profile",) if place.profile and kind == "router" else ()
    return [*PYTHON, "-m", "bench.router_worker", kind, *reach, "--client", place.kind, "--member", str(member), *profile]


@contextmanager
def started(place: Bench, kind: str, processes: int) -> Iterator[list[Worker]]:
    workers = [Worker(command(place, kind, number + 1)) for number in range(processes)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def race(place: Bench, kind: str, processes: int, made: Sequence[Message], published: bool) -> Figures:
    """One group works through the events; they come when every process has its share, or stand there already."""
    course = Course(place.client, kind)
    with started(place, kind, processes) as workers:
        if not published:
            shared(workers)
            publish(place.client, made)
        rate = course.rate(len(made), workers)
        ended = [worker.end() for worker in workers]
    mean = {name: statistics.mean(one[name] for one in ended) for name in ("cpu_us", "processor_us") if name in ended[0]}
    mean["ready_seconds"] = max(worker.ready for worker in workers)
    return {"events_a_second": rate, "mb_a_process": max(one["mb"] for one in ended), **mean}


def shared(workers: Sequence[Worker]) -> None:
    """Wait until the processes work on equal shares of the partitions."""
    deadline = time.monotonic() + PATIENCE
    while any(worker.partitions != PARTITIONS // len(workers) for worker in workers):
        if time.monotonic() > deadline:
            raise SystemExit(f"The processes did not share the partitions: {[worker.partitions for worker in workers]}.")
        for worker in workers:
            worker.check()
        time.sleep(0.1)
    time.sleep(1)


def beside(arguments: argparse.Namespace) -> dict[str, Figures]:
    """Each at the same events, in turn."""
    kinds = ["plain", *(["quix"] if arguments.quix else []), "router"]
    made = messages(Load(arguments.events))
    rounds = []
    for _ in range(arguments.rounds):
        with bench(arguments) as place:
            publish(place.client, made)
            rounds.append({kind: race(place, kind, 1, made, published=True) for kind in kinds})
    return {kind: median([one[kind] for one in rounds]) for kind in kinds}


def growing(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The router at the same number of events, knowing more and more cases. A million is measured once."""
    return [among(arguments, cases, arguments.rounds if cases < 1_000_000 else 1) for cases in arguments.open]


def among(arguments: argparse.Namespace, cases: int, rounds: int) -> dict[str, Any]:
    made = messages(Load(2 * arguments.events, cases))
    runs = [_among(arguments, cases, made) for _ in range(rounds)]
    found: dict[str, Any] = {"open_cases": cases, "rounds": rounds}
    found |= {name: median([run[name] for run in runs]) for name in ("store", "one_process", "two_processes")}
    return found


def _among(arguments: argparse.Namespace, cases: int, made: list[Message]) -> dict[str, Figures]:
    """One process, and then two that find its stores. Half of the cases each: a case's events come in its life's order."""
    keys = sorted({message.key or b"" for message in made})
    first = set(keys[::2])
    halves = [[one for one in made if one.key in first], [one for one in made if one.key not in first]]
    with bench(arguments) as place:
        start = time.monotonic()
        router_stores.fill(place.folder / "router", cases)
        store: Figures = {"fill_seconds": time.monotonic() - start, "mb": router_stores.size(place.folder / "router") / 1e6}
        one, two = (race(place, "router", 1 + number, half, published=False) for number, half in enumerate(halves))
    return {"store": store, "one_process": one, "two_processes": two}


def median(runs: Sequence[Figures]) -> Figures:
    return {name: round(statistics.median(run[name] for run in runs), 2) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=40_000, help="of each race")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--client", default="kafka-python", choices=("kafka-python", "confluent"))
    parser.add_argument("--quix", action="store_true", help="race Quix Streams too")
    parser.add_argument("--open", type=int, nargs="+", metavar="CASES", help="measure with so many open cases instead")
    parser.add_argument("--profile", action="store_true", help="where the router's time goes, to stderr; it slows it down")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the curve of --open as SVG")
    arguments = parser.parse_args()
    if arguments.picture and not arguments.open:
        parser.error("--picture draws what --open measures: give both.")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    load = round(os.getloadavg()[0], 1)
    result: dict[str, Any] = {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "load_before": load, "cores": os.cpu_count()}
    result |= {"client": arguments.client, "events": arguments.events, "rounds": arguments.rounds}
    if arguments.open:
        result["open"] = growing(arguments)
    else:
        result |= beside(arguments)
        result["share_of_the_plain_loop"] = round(result["router"]["events_a_second"] / result["plain"]["events_a_second"], 2)
    print(json.dumps(result, indent=1))
    if arguments.picture:
        arguments.picture.write_text(router_picture.drawn(result), "utf-8")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
