"""The legal clock against a whole made-up city whose truth was computed by other code (gen_city.py)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Extension, Pause
from schemas.clock import ClockRules, Facts, Kind, Limit, explain, read

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: The generator's rules as a deployment writes them: whatever extension was granted counts, in full.
CITY = ClockRules.model_validate({"extension": {"days": None, "joint": None, "late": "counted"}})


def micros(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def moment(text: str) -> int:
    return micros(text) or 0


@pytest.fixture(params=range(1, 6))
def city(request: pytest.FixtureRequest, made_city: Callable[[int], Path]) -> Path:
    """One small city."""
    return made_city(request.param)


@pytest.fixture
def calendar(city: Path) -> Calendar:
    return Calendar.from_settings(CalendarSettings(country=None, files=("calendar.json",)), city)


def truths(city: Path) -> Iterator[dict[str, Any]]:
    with (city / "truth_cases.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def extensions(city: Path) -> dict[str, list[Extension]]:
    """The truth has only their sum; each stands in the events."""
    found: dict[str, list[Extension]] = {}
    with (city / "events.jsonl").open(encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            if event["type"] == "EXTENDED":
                found.setdefault(event["case_no"], []).append(Extension(moment(event["time"]), event["data"]["days"]))
    return found


def facts_of_truth(case: dict[str, Any], granted: list[Extension]) -> Facts:
    pauses = [Pause(str(number), moment(start), micros(end)) for number, (start, end) in enumerate(case["pauses"])]
    limits = Limit(case["promise_days"]), Limit(case["legal_days"])
    return Facts(moment(case["accepted"]), micros(case["clock_stop"]), pauses, granted, *limits, bool(case["joint"]))


def test_the_clock_equals_the_truth_of_every_accepted_case_at_the_end(city: Path, calendar: Calendar) -> None:
    """Elapsed and paused days, due date and both verdicts, for every accepted case."""
    end = moment(json.loads((city / "truth_summary.json").read_text("utf-8"))["span"][1])
    granted, seen = extensions(city), 0
    for case in truths(city):
        if case["accepted"] is None:
            continue
        facts = facts_of_truth(case, granted.get(case["case_no"], []))
        shown = read(facts, CITY, calendar, SHANGHAI, end)
        assert (shown.elapsed_days, shown.paused_days) == (case["elapsed_workdays"], case["paused_workdays"]), case
        assert (str(shown.due) if shown.due else None) == case["due_date"], case
        assert (shown.overdue_promise, shown.overdue_legal) == (case["overdue_promise"], case["overdue_legal"]), case
        assert shown.running is (case["clock_stop"] is None), case
        seen += 1
    assert seen > 150  # of 300


def test_the_clock_equals_the_truth_at_the_as_of_times(city: Path, calendar: Calendar) -> None:
    """The same facts read at earlier times give exactly the overdue cases of truth_at.csv, with their numbers."""
    rows = [line.split(",") for line in (city / "truth_at.csv").read_text("utf-8").splitlines()[1:]]
    granted, cases = extensions(city), [case for case in truths(city) if case["accepted"]]
    summary = json.loads((city / "truth_summary.json").read_text("utf-8"))
    for as_of in (each["as_of"] for each in summary["at"]):
        found = []
        for case in cases:
            shown = read(facts_of_truth(case, granted.get(case["case_no"], [])), CITY, calendar, SHANGHAI, moment(as_of))
            if shown.overdue_promise:
                clock = "running" if shown.running else "stopped"
                numbers = [shown.elapsed_days, shown.promised_limit, shown.statutory_limit]
                flags = [int(shown.overdue_legal), int(shown.paused)]
                found.append([as_of, case["case_no"], case["region"], case["dept"], clock, *map(str, (*numbers, *flags))])
        assert sorted(found) == sorted(row for row in rows if row[0] == as_of)


def test_the_explanation_counts_the_days_that_the_clock_shows(city: Path, calendar: Calendar) -> None:
    """Every counted and paused day has a line of its own."""
    end = moment(json.loads((city / "truth_summary.json").read_text("utf-8"))["span"][1])
    for case in truths(city):
        if case["accepted"] is not None:
            lines = explain(facts_of_truth(case, []), CITY, calendar, SHANGHAI, end)
            assert sum(line.kind is Kind.COUNTED for line in lines) == case["elapsed_workdays"]
            assert sum(line.kind is Kind.PAUSED for line in lines) == case["paused_workdays"]
