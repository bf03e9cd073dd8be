"""The example city's 74 nodes, each with a system of another shape: up with one command, equal to the truth, once each."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from city_story import EXAMPLE
from sqlalchemy import func, select

from casebus.deployment import Deployment
from casebus.wiring import Wiring
from connectors.config import load
from connectors.kinds import kinds
from monitor import tables
from monitor.view import View

pytestmark = pytest.mark.broker
UP = (sys.executable, "-P", "-m", "casebus", "up")
ZONE = ZoneInfo("Asia/Shanghai")


class Live:
    """`casebus up` over a copy of the example, and the departments that send by themselves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".casebus", "out", "__pycache__"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = os.environ | {"CASEBUS_IN": str(self.port), "PYTHONPATH": str(Path(__file__).parents[2])}
        self._up = subprocess.Popen([*UP, str(folder)], env=self.environment)

    def doors(self) -> list[str]:
        """The systems that can be called now."""
        try:
            return list(httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=5).json()["open"])
        except httpx.TransportError:
            return []

    def push(self) -> str:
        ran = subprocess.run(
            [sys.executable, str(self.folder / "push.py")], env=self.environment, capture_output=True, text=True, check=True
        )
        return ran.stdout

    def view(self) -> View:
        return Wiring(Deployment.load(self.folder)).view()

    def close(self) -> None:
        self._up.send_signal(signal.SIGTERM)
        assert self._up.wait(60) == 0


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = Live(tmp_path_factory.mktemp("nodes") / "city")
    try:
        yield made
    finally:
        made.close()


def until(found: Any, seconds: float = 90) -> Any:
    """What `found` gives when it gives something."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return answer


def truth() -> dict[str, tuple[str, str]]:
    with (EXAMPLE / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["case"]: (row["outcome"], row["decided"]) for row in csv.DictReader(file)}


def shown(view: View) -> dict[str, tuple[str, str]]:
    cases = tables.cases.c
    rows = view.all(select(cases.number, cases.outcome, cases.stopped_at).where(cases.stopped_at.is_not(None), cases.opened))
    return {number: (outcome, f"{datetime.fromtimestamp(at // 1_000_000, ZONE):%Y-%m-%d %H:%M}") for number, outcome, at in rows}


def test_every_kind_of_system_is_among_the_74() -> None:
    """38 districts and counties, 2 zones, 34 departments; the folder names them all."""
    found = load(EXAMPLE / "connectors", "Asia/Shanghai")
    assert {one.settings.kind for one in found} >= kinds().keys()
    nodes = {one.name for one in found} - {"platform", "market", "fire", "planning"}  # offices of one district
    assert len(nodes) == 74


def test_they_come_up_and_their_cases_equal_the_truth(live: Live) -> None:
    """Files, archives, databases, calls and topics: each decision as it was written down before anything was published."""
    until(lambda: len(live.doors()) == 7)
    assert " 200 " in live.push()
    view = live.view()
    expected = truth()
    until(lambda: expected.items() <= shown(view).items())
    view.close()


def test_what_is_sent_again_is_there_once(live: Live, casebus: Any) -> None:
    """Departments repeat themselves; the figures do not, and the audit finds all sides equal."""
    view = live.view()
    before = view.all(select(func.count()).select_from(tables.events))[0][0]
    live.push()
    time.sleep(3)
    assert view.all(select(func.count()).select_from(tables.events))[0][0] == before
    view.close()
    audited = casebus("audit", live.folder, "--json", environment=live.environment).good().json
    assert audited["equal"] is True, audited
