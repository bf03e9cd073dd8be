"""The answers to applications in whole made-up cities, against the truth that other code computed (gen_city.py)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Case, Outcome, Supplement
from schemas.clock import ClockRules, Light
from schemas.deadlines import Deadline, Own, Terms, deadlines
from schemas.rules import Subject

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: The generator starts its clock with the acceptance alone.
CITY = {"acceptance": {"deemed": "never"}, "extension": {"days": None, "joint": None, "late": "counted"}}
ENDS = {
    "NOT_ACCEPTED": Outcome.NOT_ACCEPTED,
    "RETURNED": Outcome.RETURNED,
    "WITHDRAWN": Outcome.WITHDRAWN,
    "LAPSED": Outcome.LAPSED,
    "TERMINATED": Outcome.TERMINATED,
}


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.fixture(params=range(1, 4), ids="seed {}".format)
def city(request: pytest.FixtureRequest, made_city: Callable[[int], Path]) -> Path:
    """One small city."""
    return made_city(request.param)


@pytest.fixture
def terms(city: Path) -> Terms:
    calendar = Calendar.from_settings(CalendarSettings(country=None, files=("calendar.json",)), city)
    return Terms(ClockRules.model_validate(CITY), calendar, SHANGHAI)


@cache
def cases(city: Path) -> dict[str, Case]:
    """Each case as far as its answers go, from its events in order."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with (city / "events.jsonl").open(encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            if event["case_no"]:
                found[event["case_no"]].append(event)
    return {number: built(number, sorted(events, key=lambda one: one["seq"])) for number, events in found.items()}


def built(number: str, events: list[dict[str, Any]]) -> Case:
    case = Case(f"city:{number}", authority="05@990100")
    for event in events:
        tell(case, event["type"], moment(event["time"]), event["data"])
    return case


def tell(case: Case, kind: str, at: int, data: dict[str, Any]) -> None:
    times = {"SUBMITTED": "applied_at", "RECEIVED": "received_at", "ACCEPTED": "accepted_at", "DECIDED": "stopped_at"}
    if kind in times:
        setattr(case, times[kind], at)
    if kind == "ACCEPTED":
        case.promised_days, case.statutory_days = data["limit"], data["legal"]
    elif kind == "SUPPLEMENT_NOTICE":
        case.supplements = [*case.supplements, Supplement(data["round"], at)]
    elif kind == "SUPPLEMENT_SUBMITTED":
        case.supplements[-1].received_at = at
    elif kind in ENDS:
        case.stopped_at, case.outcome = at, ENDS[kind]


def truths(city: Path) -> Iterator[dict[str, Any]]:
    with (city / "truth_cases.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def end_of(city: Path) -> int:
    return moment(json.loads((city / "truth_summary.json").read_text("utf-8"))["span"][1])


def answers(found: list[Deadline]) -> list[Deadline]:
    return [one for one in found if one.kind is Subject.ANSWER]


def test_every_answer_took_the_working_days_that_the_truth_says(city: Path, terms: Terms) -> None:
    """`answer_workdays` and `answers_over_5_days` of every case, one by one, and their totals."""
    told, end = cases(city), end_of(city)
    given = over = 0
    for truth in truths(city):
        found = answers(deadlines(told[truth["case_no"]], None, terms, end))
        taken = [one.elapsed for one in found if one.met_at is not None]
        late = sum(one.passed for one in found if one.met_at is not None)
        assert (taken, late) == (truth["answer_workdays"], truth["answers_over_5_days"]), truth
        given, over = given + len(taken), over + late
    counts = json.loads((city / "truth_summary.json").read_text("utf-8"))["counts"]
    assert (given, over) == (counts["answers"], counts["answers_over_5_days"])
    assert over > 0


def test_a_late_answer_is_red_and_an_answered_one_is_closed(city: Path, terms: Terms) -> None:
    """The light follows the days; what was answered waits no longer."""
    end = end_of(city)
    for case in cases(city).values():
        for one in answers(deadlines(case, None, terms, end)):
            assert (one.light is Light.RED) == one.passed == (one.elapsed > 5)
            assert one.open is (one.met_at is None and case.stopped_at is None)


def test_without_the_law_of_the_deemed_acceptance_the_clock_starts_with_the_acceptance(city: Path, terms: Terms) -> None:
    """With it, exactly the cases with a late answer before the acceptance start at their receipt."""
    law = terms._replace(rules=ClockRules.model_validate({**CITY, "acceptance": {}}))
    end, seen = end_of(city), 0
    for case in cases(city).values():
        plain, lawful = (deadlines(case, None, each, end) for each in (terms, law))
        starts = [one.started_at for one in plain if one.kind is Own.STATUTORY]
        assert starts == ([] if case.accepted_at is None else [case.accepted_at])
        late = [one.started_at for one in answers(plain) if one.passed]
        moved = [one.started_at for one in lawful if one.kind is Own.STATUTORY]
        assert moved == (late[:1] or starts)
        seen += bool(late)
    assert seen > 0
