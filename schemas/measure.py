"""How much of one span's limit is used, and when it ends: in days, in office hours, or until a moment that was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from schemas import hours
from schemas.case import Pause
from schemas.count import Count
from schemas.instants import local_date
from schemas.limits import Terms, plain_count, without
from schemas.rules import Limit, LimitRow, Unit
from schemas.spans import Span


class Measure(StrEnum):
    """What a limit is counted in: working days, natural days, office hours."""

    WORKING = "working"
    NATURAL = "natural"
    HOURS = "hours"


class Tally(NamedTuple):
    """What is used of a limit by a time. `due` and `due_at` are None while an open procedure leaves the end unknown."""

    limit: float
    unit: Measure
    elapsed: float
    due: date | None
    due_at: int | None
    passed: bool
    paused: bool = False


def measure(span: Span, row: LimitRow, pauses: Sequence[Pause], terms: Terms, till: int) -> Tally | None:
    """The tally of a span up to a moment; None where neither the case nor the row names a limit that can be counted."""
    limit = span.limit or (Limit(row.days, row.unit) if row.days is not None else None)
    if span.due is not None:
        return _told(span, span.due, terms, till)
    if limit is not None:
        count = plain_count(span.start, till, limit.unit, terms)
        taken = [one for one in pauses if one.start <= till] if row.pauses else ()
        return in_days(without(count, taken, terms), limit.days, terms)
    return _in_hours(span, row.hours, terms, till) if row.hours is not None and terms.calendar.office_hours else None


def in_days(count: Count, days: int, terms: Terms) -> Tally:
    """The end is known in an open procedure too, once it is passed."""
    passed = count.passed(days)
    due = count.end(days) if passed or not count.paused else None
    elapsed = count.counted(count.start, count.till)
    return Tally(days, Measure(count.unit.value), elapsed, due, _over(due, terms), passed, count.paused)


def _in_hours(span: Span, limit: float, terms: Terms, till: int) -> Tally:
    due = hours.due_after(span.start, limit, terms.calendar, terms.zone)
    elapsed = hours.passed(span.start, till, terms.calendar, terms.zone)
    return Tally(limit, Measure.HOURS, round(elapsed, 2), local_date(due, terms.zone), due, till > due)


def _told(span: Span, due: int, terms: Terms, till: int) -> Tally:
    """Until the end of a day that was told; natural days tell how long that is."""
    count = plain_count(span.start, till, Unit.NATURAL, terms)
    day = local_date(due, terms.zone)
    elapsed = count.counted(count.start, count.till)
    limit = max(0, (day - count.start).days)
    return Tally(limit, Measure.NATURAL, elapsed, day, _over(day, terms), count.till > day)


def _over(due: date | None, terms: Terms) -> int | None:
    """The moment the last day is over; None too for an end that never comes."""
    return None if due is None or due == date.max else hours.midnight_after(due, terms.zone)
