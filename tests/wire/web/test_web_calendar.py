"""Whose due dates another calendar moves, on the page: by department, in the regions somebody sees; days as people type them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from starlette.requests import Request
from web_world import GREEN

from monitor.web import frame
from monitor.web.access import Role, User
from monitor.web.calendars import Change
from monitor.web.models.moved import days
from monitor.web.pages import calendar
from schemas.calendar import Calendar, CalendarSettings, Notice
from schemas.problem import Problem, ProblemsError

#: The world is at Saturday 2025-04-12; the green case was accepted the day before and is promised in five days.
OFF = (date(2025, 4, 14), date(2025, 4, 15))


class Calendars:
    """Knows one file, and one that is broken."""

    def files(self):
        return [("a.yaml", False), ("b.yaml", False)]

    def of_file(self, name):
        if name == "b.yaml":
            raise ProblemsError(Problem("b.yaml:1", "no mapping at the top", "Write `key: value` lines."))
        if name != "a.yaml":
            raise LookupError(name)
        return self.of_days(OFF, ())

    def of_days(self, off, worked):
        settings, notice = CalendarSettings(), Notice(holidays=tuple(off), makeup_workdays=tuple(worked))
        return Change(Calendar(settings), Calendar(settings, [notice]), [notice])


@pytest.fixture
def see(site):
    def seen(query, region=""):
        request = Request({"type": "http", "path": "/calendar", "query_string": query.encode(), "headers": []})
        request.state.user = User("somebody", Role.SUPERVISOR, region)
        return frame.visit(replace(site, calendars=Calendars()), request)

    return seen


def drawn(seen):
    change, wanted = calendar.change_of(seen, calendar.wanted_of(seen))
    assert change is not None
    return calendar.drawn(seen, wanted, calendar.counted(seen, wanted, change))


@pytest.mark.parametrize("query", ["off=2025-04-14+%E2%80%93+2025-04-15", "file=a.yaml"])
def test_cases_whose_due_date_moves_are_listed_with_both_days(see, query):
    """Two days off: the promise of the green case ends two working days later."""
    page = drawn(see(query))
    assert "2025-04-14, 2025-04-15" in page
    assert GREEN.partition(":")[2] in page
    row = page[page.index("promised limit") :]
    assert row.index("2025-04-18") < row.index("2025-04-22")


def test_who_sees_a_region_sees_the_cases_of_that_region_only(see):
    """The green case lies in region 12, the red one in 11."""
    number = GREEN.partition(":")[2]
    assert number in drawn(see("file=a.yaml", "12"))
    assert number not in drawn(see("file=a.yaml", "11"))


def test_days_that_are_off_already_move_nothing(see):
    """A Sunday."""
    assert "No day changes" in drawn(see("off=2025-04-20"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("off=tomorrow", "“tomorrow” is no day"),
        ("file=c.yaml", "no official file c.yaml"),
        ("file=b.yaml", "b.yaml:1: no mapping"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_counted(see, query, said):
    """In a sentence, in the place of an answer."""
    seen = see(query)
    change, wanted = calendar.change_of(seen, calendar.wanted_of(seen))
    assert change is None
    assert said in seen.render("calendar.html", **calendar.choices(seen, wanted))


def test_a_page_that_nobody_asks_anything_counts_nothing(see):
    """Only the form, with the files there are."""
    seen = see("")
    change, wanted = calendar.change_of(seen, calendar.wanted_of(seen))
    assert change is None
    assert "a.yaml" in seen.render("calendar.html", **calendar.choices(seen, wanted))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("", []),
        ("2026-10-01", [1]),
        ("2026-10-01 – 2026-10-03, 2026-10-05", [1, 2, 3, 5]),
        ("2026/10/1~2026/10/2；2026年10月4日", [1, 2, 4]),
        ("2026-10-02 2026-10-01、2026-10-02", [1, 2]),
        ("2026-10-01 至 2026-10-02", [1, 2]),
    ],
)
def test_days_are_read_as_people_type_them(text, right):
    """With ranges, in either punctuation, in any order."""
    assert days(text) == [date(2026, 10, day) for day in right]


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-13-01", "2026-10-07 – 2026-10-01", "2020-01-01 – 2026-01-01", "0001-01-01", "2026-10-01 x"]
)
def test_what_is_no_day_is_refused(text):
    """Also a range that ends before it begins, or is longer than a year."""
    with pytest.raises(ValueError, match=r"\S"):
        days(text)
