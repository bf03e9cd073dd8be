"""Workers as processes over a real Kafka: a department added while all runs, orders by command, a kill and who takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_city import COLUMNS, HEADING, Workers, begun, line

from bus.ports import Client
from bus.topics import EVENTS
from casebus.crew import CASEBUS
from connectors.fleet_desk import Desk
from connectors.fleet_status import State
from schemas.codec import default

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
FIRST_EVENT = 10.0  # seconds from a new file to its first event on the bus
TAKEN_OVER = 15.0  # seconds from a kill to the next row of a connector that the killed worker had

MAPPING = f"{COLUMNS}events: [{{type: Accepted}}]\n"


class City(Workers):
    """A deployment with its own Kafka, and the processes started in it."""

    def __init__(self, folder: Path, client: Client) -> None:
        super().__init__(folder)
        self.client = client
        self.desk = Desk(client)

    def add(self, name: str, *numbers: int) -> None:
        """A department's file of rows, and its YAML."""
        (self.folder / "drop").mkdir(exist_ok=True)
        (self.folder / f"drop/{name}.csv").write_text(HEADING, "utf-8")
        self.rows(name, *numbers)
        source = f"kind: files\nsource: {{path: drop/{name}.csv, format: csv}}\n"
        (self.folder / f"connectors/{name}.yaml").write_text(source + MAPPING, "utf-8")

    def rows(self, name: str, *numbers: int) -> None:
        with (self.folder / f"drop/{name}.csv").open("a", encoding="utf-8") as file:
            file.writelines(map(line, numbers))

    def keys(self, name: str) -> Counter[str]:
        """How often each row of a department is on the bus."""
        starts = dict.fromkeys(self.client.ends([EVENTS.name]), 0)
        events = (default().decode(one.value or b"") for batch in self.client.read(starts) for one in batch)
        sources = (event.header["source"] for event in events)
        return Counter(one["key"] for one in sources if one["system"] == name)

    def owners(self) -> dict[str, str]:
        return {one.name: one.worker for one in self.desk.standings() if one.state is State.RUNNING}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        arguments = [*CASEBUS, "connector", *words]
        return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, casebus: Any) -> Iterator[City]:
    with begun(tmp_path_factory.mktemp("fleet") / "city", casebus) as place:
        made = City(place.folder, place.client)
        yield made
        made.end()


def within(seconds: float, city: City, true: Callable[[], bool]) -> float:
    """Seconds until it was so."""
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < seconds, f"not within {seconds} s\n{city.logs()}"
        time.sleep(0.1)
    return time.monotonic() - start


def test_a_department_added_while_all_runs_shows_its_first_event_soon(city: City) -> None:
    """Within ten seconds, and nothing is read twice, though its file changes, is broken, mended and removed later on."""
    city.add("before", 1)
    city.worker()
    within(60, city, lambda: city.keys("before") == Counter({"1": 1}))
    city.add("added", 1, 2)
    within(FIRST_EVENT, city, lambda: bool(city.keys("added")))
    path = city.folder / "connectors/added.yaml"
    sound = path.read_text("utf-8")
    path.write_text(sound.replace("Accepted", "Acepted"), "utf-8")
    within(20, city, lambda: any("Acepted" in one.file_error for one in city.desk.standings()))
    city.rows("added", 3)
    within(20, city, lambda: len(city.keys("added")) == 3)
    path.write_text(sound + "batch: 7\n", "utf-8")
    within(20, city, lambda: not any(one.file_error for one in city.desk.standings()))
    city.rows("added", 4)
    within(20, city, lambda: len(city.keys("added")) == 4)
    path.unlink()
    within(20, city, lambda: [one.name for one in city.desk.standings()] == ["before"])
    assert city.keys("added") == Counter(map(str, range(1, 5)))
    assert city.keys("before") == Counter({"1": 1})


def test_orders_by_command_are_followed(city: City) -> None:
    """Pause holds, resume goes on, going back is counted first and happens once, and status says it all."""
    city.add("ordered", 1, 2)
    within(20, city, lambda: len(city.keys("ordered")) == 2)
    within(20, city, lambda: "ordered" in city.owners())  # it is told up to a second after its rows
    done = city.command("pause", "ordered", str(city.folder))
    assert (done.returncode, done.stdout) == (0, "ordered is paused.\n"), done.stderr
    city.rows("ordered", 3)
    dry = city.command("rewind", "ordered", str(city.folder), "--to-beginning", "--dry-run")
    assert "2 rows would be read again" in dry.stdout, dry.stderr
    back = city.command("rewind", "ordered", str(city.folder), "--to-beginning")
    assert back.stdout == "ordered goes on from the beginning.\n", back.stderr
    assert city.keys("ordered") == Counter({"1": 1, "2": 1})
    assert city.command("resume", "ordered", str(city.folder)).stdout == "ordered goes on.\n"
    within(20, city, lambda: city.keys("ordered") == Counter({"1": 2, "2": 2, "3": 1}))
    assert city.command("restart", "ordered", str(city.folder)).stdout == "ordered begins anew.\n"
    status = city.command("status", str(city.folder))
    assert status.returncode == 0, status.stdout
    assert "RUNNING" in status.stdout
    wrong = city.command("rewind", "ordered", str(city.folder), "--to", "nonsense")
    assert (wrong.returncode, "is no position of ordered" in wrong.stderr) == (2, True), wrong.stderr
    assert city.command("pause", "nobody", str(city.folder)).returncode == 2
    assert city.keys("ordered") == Counter({"1": 2, "2": 2, "3": 1})


def test_a_killed_workers_connectors_are_taken_over(city: City) -> None:
    """Two workers share sixteen connectors; one is killed, and within fifteen seconds the other reads its sources on."""
    names = [f"shared{number}" for number in range(16)]
    for name in names:
        city.add(name, 1)
    second = city.worker()
    within(60, city, lambda: set(names) <= set(city.owners()) and len(set(city.owners().values())) == 2)
    within(60, city, lambda: all(city.keys(name) == Counter({"1": 1}) for name in names))
    os.kill(second.pid, signal.SIGKILL)
    second.wait()
    for name in names:
        city.rows(name, 2)
    within(TAKEN_OVER, city, lambda: all(len(city.keys(name)) == 2 for name in names))
    within(30, city, lambda: len(set(city.owners().values())) == 1)
    assert all(city.keys(name) == Counter({"1": 1, "2": 1}) for name in names)
