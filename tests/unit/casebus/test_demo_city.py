"""The made-up city: the same every time, lawful in its calendar, and truthful about what it wrote."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import holidays
import pytest

from casebus import demo_city as city
from casebus import demo_exports as exports
from casebus.demo_truth import truth_of


def test_the_same_arguments_write_the_same_city(tmp_path: Path) -> None:
    """A truth that changes between runs proves nothing."""
    for name in ("a", "b"):
        exports.write(tmp_path / name, 40, 3)
    for file in ("truth.json", "quality.csv", "market.jsonl", "planning.xml", "fire.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_more_cases_do_not_change_the_earlier_ones() -> None:
    """So a failing case of a large city can be looked at in a small one."""
    few, many = city.simulate(20, 5), city.simulate(40, 5)
    assert [case.facts for case in few] == [case.facts for case in many[:20]]


def test_its_working_days_are_the_official_ones() -> None:
    """The table of moved working days, against an independent calendar."""
    official = holidays.country_holidays("CN", years=2026)
    days = [date(2026, 1, 1) + timedelta(number) for number in range(365)]
    assert [city.working(day) for day in days] == [official.is_working_day(day) for day in days]


@pytest.mark.parametrize("flow", sorted(city.FLOWS))
def test_every_flow_moves_forward_in_time(flow: str) -> None:
    """Facts are put down in the order they happen, joint parts aside, and none lies after the end of the city."""
    cases = [case for case in city.simulate(300, 11) if case.item.flow == flow]
    assert cases
    for case in cases:
        times = [fact.at for fact in case.facts if "part" not in fact.values and fact.department != city.FIRE]
        assert times == sorted(times)
        assert all(fact.at <= city.NOW for fact in case.facts)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}")


def told(*facts: tuple[str, str, int]) -> dict[str, object]:
    """The truth about a case of the inspection (5 days promised) from (moment, kind, days)."""
    made = [city.Fact(at(moment), kind, city.QUALITY, city.CITY, "1", {"days": days}) for moment, kind, days in facts]
    return truth_of(city.Case("1", city.ITEMS[0], city.CITY, Random(1), at("03-02T09:00"), made))


def test_the_truth_counts_working_days_without_the_pause() -> None:
    """Accepted on a Monday, paused Wednesday to the next Wednesday, decided the Friday after: Tue, Wed, Thu, Fri."""
    truth = told(
        ("03-02T09:00", "apply", 0),
        ("03-02T10:00", "accept", 0),
        ("03-04T10:00", "pause", 0),
        ("03-11T10:00", "resume", 0),
        ("03-13T10:00", "grant", 0),
    )
    assert (truth["elapsed_days"], truth["paused_days"], truth["due"], truth["overdue"]) == (4, 5, "2026-03-16", False)
    assert (truth["phase"], truth["outcome"]) == ("ended", "granted")


def test_the_truth_knows_a_case_that_is_late_and_still_open() -> None:
    """Nothing stopped the clock, so it runs to the end of the city; an open pause has no due date."""
    late = told(("06-01T09:00", "apply", 0), ("06-01T10:00", "accept", 0))
    assert (late["phase"], late["outcome"], late["overdue"], late["overdue_legal"]) == ("accepted", None, True, True)
    paused = told(("06-01T09:00", "apply", 0), ("06-01T10:00", "accept", 0), ("06-02T10:00", "pause", 0))
    assert (paused["due"], paused["elapsed_days"], paused["paused"]) == (None, 1, True)


def test_the_truth_is_counted_from_what_is_in_the_exports(tmp_path: Path) -> None:
    """Good serial numbers in the hall's table are as many as the hall's facts; the wrong ones as many as told."""
    truth = exports.write(tmp_path, 60, 9)
    with sqlite3.connect(tmp_path / "hall.sqlite") as db:
        serials = [serial for (serial,) in db.execute("SELECT DISTINCT serial FROM window_log")]
    good = [serial for serial in serials if "-X" not in serial]
    assert len(good) == truth["events_by_department"][city.HALL]
    assert truth == json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    lines = (tmp_path / "market.jsonl").read_text(encoding="utf-8").splitlines()
    assert truth["dead_letters"]["broken_line"] == sum(not line.endswith("}") for line in lines)


def test_every_kind_of_dirt_is_in_it(tmp_path: Path) -> None:
    """Otherwise the demo would show a cleaner world than the one departments live in."""
    truth = exports.write(tmp_path, 120, 2)
    kinds = {"missing_time", "impossible_date", "unknown_code", "missing_case", "orphan", "broken_line", "unknown_item"}
    assert set(truth["dead_letters"]) == kinds
    rows = [line.split(",")[:2] for line in (tmp_path / "quality.csv").read_text(encoding="gb18030").splitlines()[1:]]
    assert "2" in {version for _, version in rows}
    assert max(Counter(map(tuple, rows)).values()) > 1
