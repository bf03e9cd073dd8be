"""The first thing a stranger does: `casebus demo`. Then everything one can ask of a deployment that has run."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.broker

CASES = 80


class Demo:
    """A demo that has run to its end, and what it printed."""

    def __init__(self, folder: Path, report: dict[str, Any]) -> None:
        self.folder = folder
        self.report = report
        self.truth = json.loads((folder / "exports" / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def demo(casebus: Any, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    ended = casebus("demo", "--exit", "--json", "--cases", str(CASES), "--seed", "5", "--dir", folder).good()
    return Demo(folder, ended.json)


def test_the_demo_equals_its_truth_in_every_figure_and_case(demo: Demo) -> None:
    """The truth was written before anything was published, by code that imports nothing of ours."""
    assert [line for line in demo.report["figures"] if not line["equal"]] == []
    assert demo.report["wrong"] == []
    assert demo.report["equal"] is True
    assert demo.report["cases"] == CASES
    assert len(demo.report["figures"]) > 25


def test_the_demo_finds_a_wrong_truth(demo: Demo, casebus: Any) -> None:
    """A comparison that cannot fail compares nothing: with one case's clock bent, it must say so."""
    from bus.memory import Cluster
    from casebus.demo_check import check
    from casebus.deployment import Deployment
    from casebus.wiring import Wiring

    truth = json.loads(json.dumps(demo.truth))
    bent = next(case for case in truth["by_case"] if case["elapsed_days"])
    bent["elapsed_days"] += 1
    truth["overdue"] += 1
    wiring = Wiring(Deployment.load(demo.folder))
    with wiring.client() as client:
        assert not isinstance(client, Cluster)
        report = check(wiring, wiring.view(), client, truth)
    assert [(one.case, one.field) for one in report.wrong] == [(bent["case"], "elapsed_days")]
    assert [(line.group, line.name) for line in report.lines if not line.right] == [("overdue", "promise")]


def test_the_audit_finds_every_side_equal(demo: Demo, casebus: Any) -> None:
    """Source against bus against journal against view."""
    report = casebus("audit", demo.folder, "--json").good().json
    assert report["equal"] is True
    assert report["counts"]["bus"] > len(demo.truth["by_case"])


def test_what_is_asked_afterwards_agrees_with_the_truth(demo: Demo, casebus: Any) -> None:
    """`stats`, `watch`, `case show`, `deadletters`: each for people and as JSON."""
    stats = casebus("stats", demo.folder, "--json").good().json
    assert stats["clocks"]["total"]["cases"] == CASES
    assert casebus("stats", demo.folder).good().out.startswith("╭─ as of 2026-06-30 18:00")
    board = casebus("watch", demo.folder, "--json").good().json
    assert board["cases"] == CASES
    assert "Lights by department" in casebus("watch", demo.folder, "--once").good().out
    letters = casebus("deadletters", "list", demo.folder, "--json").good().json
    assert len(letters) == sum(demo.truth["dead_letters"].values())
    shown = casebus("deadletters", "show", letters[0]["id"], demo.folder, "--json").good().json
    assert shown["reason"] == letters[0]["reason"]
    assert shown["raw"]


def test_a_case_explains_its_clock(demo: Demo, casebus: Any) -> None:
    """The number alone is enough; every counted day has its article."""
    told = next(case for case in demo.truth["by_case"] if case["paused_days"])
    shown = casebus("case", "show", told["case"], demo.folder, "--json").good().json
    assert shown["clock"]["elapsed_days"] == told["elapsed_days"]
    assert shown["clock"]["paused_days"] == told["paused_days"]
    assert any(line["kind"] == "paused" for line in shown["account"])
    unknown = casebus("case", "show", "42", demo.folder)
    assert (unknown.code, "no case has this number" in unknown.err) == (2, True)


def test_known_then_is_less_than_known_now(demo: Demo, casebus: Any) -> None:
    """Late rows were not known in May; what happened by the end of April was mostly known by then."""
    now = casebus("stats", demo.folder, "--at", "2026-04-30T18:00", "--json").good().json
    then = casebus("stats", demo.folder, "--at", "2026-04-30T18:00", "--known", "2026-04-30T18:00", "--json").good().json
    assert 0 < then["events"] < now["events"] < sum(demo.truth["events_by_department"].values())


def test_a_second_run_adds_nothing(demo: Demo, casebus: Any) -> None:
    """Positions and ids do not depend on the run."""
    before = casebus("stats", demo.folder, "--json").good().json
    again = casebus("up", demo.folder, "--exit", "--json").good().json
    after = casebus("stats", demo.folder, "--json").good().json
    assert again["failures"] == []
    assert after == before
    assert again["dead_letters"] == sum(demo.truth["dead_letters"].values())


def test_doctor_and_check_find_nothing_to_mend(demo: Demo, casebus: Any) -> None:
    """On a machine where the demo runs."""
    assert casebus("check", demo.folder, "--json").good().json["good"] is True
    findings = casebus("doctor", demo.folder, "--json").good().json["findings"]
    assert {"Python", "package names", "disk", "topics", "clocks"} <= {finding["what"] for finding in findings}


def test_one_broken_connector_stops_no_other(demo: Demo, casebus: Any, tmp_path: Path) -> None:
    """A file that is not there: exit 2 and its name. A broken one: a dead letter. Every other system's events are there."""
    folder = tmp_path / "city"
    shutil.copytree(demo.folder, folder, ignore=shutil.ignore_patterns(".casebus", "deliveries"))
    (folder / "exports" / "fire.csv").unlink()
    (folder / "exports" / "planning.xml").write_text("<cases><case>", encoding="utf-8")
    ended = casebus("up", folder, "--exit", "--json")
    assert ended.code == 2
    assert [failure.split(":")[0] for failure in ended.json["failures"]] == ["fire"]
    assert "fire.csv is not there" in ended.json["failures"][0]
    letters = casebus("deadletters", "list", folder, "--json").good().json
    assert [letter["position"] for letter in letters if letter["system"] == "planning"] == ["planning.xml:1 (1)"]
    stats = casebus("stats", folder, "--json").good().json
    assert stats["clocks"]["total"]["cases"] == CASES


def test_a_folder_of_somebody_else_is_left_alone(casebus: Any, tmp_path: Path) -> None:
    """The demo makes its folder anew each time, but only its own."""
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    ended = casebus("demo", "--exit", "--dir", tmp_path)
    assert (ended.code, "holds something else" in ended.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_nothing_is_left_behind_when_up_is_killed(demo: Demo, tmp_path: Path) -> None:
    """kill -9 of `up`: its services and its broker end by themselves."""
    folder = tmp_path / "city"
    shutil.copytree(demo.folder, folder, ignore=shutil.ignore_patterns(".casebus", "deliveries"))
    with subprocess.Popen([sys.executable, "-P", "-m", "casebus", "up", folder], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        next(line for line in process.stderr if "up; " in line)
        wait_for(lambda: len(children(folder)) >= 5)
        left = children(folder)
        process.kill()
    _, alive = psutil.wait_procs(left, 40)
    assert alive == []


def test_up_ends_in_order_on_sigterm(demo: Demo, tmp_path: Path) -> None:
    """A supervisor of the system's own stops it like that: exit 0, nothing left."""
    folder = tmp_path / "city"
    shutil.copytree(demo.folder, folder, ignore=shutil.ignore_patterns(".casebus", "deliveries"))
    with subprocess.Popen([sys.executable, "-P", "-m", "casebus", "up", folder], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        next(line for line in process.stderr if "up; " in line)
        wait_for(lambda: len(children(folder)) >= 5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert children(folder) == []


def children(folder: Path) -> list[psutil.Process]:
    """Processes that work for this folder."""
    running = psutil.process_iter(["cmdline"])
    return [process for process in running if any(str(folder) in part for part in process.info["cmdline"] or ())]


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_questions_about_a_month_an_item_and_the_hall_are_answered(demo: Demo, casebus: Any, tmp_path: Any) -> None:
    """`figures` and `export`, as a supervisor asks at the end of June."""
    june = ("--from", "2026-06-01", "--to", "2026-06-30")
    service = casebus("figures", "service", demo.folder, *june, "--json").good().json
    assert service["before"] == ["2026-05-01", "2026-05-31"]
    assert 0 < service["changes"]["on_time"]["now"] <= 1
    assert "Whose days" in casebus("figures", "service", demo.folder, *june).good().out
    graph = casebus("figures", "map", demo.folder, "--json").good().json
    assert graph["cases"] == CASES
    assert casebus("figures", "hall", demo.folder, *june, "--json").good().json["halls"]
    assert "8 items on 2025-06-30, 7 on 2026-06-30" in casebus("figures", "catalogue", demo.folder).good().out
    assert casebus("figures", "standard", demo.folder).good().out
    log = tmp_path / "log.xes"
    casebus("export", demo.folder, "--to", str(log)).good()
    assert log.read_text(encoding="utf-8").count("<trace") == CASES
