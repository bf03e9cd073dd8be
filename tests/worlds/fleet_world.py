"""Workers that share connectors over Kafka's double: each step by step, on a clock that a test moves."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

from connector_world import CLOCK, CSV, MAPPING, NOW, deployment, drop, good, kafka, rows

from bus import topics
from connectors import fleet_orders, fleet_status
from connectors.fleet import Fleet, Parts, Plant
from connectors.fleet_files import Folder
from connectors.fleet_orders import Word
from connectors.fleet_schedule import Hands, Schedule
from connectors.fleet_share import Grouped, Share
from connectors.fleet_status import Board, Reporter, Standing
from connectors.runner import Runner
from connectors.worker import Outcome, Pauses, attempt
from schemas.codec import default

QUICK = Pauses(first=1.0, longest=4.0)


class Time:
    """Seconds of a schedule."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class Worker:
    """One process with its fleet; what its threads would do is done by `work`."""

    def __init__(self, place: Place, name: str, share: Share | None = None) -> None:
        self.time = Time()
        self.schedule = Schedule(self.time)
        self.told: list[Outcome] = []
        self.folder = Folder(place.folder / "connectors")
        self.folder.look(at_once=True)
        self.share = share or Grouped(place.cluster, "city-connect")
        self.reporter = Reporter(place.cluster, name)
        parts = Parts(self.share, self.folder, self.reporter, self.schedule, self.told.append, QUICK)
        self.fleet = Fleet(Plant(place.cluster, default(), CLOCK), parts)

    def work(self, seconds: float = 6.0) -> Worker:
        """A look, and every turn that is due by then."""
        self.fleet.step()
        self.time.at += seconds
        self.turns()
        return self

    def turns(self) -> None:
        while (name := self.schedule.take()) is not None:
            self.schedule.done(name, self.fleet.turn(name))

    def edit(self) -> Worker:
        """The files are looked at twice, as a second apart."""
        self.folder.look()
        self.folder.look()
        return self


class Place:
    """A deployment's folder and its cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = kafka()

    def add(self, name: str, mapping: str = MAPPING, more: str = "batch: 2\n") -> Path:
        """A connector over a file of its own, with no rows yet."""
        drop(self.folder, rows(), f"{name}.csv") if not (self.folder / f"drop/{name}.csv").exists() else None
        return deployment(self.folder, CSV.replace("rows.csv", f"{name}.csv") + more + mapping, name)

    def rows(self, name: str, *numbers: int) -> None:
        with (self.folder / f"drop/{name}.csv").open("a", encoding="utf-8") as file:
            file.writelines(f"{good(number)}\n" for number in numbers)

    def worker(self, name: str) -> Worker:
        return Worker(self, name)

    def order(self, name: str, word: Word, value: dict[str, object] | None) -> None:
        self.cluster.publish([fleet_orders.message(name, word, value, 0)])

    def keys(self, system: str) -> Counter[str]:
        """How often each row of a system is on the bus."""
        events = (default().decode(one.value or b"").header["source"] for one in self.cluster.records(topics.EVENTS.name))
        return Counter(one["key"] for one in events if one["system"] == system)

    def standings(self, *workers: Worker, at: int = NOW) -> dict[str, Standing]:
        for worker in workers:
            worker.reporter.flush(at)
        return {one.name: one for one in Board(self.cluster).look(at)}


def live(runner: Runner, stop: threading.Event) -> None:
    """One connector in real threads, which looks by itself only once a minute."""
    schedule = Schedule()
    runner.wake = lambda: schedule.wake(runner.name)

    def turn(name: str) -> float:
        return 60.0 if not attempt(name, runner.run_once).fault else 0.5

    hands = Hands(schedule, turn)
    schedule.wake(runner.name)
    hands.tend()
    stop.wait()
    hands.close(5)


__all__ = ["NOW", "Place", "Worker", "fleet_status", "live"]
