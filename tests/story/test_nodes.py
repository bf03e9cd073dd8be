"""The example city's 74 nodes, each with a system of another shape: up with one command, equal to the truth, once each."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from city_story import EXAMPLE
from running_page import RunningPage, free_port
from sqlalchemy import func, select

from casebus.deployment import Deployment
from casebus.wiring import Wiring
from connectors.config import load
from connectors.kinds import kinds
from monitor import tables
from monitor.view import View
from monitor.web.words import words
from router.decide import all_rules, title_and_basis

pytestmark = pytest.mark.broker
UP = (sys.executable, "-P", "-m", "casebus", "up")
ZONE = ZoneInfo("Asia/Shanghai")


class Live:
    """`casebus up` over a copy of the example, and the departments that send by themselves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".casebus", "out", "__pycache__"))
        self.port, self.page_port = free_port(), free_port()
        ports = {"CASEBUS_IN": str(self.port), "CASEBUS_PAGE": str(self.page_port)}
        self.environment = os.environ | ports | {"PYTHONPATH": str(Path(__file__).parents[2])}
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

    def page(self) -> RunningPage:
        return RunningPage.of(Deployment.load(self.folder), self.page_port)

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


def until(found: Any, seconds: float = 180) -> Any:
    """What `found` gives when it gives something."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return answer


@pytest.fixture(scope="module")
def page(live: Live) -> Iterator[RunningPage]:
    found = live.page()
    yield found
    found.close()


def written(name: str) -> list[dict[str, str]]:
    """What was written down before anything was published."""
    with (EXAMPLE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def truth() -> dict[str, tuple[str, str]]:
    return {row["case"]: (row["outcome"], row["decided"]) for row in written("truth.csv") if row["outcome"]}


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


def told(page: RunningPage, case: str) -> Counter[tuple[str, str, str]]:
    """What the page says was told about a case: by which rule, what, to whom."""
    decided = page.get(f"/cases/{case}")["decisions"]
    return Counter((one["rule"], one["says"], one["target"]) for one in decided if not one["taken_back"])


def expected_tellings() -> dict[str, Counter[tuple[str, str, str]]]:
    found: dict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    said = words("en")
    for row in written("moves.csv"):
        words_of = said.texts.get(f"law.told.{row['says']}") or said.of("decision", row["says"])
        found[row["case"]][title_and_basis(row["rule"])[0], words_of, row["to"]] += 1
    return dict(found)


def test_each_move_can_be_followed_on_the_page(page: RunningPage) -> None:
    """Who was told what by which rule, alerts too: as it was written down, and nothing else."""
    expected = expected_tellings()
    until(lambda: all(told(page, case) == rows for case, rows in expected.items()))
    assert {row["rule"] for row in written("moves.csv")} == {rule.name for rule in all_rules()}


def test_every_hand_over_has_its_sender_receiver_and_receipt_on_the_page(page: RunningPage) -> None:
    """Of all lives, up, down, across and in parts; what nobody has signed for is on its way."""
    expected: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for row in written("custody.csv"):
        expected[row["case"]][row["move"], row["sender"], row["receiver"], row["sent"], row["received"]] += 1
    for case, moves in expected.items():
        assert Counter(map(custody, page.get(f"/cases/{case}")["moves"])) == moves, case


def custody(move: dict[str, Any]) -> tuple[str, ...]:
    sent, received = (str(move[name] or "")[:16].replace("T", " ") for name in ("sent_at", "received_at"))
    return move["kind"], move["sender"], move["receiver"], sent, received


def test_the_page_of_a_case_says_the_rule_and_the_law_of_each_move(page: RunningPage) -> None:
    """As people read it: what was told, why, on which basis, and from whom to whom it went."""
    rules = defaultdict(set)
    for row in written("moves.csv"):
        rules[row["case"]].add(row["rule"])
    for case, names in rules.items():
        shown = page.text(f"/case/{case}")
        for name in names:
            assert all(part in shown for part in title_and_basis(name)), (case, name)


def test_what_was_sent_and_not_received_is_seen(live: Live, page: RunningPage, casebus: Any) -> None:
    """On the page with the clock of its hand-over, and first in the terminal."""
    (row,) = [row for row in written("custody.csv") if not row["received"] and row["move"] == "up"]
    shown = page.text(f"/case/{row['case']}")
    assert "on its way" in shown
    assert "signature for the hand-over U1: 4 working days used, only 2 working days allowed" in shown
    watched = casebus("watch", live.folder, "--once", environment=live.environment | {"COLUMNS": "160"}).good().out
    (line,) = [one for one in watched.splitlines() if row["case"].partition(":")[2] in one and "↑" in one]
    assert "on its way, 4 of 2 days" in line


def test_what_is_sent_again_is_there_once(live: Live, page: RunningPage, casebus: Any) -> None:
    """Departments repeat themselves; the figures do not, nobody is told again, and the audit finds all sides equal."""
    view = live.view()
    before = view.all(select(func.count()).select_from(tables.events))[0][0]
    live.push()
    time.sleep(3)
    assert view.all(select(func.count()).select_from(tables.events))[0][0] == before
    view.close()
    assert {case: told(page, case) for case in expected_tellings()} == expected_tellings()
    audited = casebus("audit", live.folder, "--json", environment=live.environment).good().json
    assert audited["equal"] is True, audited
