"""Lights, clocks and times: as of now, by the item that held then, in local days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import monitor_world as world
import pytest

from monitor.clockmode import clock
from monitor.lights import Clockwork, Lit, lit, open_cases
from monitor.mask import masked, person
from monitor.times import iso, local_date, micros, shown
from monitor.view import View
from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Case
from schemas.clock import ClockRules, Light, Limit, Reading

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(CalendarSettings())


class Listed(NamedTuple):
    """An item with a promise of so many days."""

    promised: Limit
    statutory: Limit | None = None
    joint: bool = False


class Items:
    """A catalogue whose item promised more before March 2025, and that remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def item(self, code, version, on, region=""):
        self.asked.append((code, version, on, region))
        return Listed(Limit(30 if on < date(2025, 3, 1) else 3))


@pytest.fixture
def view(tmp_path):
    opened = View.at(tmp_path / "view.db")
    yield opened
    opened.close()


def case(**fields):
    return Case(
        world.KEY, **({"applied_at": world.at(0), "accepted_at": world.at(1), "item": "0123", "region": "500103"} | fields)
    )


def test_the_item_that_held_on_the_day_of_application_sets_the_limit():
    """By local date and region; the version the case names is asked for."""
    items = Items()
    clockwork = Clockwork(ClockRules(), CALENDAR, ZONE, items)
    assert clockwork.reading(case(item_version="2"), world.at(24 * 8)).promised_limit == 3
    assert items.asked == [("0123", "2", date(2025, 3, 3), "500103")]


def test_a_case_without_item_is_judged_by_what_it_says_itself():
    """No catalogue is asked, and nothing fails."""
    clockwork = Clockwork(ClockRules(), CALENDAR, ZONE, Items())
    assert clockwork.reading(case(item="", promised_days=7), world.at(24)).promised_limit == 7


def test_the_same_case_is_green_then_yellow_then_red():
    """Nothing comes in between: only time passes."""
    clockwork = Clockwork(ClockRules(), CALENDAR, ZONE)
    promised = case(promised_days=8, statutory_days=15)
    lights = [clockwork.reading(promised, world.at(24 * days)).light for days in (1, 9, 40)]
    assert lights == [Light.GREEN, Light.YELLOW, Light.RED]


def test_urgency_puts_red_before_yellow_and_fewer_days_first():
    """What a supervisor sees at the top."""
    red = Lit(Case("c"), Reading(light=Light.RED, elapsed_days=21, statutory_limit=20))
    soon = Lit(Case("b"), Reading(light=Light.YELLOW, elapsed_days=4, promised_limit=5))
    later = Lit(Case("a"), Reading(light=Light.YELLOW, elapsed_days=4, promised_limit=6))
    unlimited = Lit(Case("d"), Reading(light=Light.YELLOW))
    ordered = sorted([unlimited, later, soon, red], key=lambda one: one.urgency)
    assert [one.case.key for one in ordered] == ["c", "b", "a", "d"]


def test_only_open_cases_have_a_light(view):
    """Ended, provisional, expired cases and other names of a case are left out."""
    states = [
        world.state([], case()),
        world.state([], Case("city:0002", applied_at=1, ended_at=2)),
        world.state([], Case("city:0003")),
        world.state([], Case("city:0004", applied_at=1), forwards_to="city:0001"),
        world.state([], Case("city:0005", applied_at=1), expired=True),
    ]
    view.apply_batch([world.state_record(one, n) for n, one in enumerate(states)], {}, world.CODEC)
    clockwork = Clockwork(ClockRules(), CALENDAR, ZONE)
    with view.snapshot() as snapshot:
        assert [one.case.key for one in lit(open_cases(snapshot), clockwork, world.at(1))] == [world.KEY]
        assert list(open_cases(snapshot, ["city:0002"])) == []


def test_frozen_time_stands_and_replayed_time_follows_the_newest_receipt(view):
    """An empty view is in 1970; an event carries the clock forward."""
    assert clock("frozen", 7, view)() == 7
    now = clock("replay", None, view)
    assert now() == 0
    event = world.event("Applied", 5)
    view.apply_batch([world.journal_record(world.chain([event])[0], 0)], {}, world.CODEC)
    assert now() == event.received_at
    assert clock("replay", 9, view)() == 9


def test_wall_time_is_the_machines(view):
    """In microseconds."""
    before = datetime.now(UTC)
    assert micros(before) <= clock("wall", None, view)() <= micros(datetime.now(UTC))


def test_local_midnight_is_another_day_in_utc():
    """Dates are those of the deployment's zone."""
    moment = micros(datetime(2025, 3, 2, 16, 0, tzinfo=UTC))
    assert local_date(moment, ZONE) == date(2025, 3, 3)
    assert iso(moment, ZONE) == "2025-03-03T00:00:00+08:00"
    assert iso(moment + 588_000, ZONE) == "2025-03-03T00:00:00.588+08:00"
    assert (shown(moment, ZONE), shown(None, ZONE), iso(None, ZONE)) == ("2025-03-03 00:00", "", None)


def test_people_are_told_apart_without_being_named():
    """Clear names keep one character, sealed ones none; the key of a sealed one still counts as one person."""
    assert [masked(name) for name in ("王小明", "", "sealed:k1")] == ["王**", "", "(sealed)"]
    assert person({"key": "k1", "cipher": b""}) == "sealed:k1"
    assert (person({"value": "王小明"}), person(None)) == ("王小明", "")
