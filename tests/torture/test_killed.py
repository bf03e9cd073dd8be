"""kill -9 at every named point, many times: the truth still holds, and the audit finds every side equal.

Each seed is another city and other moments. In one run every service dies at each of its points (by a switch, not by luck):
the connectors after sending, before and after the commit; the router the same, and between its commit and its store; the
monitor between tables and offsets, and before its commit; the deliveries after an effect.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bus.crash import POINTS
from casebus import demo_exports

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]
TEMPLATE = Path(demo_exports.__file__).parent / "templates" / "demo"
SEEDS = range(20)
CASES = 40

#: How often each point is passed before it kills, at most: what happens at least so often in every run.
PASSES = {"connector.after_send": 5, "connector.before_commit": 4, "connector.after_commit": 3, "delivery.after_effect": 2}


#: A killed member is missed after so long; with the usual 6 s most of the time would go in waiting.
QUICK = "  partitions: 2\n  session_timeout_ms: 2000\n  transaction_timeout_ms: 4000\n"


class Torture(NamedTuple):
    """A city, and how its run is to be killed."""

    folder: Path
    flags: Path
    environment: dict[str, str]
    truth: dict[str, Any]

    @property
    def killed(self) -> set[str]:
        return {flag.name for flag in self.flags.iterdir()}


def prepared(place: Path, seed: int) -> Torture:
    """Small transactions, so that there are many moments to die in."""
    folder, flags = place / "city", place / "flags"
    flags.mkdir()
    shutil.copytree(TEMPLATE, folder)
    for connector in (folder / "connectors").glob("*.yaml"):
        connector.write_text(connector.read_text(encoding="utf-8") + "batch: 25\n", encoding="utf-8")
    head = folder / "casebus.yaml"
    head.write_text(head.read_text(encoding="utf-8").replace("  partitions: 4\n", QUICK), encoding="utf-8")
    truth = demo_exports.write(folder / "exports", CASES, seed)
    chosen = random.Random(seed)
    plan = ";".join(f"{point}:{chosen.randint(1, PASSES.get(point, 1))}:{flags / point}" for point in sorted(POINTS))
    return Torture(folder, flags, {**os.environ, "CASEBUS_CRASH": plan}, truth)


class Outcome(NamedTuple):
    """What a run left behind."""

    killed: set[str]
    lines: list[Any]
    wrong: list[str]
    audit: Any
    delivered: int
    to_deliver: int


def run(place: Path, seed: int, casebus: Any) -> Outcome:
    """Nine kills in one run; then the figures, every case, every delivery and the audit."""
    from casebus.demo_check import check
    from casebus.deployment import Deployment
    from casebus.wiring import Wiring

    torture = prepared(place, seed)
    casebus("up", torture.folder, "--exit", environment=torture.environment).good()
    wiring = Wiring(Deployment.load(torture.folder))
    with wiring.client() as client:
        report = check(wiring, wiring.view(), client, torture.truth)
        audit = casebus("audit", torture.folder, "--json")
    lines = [line for line in report.lines if not line.right]
    to_deliver = sum(torture.truth["deliveries_by_receiver"].values())
    return Outcome(torture.killed, lines, report.wrong, audit, delivered(torture.folder), to_deliver)


@pytest.fixture(scope="module")
def outcome(
    request: pytest.FixtureRequest, casebus: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[int], Outcome]]:
    """The runs of all chosen seeds, two at a time: half of each is waiting until what was killed is missed."""
    chosen = [item.callspec.params["seed"] for item in request.session.items if item.fspath == request.node.fspath]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(2) as pool:
        runs = {seed: pool.submit(run, tmp_path_factory.mktemp(f"seed{seed}"), seed, casebus) for seed in chosen}
        yield lambda seed: runs[seed].result()
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_killed_at_every_point_tells_the_truth(seed: int, outcome: Callable[[int], Outcome]) -> None:
    """Each point has killed once, and nothing shows it."""
    found = outcome(seed)
    assert found.killed == POINTS
    assert found.lines == []
    assert found.wrong == []
    assert (found.audit.code, found.audit.json["differences"]) == (0, [])
    assert found.delivered == found.to_deliver


def delivered(folder: Path) -> int:
    """Carried cases in the receivers' folders: a repetition overwrites itself, so each is there once."""
    carried = {"handed_up", "handed_down", "handed_across", "part_handed_over"}
    found = (json.loads(path.read_text(encoding="utf-8")) for path in (folder / "deliveries").rglob("*.json"))
    return sum(delivery["kind"] in carried for delivery in found)
