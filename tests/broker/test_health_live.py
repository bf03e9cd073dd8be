"""A deployment that is up tells of each of its services whether it lives and is ready; its logs keep to their form."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from bus.addresses import free_ports

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
SERVICES = ("connect", "route", "deliver", "monitor", "page")
READY = 120.0  # seconds, from the start of Kafka to the last service


class Town:
    """Its folder, and where each service answers."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.folder, self._ports = folder, ports

    def ask(self, service: str, path: str) -> httpx.Response | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self._ports[service]}{path}", timeout=5)
        except httpx.TransportError:
            return None

    def ready(self, service: str) -> bool:
        answer = self.ask(service, "/readyz")
        return answer is not None and answer.status_code == 200

    def process(self, service: str) -> psutil.Process:
        mine = [one for one in psutil.process_iter() if str(self.folder) in (words := _words(one)) and service in words]
        assert len(mine) == 1
        return mine[0]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def within(seconds: float, true: Callable[[], object], says: Callable[[], object] = str) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, says()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, casebus: Any) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("health") / "town"
    casebus("init", folder).good()
    ports = dict(zip(SERVICES, free_ports(5), strict=True))
    told = ", ".join(f"{name}: {port}" for name, port in ports.items() if name != "page")
    head = folder / "casebus.yaml"
    text = head.read_text("utf-8").replace("port: 8080", f"port: {ports['page']}")
    head.write_text(f"{text}health: {{{told}}}\nlogs: {{format: json}}\n", "utf-8")
    environment = {**os.environ, "CASEBUS_HEALTH": "127.0.0.1:1"}  # for one process alone: `up` must keep it from its children
    with subprocess.Popen([sys.executable, "-P", "-m", "casebus", "up", str(folder)], env=environment) as up:
        try:
            yield Town(folder, ports)
        finally:
            up.terminate()
    assert up.returncode == 0


def test_every_service_becomes_ready(town: Town) -> None:
    """Alive first; ready with partitions and figures."""
    for name in SERVICES:
        within(READY, lambda name=name: town.ready(name), lambda name=name: town.ask(name, "/readyz"))
        answer = town.ask(name, "/healthz")
        assert answer is not None
        assert answer.status_code == 200
    answer = town.ask("route", "/readyz")
    assert answer is not None
    assert answer.json()["figures"]["partitions"] == 8


def test_what_is_behind_is_told(town: Town) -> None:
    """The sample's events come through: nothing is left to be read, and the connector runs."""
    within(30, lambda: _figure(town, "route", "casebus_service_records_total") > 0)
    within(30, lambda: _figure(town, "route", "casebus_service_behind") == 0, lambda: _text(town, "route"))
    within(30, lambda: _figure(town, "monitor", "casebus_service_behind") == 0, lambda: _text(town, "monitor"))
    within(30, lambda: _figure(town, "connect", "casebus_service_connectors_running") == 1)
    assert _figure(town, "connect", "casebus_service_connectors_failed") == 0


def _text(town: Town, service: str) -> str:
    answer = town.ask(service, "/metrics")
    return answer.text if answer else ""


def _figure(town: Town, service: str, name: str) -> float:
    lines = _text(town, service).splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{")), -1.0)


def test_the_doctor_looks_while_it_runs(town: Town, casebus: Any) -> None:
    """It starts no second broker, and takes neither `up` and its children nor itself for rivals."""
    said = {one["what"]: one for one in json.loads(casebus("doctor", town.folder, "--json").out)["findings"]}
    assert said["processes"]["found"] == "4 of this deployment run here, none twice"
    assert {name for name, one in said.items() if one["cure"]} <= {
        "calendar",
        "disk",
        "clocks",
    }  # of the machine, and of the year


def test_a_router_that_was_killed_is_not_ready_until_it_has_its_partitions_again(town: Town) -> None:
    """Between its death and its readiness its probe must not say that all is well."""
    town.process("route").send_signal(signal.SIGKILL)
    within(10, lambda: not town.ready("route"))
    within(READY, lambda: town.ready("route"), lambda: town.ask("route", "/readyz"))


def test_logs_keep_to_their_form(town: Town) -> None:
    """Of real processes: JSON, or a sentence for people."""
    logs = sorted((town.folder / ".casebus" / "logs").glob("*.log"))
    lines = [(path.stem, line) for path in logs for line in path.read_text("utf-8").splitlines()]
    said = [(service, json.loads(line)) for service, line in lines if not line.startswith("casebus: ")]
    assert {service for service, _ in said} >= {"route", "connect"}
    for service, line in said:
        assert line["service"] == service
        assert list(line)[:4] == ["timestamp", "level", "service", "event"]
