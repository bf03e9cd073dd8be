"""All restarted one after another under load, part of it as a next version: nothing lost or twice, the page always there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

import schemas
from bus.addresses import free_ports
from bus.broker import Broker
from bus.errors import BusError
from bus.ports import Client
from bus.topics import EVENTS, JOURNAL, standard
from casebus.crew import CASEBUS
from casebus.deployment import Deployment
from casebus.wiring import Wiring, patiently
from schemas import contract

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]
SYSTEMS = 4
ROWS = 1  # each file grows by at a time, five times a second; a row is three events
#: Seconds that a partition may stand still while one router goes and another comes.
PAUSE = 10.0
CONNECTOR = """
kind: files
every: 1
system: permits-{one}
source: {{path: exports/drop-{one}.csv, format: csv}}
columns:
  serial: {{clean: key, required: true}}
  number: {{clean: key, required: true}}
  at: {{type: time, formats: "%Y-%m-%d %H:%M:%S", required: true}}
key: serial
case: number
header: {{occurred_at: at, region: "'500001'", authority: "'environment@500001'", item: "'EN-001'"}}
events:
  - {{type: Applied, name: applied}}
  - {{type: Accepted, name: accepted}}
  - {{type: HandedUp, name: up, body: {{hand_over: serial, to: "'environment@500000'"}}}}
{deliver}
"""
DELIVER = 'deliver: {to: "environment@500000", kind: files, target: {folder: out}}'


class Service(NamedTuple):
    """A process: what it runs, where it tells whether it is ready, and of which version it is."""

    name: str
    words: tuple[str, ...]
    ready: str
    environment: dict[str, str]


class City:
    """The deployment, its services, the load, and two who watch: one the partitions, one the page."""

    def __init__(self, folder: Path, client: Client) -> None:
        self.folder, self.client = folder, client
        self.wiring = Wiring(Deployment.load(folder))
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = free_ports(9)
        self.over = threading.Event()
        self.rows = 0
        self.pauses: dict[int, float] = defaultdict(float)
        self.away: list[str] = []

    # -- services

    def service(self, name: str, environment: dict[str, str] | None = None) -> Service:
        what, _, member = name.partition("-")
        port = self.ports[NAMES.index(name)]
        more = ["--member", member] if what in {"route", "deliver"} else []
        at = ["--port", str(port)] if what == "page" else ["--health", f"127.0.0.1:{port}"]
        return Service(name, (what, str(self.folder), *more, *at), f"http://127.0.0.1:{port}/readyz", environment or {})

    def start(self, one: Service) -> None:
        with (self.folder / f"{one.name}.log").open("ab") as log:
            environment = {**os.environ, **one.environment}
            self.running[one.name] = subprocess.Popen([*CASEBUS, *one.words], stdout=log, stderr=log, env=environment)

    def restart(self, name: str, environment: dict[str, str] | None = None) -> None:
        """As docs/operate.md says: end one in order, start it again, go on when it is ready."""
        process = self.running[name]
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) in {0, 143}, self.log(name)  # 128 + SIGTERM
        again = self.service(name, environment)
        self.start(again)
        self.until(f"{name} is ready again", lambda: answers(again.ready))

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-2000:]

    def until(self, what: str, true: Callable[[], bool], seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            ended = [name for name, process in self.running.items() if process.poll() is not None]
            said = "\n".join(f"{name}: {self.log(name)}" for name in ended or NAMES)
            assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s\n{said}"
            time.sleep(0.1)

    # -- in the background

    def grow(self) -> None:
        """Four departments' files, more and more rows; every row is a case that is handed up."""
        while not self.over.wait(0.2):
            for one in range(SYSTEMS):
                numbers = range(self.rows, self.rows + ROWS)
                with (self.folder / "exports" / f"drop-{one}.csv").open("a", encoding="utf-8") as file:
                    file.writelines(f"{number},500001202601{number:08d},2026-01-05 09:00:00\n" for number in numbers)
                self.rows += ROWS

    def watch_partitions(self) -> None:
        """For how long each partition of the events stood still at most while there was something to read."""
        moved: dict[int, tuple[int, float]] = {}
        while not self.over.wait(0.1):
            with suppress(BusError):
                ends = {place.number: end for place, end in self.client.ends([EVENTS.name]).items()}
                done = self.client.committed(self.wiring.router_group, [EVENTS.name])
                now = time.monotonic()
                for place, offset in done.items():
                    before, since = moved.get(place.number, (-1, now))
                    if offset != before or offset >= ends[place.number]:
                        since = now
                    moved[place.number] = offset, since
                    self.pauses[place.number] = max(self.pauses[place.number], now - since)

    def watch_page(self) -> None:
        """As a proxy before two pages, which asks either once more: whoever answers is good; a moment without any is kept."""
        pages = [self.service(name).ready.replace("readyz", "login") for name in NAMES if name.startswith("page")]
        while not self.over.wait(0.1):
            if not any(answers(page) for page in pages * 2):
                self.away.append(time.strftime("%H:%M:%S"))

    @contextmanager
    def loaded(self) -> Iterator[None]:
        threads = [threading.Thread(target=work) for work in (self.grow, self.watch_partitions, self.watch_page)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()


NAMES = ("route-0", "route-1", "connect-0", "connect-1", "deliver-0", "deliver-1", "monitor-0", "page-0", "page-1")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def city(tmp_path: Path, casebus: Any) -> Iterator[City]:
    folder = tmp_path / "city"
    casebus("init", folder).good()
    (folder / "connectors" / "permits.yaml").unlink()
    head = (folder / "casebus.yaml").read_text("utf-8").replace("mode: wall ", "mode: replay ")
    head = head.replace("partitions: 8", "partitions: 4")
    (folder / "casebus.yaml").write_text(head, "utf-8")
    for one in range(SYSTEMS):
        deliver = DELIVER if one == 0 else ""
        (folder / "connectors" / f"permits-{one}.yaml").write_text(CONNECTOR.lstrip().format(one=one, deliver=deliver), "utf-8")
        (folder / "exports" / f"drop-{one}.csv").write_text("serial,number,at\n", "utf-8")
    wiring = Wiring(Deployment.load(folder))
    wiring.check()
    with Broker(wiring.deployment.data / "kafka"), wiring.client() as client, ExitStack() as stack:
        client.create(standard(wiring.settings.kafka.partitions))
        made = City(folder, client)
        stack.callback(made.end)
        for name in NAMES:
            made.start(made.service(name))
        yield made


def next_version(place: Path) -> dict[str, str]:
    """The environment of a process whose `Applied` has one field more: what the next version would be."""
    copy = place / "next" / "schemas"
    shutil.copytree(Path(schemas.__file__).parent, copy)
    file = copy / "avro" / "Applied.avsc"
    schema = json.loads(file.read_text("utf-8"))
    schema["fields"].append({"name": "kiosk", "type": ["null", "string"], "default": None, "doc": "Where it was applied for."})
    file.write_text(json.dumps(schema), "utf-8")
    return {"PYTHONPATH": str(copy.parent)}


def test_all_is_restarted_one_after_another_and_nothing_is_lost_or_twice(city: City, casebus: Any, tmp_path: Path) -> None:
    """Readers and writers of two versions side by side meanwhile, whichever comes first."""
    newer = next_version(tmp_path)
    for name in NAMES:
        city.until(f"{name} is ready", lambda name=name: answers(city.service(name).ready))
    with city.loaded():
        city.until("cases come through", lambda: journal(city) > 100)
        for name in NAMES:
            city.restart(name, newer if name in {"connect-0", "route-1"} else None)
        time.sleep(2)
    city.until("all is published", lambda: published(city) == 3 * city.rows)
    city.until("all is delivered", lambda: len(list((city.folder / "out").rglob("*.json"))) == city.rows)
    city.until("all is seen", lambda: seen(city) == city.rows)
    city.end()
    report = casebus("audit", city.folder, "--json").good().json
    sys.stdout.write(f"{city.rows} cases; the longest pause of a partition: {max(city.pauses.values()):.1f} s\n")
    assert (report["differences"], report["counts"]["dead_letters"], report["counts"]["cases"]) == ([], 0, city.rows)
    assert writers(city) == {contract.events()["Applied"].fingerprint, fingerprint(tmp_path)}
    assert city.away == []
    assert len(city.pauses) == city.wiring.settings.kafka.partitions
    assert max(city.pauses.values()) < PAUSE


def journal(city: City) -> int:
    return sum(patiently(lambda: city.client.ends([JOURNAL.name])).values())


def events(city: City) -> Iterator[bytes]:
    places = dict.fromkeys(patiently(lambda: city.client.ends([EVENTS.name])), 0)
    return (record.value or b"" for batch in city.client.read(places) for record in batch)


def published(city: City) -> int:
    return sum(1 for _ in events(city))


def seen(city: City) -> int:
    from casebus.commands.up import totals

    with closing(city.wiring.view()) as view:
        return totals(view)["cases"]


def fingerprint(place: Path) -> bytes:
    text = (place / "next" / "schemas" / "avro" / "Applied.avsc").read_text("utf-8")
    return contract.contract(text).fingerprint


def writers(city: City) -> set[bytes]:
    """The schemas that applications were written with."""
    known = {form.fingerprint: form.name for form in contract.current().values()}
    return {raw[2:10] for raw in events(city) if known.get(raw[2:10], "Applied") == "Applied"}
