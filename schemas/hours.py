"""Limits in hours: only office hours of working days count (the two-hour call-back, 两小时回访)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo

from schemas.calendar import Calendar
from schemas.instants import local_date, micros, midnight

_HOUR = 3_600_000_000


def due_after(start: int, hours: float, calendar: Calendar, zone: tzinfo) -> int:
    """The moment at which so many office hours have passed since `start`; microseconds UTC, as all moments here.

    Raises ValueError for a calendar without office hours, whose limit would never end.
    """
    if not calendar.office_hours:
        raise ValueError("The calendar has no office hours: write calendar.office_hours, such as 09:00-12:00.")
    left = round(hours * _HOUR)
    if left <= 0:
        return start
    for opens, closes in _open(start, calendar, zone):
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
    raise AssertionError("office hours never end")


def passed(start: int, end: int, calendar: Calendar, zone: tzinfo) -> float:
    """Office hours between two moments."""
    total = 0
    for opens, closes in _open(start, calendar, zone) if calendar.office_hours else ():
        if opens >= end:
            break
        total += min(closes, end) - opens
    return total / _HOUR


def midnight_after(day: date, zone: tzinfo) -> int:
    """The moment at which a local day is over."""
    return midnight(day + timedelta(1), zone)


def _open(start: int, calendar: Calendar, zone: tzinfo) -> Iterator[tuple[int, int]]:
    """Office hours from a moment on, as spans of moments, without end."""
    day = calendar.working_or_next(local_date(start, zone))
    while True:
        for opens, closes in calendar.office_hours:
            begin, end = (micros(datetime.combine(day, clock, zone)) for clock in (opens, closes))
            if end > start:
                yield max(begin, start), end
        day = calendar.add(day, 1)
