"""Whose due dates another calendar moves: by hand on a few cases, and against the truth of a made-up city."""

from __future__ import annotations

import json
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import monitor_city
import monitor_world as world
import pytest

from monitor.lights import Clockwork, open_cases
from monitor.statistics.moving import by_limit, changed_days, moving
from monitor.view import View
from schemas.calendar import Calendar, CalendarSettings, Notice
from schemas.case import Case, Pause
from schemas.clock import ClockRules

SETTINGS = CalendarSettings(country=None)
OLD = Calendar(SETTINGS)
CLOCKWORK = Clockwork(ClockRules.model_validate({"limits": {}}), OLD, ZoneInfo("Asia/Shanghai"))
#: Friday and Monday off, the Saturday between them worked.
NOTICE = Notice.model_validate({"holidays": ["2025-03-07", "2025-03-10"], "makeup_workdays": ["2025-03-08"]})
NEW = Calendar(SETTINGS, [NOTICE])
DAYS = {date(2025, 3, 7): False, date(2025, 3, 8): True, date(2025, 3, 10): False}
#: Wednesday of the second week.
NOW = world.at(24 * 9)


@pytest.fixture
def tell(tmp_path):
    """Cases of the authority, applied for and accepted on Monday 3 March, into a view; what moves."""
    view = View.at(tmp_path / "view.db")

    def told(cases, notice=NOTICE, clockwork=CLOCKWORK):
        known = {
            "authority": "quality@500103",
            "region": "500103",
            "item": "1",
            "applied_at": world.at(9),
            "received_at": world.at(9),
        }
        built = [Case(f"city:{number}", **(known | {"accepted_at": world.at(9)} | said)) for number, said in cases.items()]
        records = [world.state_record(world.state([], one), number) for number, one in enumerate(built)]
        view.apply_batch(records, {}, world.CODEC)
        new = Calendar(SETTINGS, [notice])
        with view.snapshot() as snapshot:
            return list(moving(snapshot, clockwork, new, changed_days(clockwork.calendar, new, [notice]), NOW))

    yield told
    view.close()


def test_the_days_that_change_are_named():
    """Two days off, one worked; the Sunday between them stays what it was, and the same calendar changes nothing."""
    assert changed_days(OLD, NEW, [NOTICE]) == DAYS
    assert changed_days(NEW, NEW, [NOTICE]) == {}
    assert changed_days(NEW, OLD, [NOTICE]) == {day: not works for day, works in DAYS.items()}


def test_each_limit_is_told_with_its_last_days_and_the_days_that_moved_it(tell):
    """Ends on Thursday: stays. On Friday: the Saturday is worked instead. On Monday: Tuesday. The law's limit moves alone."""
    found = tell({number: {"promised_days": days, "statutory_days": 3} for number, days in {"a": 3, "b": 4, "c": 5}.items()})
    assert [(one.number, one.limit, one.before, one.after, one.by_days) for one in found] == [
        ("b", "promised", date(2025, 3, 7), date(2025, 3, 8), {"2025-03-07": False, "2025-03-08": True}),
        (
            "c",
            "promised",
            date(2025, 3, 10),
            date(2025, 3, 11),
            {"2025-03-07": False, "2025-03-08": True, "2025-03-10": False},
        ),
    ]
    assert (found[0].region, found[0].department, found[0].item, found[0].who) == ("500103", "quality", "1", "quality@500103")
    assert by_limit(found) == {"promised": 2}


def test_what_was_met_is_told_only_where_its_light_changes(tell):
    """Decided on the Monday: with five days in time before and after; with four late, until the Friday is told to be off."""
    off = Notice.model_validate({"holidays": ["2025-03-07"]})
    stopped = {"stopped_at": world.at(24 * 7 + 9), "ended_at": world.at(24 * 7 + 9), "statutory_days": 5}
    found = tell({"kept": {"promised_days": 5, **stopped}, "late": {"promised_days": 4, **stopped}}, off)
    assert [(one.number, one.limit, one.light_before, one.light_after) for one in found] == [
        ("late", "promised", "yellow", "green"),
    ]


def test_a_day_that_a_procedure_takes_moves_nothing(tell):
    """The clock stood still from Thursday to Monday; while it stands still the last day is unknown, before and after."""
    pause = Pause("p", world.at(24 * 3), world.at(24 * 7), "HEARING")
    standing = Pause("p", world.at(24 * 3), None, "HEARING")
    assert tell({"a": {"promised_days": 6, "pauses": [pause]}, "b": {"promised_days": 6, "pauses": [standing]}}) == []


def test_names_of_other_cases_and_work_without_an_application_are_left_out(tell):
    """Only what was applied for has a due date, under its own key."""
    assert tell({"a": {"promised_days": 5, "applied_at": None}}) == []


def test_after_the_notice_every_due_date_is_that_of_the_truth(shared, tmp_path):
    """A city whose calendar had the Wednesdays of winter off: each case listed gets the truth's date, the others had it."""
    city = monitor_city.City(shared, tmp_path, 4, cases=900)
    whole = json.loads((city.folder / "calendar.json").read_text(encoding="utf-8"))
    wednesdays = [str(date(2025, 12, 3) + timedelta(7 * week)) for week in range(12)]
    old, notice = (Notice.model_validate(whole | {"holidays": whole["holidays"] + more}) for more in (wednesdays, []))
    clockwork = city.clockwork._replace(calendar=Calendar(SETTINGS, [old]))
    new, end = Calendar(SETTINGS, [notice]), monitor_city.moment(city.summary()["span"][1])
    view = View.at(tmp_path / "view.db")
    city.feed(view)
    with view.snapshot() as snapshot:
        days = changed_days(clockwork.calendar, new, [notice])
        after = {one.number: one for one in moving(snapshot, clockwork, new, days, end) if one.limit == "promised"}
        before = {one.key.partition(":")[2]: clockwork.reading(one, end).due for one in open_cases(snapshot)}
    view.close()
    truth = {one["case_no"]: one["due_date"] for one in city.truth() if one["accepted"] and not one["clock_stop"]}
    found = {number: str(after[number].after) if number in after else said(before[number]) for number in truth}
    assert found == truth
    assert set(days.values()) == {True}
    assert 0 < len(after.keys() & truth.keys()) < len(truth)


def said(day):
    return None if day is None else str(day)
