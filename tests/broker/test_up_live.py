"""A deployment under `casebus up`, whose files change while it runs: departments come, and cases go where the files now say."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bus.ports import Client
from bus.topics import EVENTS
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from schemas.codec import default

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
UP = (sys.executable, "-P", "-m", "casebus", "up")
FIRST_EVENT = 10.0  # seconds from a new file to its first event on the bus
DELIVERED = 20.0  # seconds from a line in a file to the case in the department's folder: also to join the group, once
CASE = "50000120260309{:06d}"


class City:
    """The folder of a deployment that is up, and a client of its Kafka."""

    def __init__(self, folder: Path, client: Client) -> None:
        self.folder = folder
        self.client = client
        self.permits = folder / "connectors/permits.yaml"

    def handed_up(self, number: int) -> None:
        """A case applied for, received, accepted and handed up, in the file that the connector reads."""
        case = CASE.format(number)
        states = (("申请", ""), ("收件", ""), ("受理", ""), ("上报", "environment@500000"))
        with (self.folder / "exports/permits.csv").open("a", encoding="utf-8") as file:
            for place, (state, note) in enumerate(states):
                file.write(f"X-{number}-{place},1,{case},{state},2026-03-09 09:0{place},500001,示范公司,王,{note}\n")

    def deliver_to(self, text: str, folder: str) -> None:
        """The connector's file as it was, and where its deliveries go."""
        wanted = f"deliver: {{to: environment@500000, kind: files, target: {{folder: {folder}}}}}\n"
        self.permits.write_text(text + wanted, "utf-8")

    def delivered(self, folder: str) -> set[str]:
        """The cases of which a folder was told, each by one or more moves."""
        found = (self.folder / folder).glob("*.json")
        return {str(json.loads(one.read_text("utf-8"))["case"]).removeprefix("case:") for one in found}

    def keys(self, system: str) -> Counter[str]:
        """How often each row of a system is on the bus."""
        starts = dict.fromkeys(self.client.ends([EVENTS.name]), 0)
        events = (default().decode(one.value or b"") for batch in self.client.read(starts) for one in batch)
        sources = (event.header["source"] for event in events)
        return Counter(one["key"] for one in sources if one["system"] == system)

    def within(self, seconds: float, true: Callable[[], object]) -> None:
        start = time.monotonic()
        while not true():
            assert time.monotonic() - start < seconds, f"not within {seconds} s\n{self.logs()}"
            time.sleep(0.1)

    def logs(self) -> str:
        logs = (self.folder / ".casebus/logs").glob("*.log")
        return "\n".join(f"{path.name}:\n{path.read_text('utf-8', 'replace')[-1500:]}" for path in logs)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, casebus: Any) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("up") / "mycity"
    casebus("init", folder).good()
    settings = folder / "casebus.yaml"
    settings.write_text(settings.read_text("utf-8").replace("port: 8080", "port: null"), "utf-8")
    with subprocess.Popen([*UP, str(folder)], stderr=subprocess.PIPE, text=True) as up:
        assert up.stderr
        try:
            assert any(line.startswith("up;") for line in up.stderr)
            with Wiring(Deployment.load(folder)).client() as client:
                yield City(folder, client)
        finally:
            up.terminate()
            up.stderr.read()
    assert up.returncode == 0


def test_a_department_added_under_up_shows_its_first_event_soon(city: City) -> None:
    """Within ten seconds of its file, and each row of each department is read once."""
    city.within(60, lambda: city.keys("permits"))
    text = city.permits.read_text("utf-8").replace("system: permits", "system: parks").replace("permits.csv", "parks.csv")
    rows = (city.folder / "exports/permits.csv").read_text("utf-8").splitlines()[:4]
    (city.folder / "exports/parks.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (city.folder / "connectors/parks.yaml").write_text(text, "utf-8")
    city.within(FIRST_EVENT, lambda: city.keys("parks"))
    with (city.folder / "exports/parks.csv").open("a", encoding="utf-8") as file:
        file.write(rows[1].replace("P-0001", "P-0009") + "\n")
    city.within(FIRST_EVENT, lambda: "P-0009" in city.keys("parks"))
    assert set(city.keys("parks").values()) == {1}
    assert set(city.keys("permits").values()) == {1}


def test_deliver_added_changed_and_taken_away_holds_without_a_restart(city: City) -> None:
    """What was handed over before anybody took it comes too; a folder of another name gets what comes from then on."""
    plain = city.permits.read_text("utf-8")
    city.handed_up(1)
    city.within(20, lambda: "X-1-3" in city.keys("permits"))
    city.deliver_to(plain, "out/first")
    city.within(DELIVERED, lambda: CASE.format(1) in city.delivered("out/first"))
    before = city.delivered("out/first")
    city.deliver_to(plain, "out/second")
    log = city.folder / ".casebus/logs/deliver.log"
    city.within(20, lambda: log.read_text("utf-8").count("receivers names=permits") == 2)
    city.handed_up(2)
    city.within(DELIVERED, lambda: city.delivered("out/second"))
    city.permits.write_text(plain, "utf-8")
    city.within(20, lambda: "receivers names=\n" in log.read_text("utf-8"))
    city.handed_up(3)
    city.within(20, lambda: "X-3-3" in city.keys("permits"))
    city.deliver_to(plain, "out/third")
    city.within(DELIVERED, lambda: city.delivered("out/third"))
    assert city.delivered("out/first") == before
    assert city.delivered("out/second") == {CASE.format(2)}
    assert city.delivered("out/third") == {CASE.format(3)}
    assert set(city.keys("permits").values()) == {1}
