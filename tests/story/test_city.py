"""A whole made-up city with known truth (the shared tool gen_city.py) through the whole bus, by YAML only.

Another seed is another city; shuffled, its lines come in no order at all. Each must give the same truth: every case, every
overdue case at every time asked for, every total, every bad line.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from generated_city import differences

pytestmark = [pytest.mark.broker, pytest.mark.shared]
EXAMPLE = Path(__file__).parents[2] / "examples" / "generated-city"
CASES = 500

#: What may be said of each kind of bad line. A line whose type was changed often lacks what its new type needs.
FIT = {
    "malformed": {"broken_line"},
    "missing_time": {"missing_time"},
    "future_time": {"future_time"},
    "bad_region": {"unknown_region"},
    "unknown_item": {"unknown_item"},
    "unknown_type": {"unknown_code"},
    "conflicting_id": {"conflicting_id", "missing_case", "missing_value"},
    "after_final": {"event_after_end", "missing_value"},
    "orphan_case": {"no_application", "missing_value"},
}


class City(NamedTuple):
    """The city's files, the deployment after its run, where each line stands now, and the surroundings of the run."""

    files: Path
    folder: Path
    places: dict[int, int]
    environment: dict[str, str]

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.files / name).read_text(encoding="utf-8").splitlines()]

    def summary(self) -> dict[str, Any]:
        return json.loads((self.files / "truth_summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=[(7, False), (23, True)], ids=["seed 7, as sent", "seed 23, shuffled"])
def city(request: pytest.FixtureRequest, casebus: Any, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    seed, shuffled = request.param
    files, folder = tmp_path_factory.mktemp("city"), tmp_path_factory.mktemp("run") / "city"
    arguments = ["--cases", str(CASES), "--seed", str(seed), "--bad", "0.05", "--out", str(files)]
    subprocess.run([sys.executable, shared / "tools" / "gen_city.py", *arguments], check=True, capture_output=True)
    places = shuffle(files / "events.jsonl", seed if shuffled else None)
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".casebus"))
    environment = {**os.environ, "CASEBUS_CITY": str(files)}
    casebus("up", folder, "--exit", environment=environment).good()
    return City(files, folder, places, environment)


def shuffle(file: Path, seed: int | None) -> dict[int, int]:
    """Where each line stands afterwards; without a seed, where it stood."""
    lines = file.read_bytes().splitlines(keepends=True)
    order = list(range(len(lines)))
    if seed is not None:
        random.Random(seed).shuffle(order)
        file.write_bytes(b"".join(lines[number] for number in order))
    return {number + 1: place for place, number in enumerate(order, 1)}


def test_every_case_equals_its_truth(city: City) -> None:
    """Whose it is, state, times, pauses, extensions, counted and paused days, due date, overdue: of all cases and no others."""
    assert differences(city.files, city.folder) == {}


def test_figures_at_every_time_equal_the_truth(city: City, casebus: Any) -> None:
    """`stats --at T`: totals, regions, departments, days left, and each overdue case with its numbers."""
    overdue = defaultdict(list)
    with (city.files / "truth_at.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            overdue[row.pop("as_of")].append(tuple(row.values()))
    for truth in city.summary()["at"]:
        clocks = (
            casebus("stats", city.folder, "--at", truth["as_of"], "--json", environment=city.environment).good().json["clocks"]
        )
        assert plain(clocks["total"]) == plain(truth["total"])
        assert {name: plain(one) for name, one in clocks["by_region"].items()} == tallies(truth["by_region"])
        assert {name: plain(one) for name, one in clocks["by_department"].items()} == tallies(truth["by_dept"])
        assert clocks["remaining"] == truth["remaining_promise_days_of_running_cases"]
        assert sorted(map(line, clocks["overdue"])) == sorted(overdue[truth["as_of"]])


def plain(tally: dict[str, int]) -> dict[str, int]:
    """A tally without zeros, and without what the truth does not count."""
    return {name: count for name, count in tally.items() if count and name != "elapsed_sum_running"}


def tallies(truth: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {name: plain(one) for name, one in truth.items()}


def line(one: dict[str, Any]) -> tuple[str, ...]:
    """An overdue case in the columns of truth_at.csv."""
    clock = "running" if one["running"] else "stopped"
    days = (one["elapsed"], one["promised_limit"], one["statutory_limit"], int(one["overdue_legal"]), int(one["paused"]))
    return (one["case"].partition(":")[2], one["region"], one["department"], clock, *map(str, days))


def test_totals_at_the_end_equal_the_summary(city: City, casebus: Any) -> None:
    """Cases, and those overdue when the span ends; every good event of a case was counted once."""
    summary = city.summary()
    stats = casebus("stats", city.folder, "--at", summary["span"][1], "--json", environment=city.environment).good().json
    total = stats["clocks"]["total"]
    counts = summary["counts"]
    assert total["cases"] == summary["cases"]
    assert total["running_overdue_promise"] + total["stopped_overdue_promise"] == counts["overdue_promise_at_end"]
    assert total["running_overdue_legal"] + total["stopped_overdue_legal"] == counts["overdue_legal_at_end"]
    assert stats["events"] == sum(row["events"] for row in city.lines("truth_cases.jsonl"))


def test_every_bad_line_is_dropped_or_rejected_with_a_fit_reason(city: City, casebus: Any) -> None:
    """A repeated line leaves no trace; each wrong one is a dead letter at its line; no good line is one."""
    letters = casebus("deadletters", "list", city.folder, "--json", environment=city.environment).good().json
    found = {int(letter["position"].rpartition(":")[2]): letter["reason"] for letter in letters}
    wrong = {city.places[bad["line"]]: bad["kind"] for bad in city.lines("truth_bad.jsonl") if bad["expect"] == "reject"}
    assert set(wrong.values()) == FIT.keys()
    assert found.keys() == wrong.keys()
    assert {place: found[place] for place, kind in wrong.items() if found[place] not in FIT[kind]} == {}


def test_the_audit_finds_every_side_equal(city: City, casebus: Any) -> None:
    """Conflicts, repetitions and forwarded events included."""
    assert casebus("audit", city.folder, "--json", environment=city.environment).good().json["differences"] == []
