"""Whose due dates another calendar moves, for the page: by department, with the cases; and days as people type them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from monitor.statistics.moving import Moving
from monitor.statistics.period import YEARS
from monitor.web.access import Scope, within

#: Lines of each department.
MOST = 50
#: Days of one range: a year; more is a slip of the pen.
RANGE = 366
_DAY = r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
_DAYS = re.compile(rf"{_DAY}(?:\s*(?:–|—|\.\.|~|～|至|to| - )\s*{_DAY})?")
_BETWEEN = " \t\r\n,;，；、"


class Place(NamedTuple):
    """One department: its limits that move and whose, the first of them, and how many more."""

    department: str
    cases: int
    moves: list[Moving]
    more: int


class Moved(NamedTuple):
    """Days that change (True: worked now), and what that moves."""

    off: list[date]
    worked: list[date]
    limits: int
    cases: int
    places: list[Place]


def moved(days: dict[date, bool], found: Sequence[Moving], scope: Scope) -> Moved:
    """Of the regions that somebody sees; the department with most cases first."""
    here = [one for one in found if within(one.region, scope)]
    off, worked = ([day for day, works in days.items() if works is which] for which in (False, True))
    return Moved(off, worked, len(here), len({one.case for one in here}), places(here))


def places(found: Iterable[Moving]) -> list[Place]:
    """Changes of light first, then by the last day as it was."""
    ordered = sorted(found, key=attrgetter("department"))
    groups = ((name, sorted(some, key=_urgent)) for name, some in groupby(ordered, key=attrgetter("department")))
    made = [Place(name, len({one.case for one in some}), some[:MOST], max(0, len(some) - MOST)) for name, some in groups]
    return sorted(made, key=lambda one: (-one.cases, one.department))


def _urgent(one: Moving) -> tuple[bool, date, str]:
    return one.light_before == one.light_after, one.before or one.after or date.max, one.case


def days(text: str) -> list[date]:
    """Days and ranges of them: `2026-10-01 – 2026-10-07, 2026-10-10`. Raises ValueError with the part that is none."""
    found: list[date] = []
    rest = text.strip(_BETWEEN)
    while rest:
        match = _DAYS.match(rest)
        if match is None:
            raise ValueError(rest[:20])
        found += _range(match)
        rest = rest[match.end() :].lstrip(_BETWEEN)
    return sorted(set(found))


def _range(match: re.Match[str]) -> list[date]:
    try:
        first = date(*map(int, match.group(1, 2, 3)))
        last = first if match[4] is None else date(*map(int, match.group(4, 5, 6)))
    except ValueError:
        raise ValueError(match[0]) from None
    if not 0 <= (last - first).days <= RANGE or not {first.year, last.year} <= set(YEARS):
        raise ValueError(match[0])
    return [first + timedelta(number) for number in range((last - first).days + 1)]
