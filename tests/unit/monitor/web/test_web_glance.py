"""A case at one glance: the days left of the limit that is shown, and which day is its last."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.lights import Clockwork, Lit
from monitor.web.glance import Glance, glance
from monitor.web.models.place import pace
from monitor.web.picture import Lamps
from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Case, Outcome, Pause
from schemas.clock import ClockRules, Limit, Unit

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar.from_settings(CalendarSettings())


class Item(NamedTuple):
    """What a catalogue would say, to whoever asks."""

    promised: Limit | None = None
    statutory: Limit | None = None
    joint: bool = False
    hands_up: bool = False

    def item(self, *_):
        return self

    def step(self, _):
        return None


MOVED = Item(Limit(5, Unit.NATURAL), Limit(20, Unit.NATURAL))
MIXED = Item(Limit(18), Limit(20, Unit.NATURAL))


def at(day):
    """Ten in the morning of a day of March 2026, which begins on a Sunday."""
    return int(datetime(2026, 3, day, 10, tzinfo=ZONE).timestamp()) * 1_000_000


def case(**fields):
    """Accepted on Monday 2 March."""
    known = {"authority": "housing@500103", "region": "500103", "item": "I-1", "applied_at": at(2), "accepted_at": at(2)}
    return Case(**({"key": "city:1"} | known | fields))


def clockwork(item):
    return Clockwork(ClockRules(), CALENDAR, ZONE, item)


def seen(item, day, **fields) -> Glance:
    return glance(case(**fields), clockwork(item), at(day))


def last_days(one: Glance) -> int:
    lamps = Lamps()
    lamps.add(one)
    return lamps.last_day


def test_a_limit_that_moved_ends_on_the_day_it_moved_to():
    """Five natural days end on Monday the 9th: it is not over on the weekend, and the weekend is not its last day."""
    told = [(one.left, last_days(one)) for day in (6, 7, 8, 9, 10) if (one := seen(MOVED, day))]
    assert told == [(1, 0), (0, 0), (0, 0), (0, 1), (-3, 0)]


def test_a_limit_ends_on_its_last_day_and_not_on_the_weekend_after():
    """Four working days end on Friday the 6th; with a procedure open nobody knows."""
    item = Item(Limit(4))
    assert [last_days(seen(item, day)) for day in (5, 6, 7, 8, 9)] == [0, 1, 0, 0, 0]
    assert last_days(seen(item, 6, pauses=[Pause("p", at(6))])) == 0


def test_the_days_shown_are_those_of_the_limit_shown():
    """Red by the law's natural days, with working days left of the promise."""
    one = seen(MIXED, 24)
    assert (one.light, one.elapsed, one.limit, one.left, one.due) == ("red", 22, 20, -2, "2026-03-23")
    assert Lit(case(), clockwork(MIXED).reading(case(), at(24))).left == -2
    green = seen(MIXED, 13)
    assert (green.light, green.elapsed, green.limit, green.left) == ("green", 9, 18, 9)


def test_a_limit_was_kept_when_its_clock_says_so():
    """Decided on the day it moved to; ended because the applicant did not come; a day too late."""
    ends = [(9, Outcome.GRANTED), (30, Outcome.LAPSED), (10, Outcome.GRANTED)]
    kept = [pace([seen(MOVED, 31, stopped_at=at(day), ended_at=at(day), outcome=how)]).on_time for day, how in ends]
    assert kept == [1.0, 1.0, 0.0]
