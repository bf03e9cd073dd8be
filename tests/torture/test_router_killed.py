"""kill -9 of one of two routers under load: the other goes on with its partitions within 15 seconds, and nothing is amiss."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from live_city import COLUMNS, HEADING, begun, line

from bus.ports import Client
from bus.topics import EVENTS
from casebus.crew import CASEBUS
from casebus.wiring import Wiring, patiently
from monitor.service import Service

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
TAKEN_OVER = 15.0  # seconds from the kill until every partition of the killed router goes on; settings as they come
ROWS = 100  # rows each department's file grows by at a time, ten times in two seconds
CONNECTOR = f"""\
kind: files
source: {{path: drop.csv, format: csv}}
{COLUMNS}events: [{{type: Applied, name: applied}}, {{type: Accepted, name: accepted}}]
"""


class City:
    """A deployment of one department whose file grows all the time, and its processes."""

    def __init__(self, folder: Path, wiring: Wiring, client: Client) -> None:
        self.folder, self.wiring, self.client = folder, wiring, client
        self.quiet = threading.Event()
        self._serial = 0

    @contextmanager
    def runs(self, name: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen([*CASEBUS, *words], stderr=log, stdout=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def grow(self) -> None:
        """More and more rows, two events each, until it is to be quiet."""
        with (self.folder / "drop.csv").open("a", encoding="utf-8") as file:
            while not self.quiet.wait(0.2):
                numbers = range(self._serial, self._serial + ROWS)
                file.writelines(map(line, numbers))
                file.flush()
                self._serial += ROWS

    def committed(self) -> dict[int, int]:
        return {place.number: end for place, end in self.client.committed(self.wiring.router_group, [EVENTS.name]).items()}

    def share(self, name: str) -> list[int]:
        """The partitions that this router works on, as it logs them."""
        said = re.findall(r"event=assigned.*?partitions=\"?\[([^\]]*)\]", self.log(name))
        return [int(number) for number in said[-1].split(",") if number.strip()] if said else []

    def read_back(self, name: str) -> list[int]:
        """How many records of its changelogs this router read, each time it got partitions."""
        return [int(number) for number in re.findall(r"caught up.*? records=(\d+)", self.log(name))]

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def until(self, seconds: float, what: str, true: Any) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            logs = "\n".join(f"{path.name}:\n{path.read_text('utf-8', 'replace')[-1500:]}" for path in self.folder.glob("*.log"))
            assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s\n{logs}"
            time.sleep(0.1)


@pytest.fixture
def city(tmp_path: Path, casebus: Any) -> Iterator[City]:
    with begun(tmp_path / "city", casebus) as place:
        (place.folder / "drop.csv").write_text(HEADING, "utf-8")
        (place.folder / "connectors/permits.yaml").write_text(CONNECTOR, "utf-8")
        yield City(*place)


def test_a_killed_router_is_replaced_within_fifteen_seconds(city: City, casebus: Any) -> None:
    """By the session's six seconds and a little work: its stores lie on the same disk, so next to nothing is read back."""
    with ExitStack() as stack:
        stack.enter_context(city.runs("connect", "connect", str(city.folder)))
        survivor, victim = (f"route-{member}" for member in (1, 2))
        stack.enter_context(city.runs(survivor, "route", str(city.folder), "--member", "1"))
        killed = stack.enter_context(city.runs(victim, "route", str(city.folder), "--member", "2"))
        every = set(range(city.wiring.settings.kafka.partitions))
        city.until(60, "both share", lambda: {*city.share(survivor)} | {*city.share(victim)} == every and city.share(victim))
        writer = threading.Thread(target=city.grow)
        writer.start()
        stack.callback(writer.join)
        stack.callback(city.quiet.set)
        city.until(60, "all partitions are worked on", lambda: set(patiently(city.committed)) == every)
        lost, read_before = city.share(victim), len(city.read_back(survivor))
        assert lost
        assert not set(lost) & set(city.share(survivor))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        start, before = time.monotonic(), patiently(city.committed)
        city.until(60, "taken over", lambda: all(city.committed()[number] > before[number] for number in lost))
        seconds = time.monotonic() - start
        city.quiet.set()
        writer.join()
        city.until(60, "all is worked on", lambda: caught_up(city))
        city.until(20, "the connector is idle", lambda: published(city))
        city.until(60, "all is worked on", lambda: caught_up(city))
    assert 1.0 < seconds < TAKEN_OVER
    assert sum(city.read_back(survivor)[read_before:]) < sum(before.values()) / 4
    with closing(city.wiring.view()) as view:
        Service(view, city.client, city.wiring.codec).load()
    audit = casebus("audit", city.folder, "--json").good()
    assert audit.json["differences"] == []
    assert audit.json["counts"]["cases"] == city._serial


def published(city: City) -> bool:
    """Every row is on the bus: two events each, besides the markers of transactions."""
    return events(city) == 2 * city._serial


def events(city: City) -> int:
    starts = dict.fromkeys(city.client.ends([EVENTS.name]), 0)
    return sum(len(batch) for batch in city.client.read(starts))


def caught_up(city: City) -> bool:
    """Nothing but the marker of the last transaction lies beyond what the routers have committed."""
    ends = city.client.ends([EVENTS.name])
    done = city.committed()
    return all(end - done.get(place.number, 0) <= 1 for place, end in ends.items())
