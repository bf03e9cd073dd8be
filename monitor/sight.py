"""What indicators look at: one case as it stands now, with its clock, its limits and what was told of it; or one department.

Plain data, so that an indicator is tested without a database. `monitor.gather` makes it from the view.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from monitor.lights import Clockwork
from monitor.times import local_date
from schemas.asof import as_of
from schemas.case import Case, Finding
from schemas.clock import Reading
from schemas.deadlines import Deadline, Own, deadlines
from schemas.rules import Subject

#: Events that speak about a case or its number; the others are work on it.
ABOUT = frozenset({"AlertRaised", "AlertWithdrawn", "SupervisionOpened", "SupervisionClosed", "Linked", "Corrected", "Rated"})
#: Scores that must be followed up (好差评): 1 is very satisfied, 5 very dissatisfied.
BAD = 4


class Told(NamedTuple):
    """One event that counts, by its three times (microseconds since 1970-01-01 UTC); `reported_at` is the source's own stamp."""

    type: str
    authority: str
    occurred_at: int
    reported_at: int | None
    received_at: int


class Seen(NamedTuple):
    """One case as of `now`."""

    case: Case
    now: int = 0
    reading: Reading = Reading()
    limits: Sequence[Deadline] = ()
    #: In order of time; empty where only what time alone changes is looked at.
    told: Sequence[Told] = ()
    #: Special procedures that began on the last day of a limit.
    last_day: Sequence[str] = ()
    #: Working days since a bad rating that no supervision has followed; None where there is none.
    unfollowed: int | None = None

    @property
    def open(self) -> bool:
        return self.case.ended_at is None

    @property
    def work(self) -> list[Told]:
        return [one for one in self.told if one.type not in ABOUT]

    def found(self, code: str) -> list[Finding]:
        """Findings of one kind that had come up by now."""
        return [one for one in self.case.findings if one.code == code and one.at <= self.now]

    def running(self, kind: Own | Subject) -> Iterator[Deadline]:
        """Limits of that kind that are still waited for."""
        return (one for one in self.limits if one.kind == kind and one.open)


class Line(NamedTuple):
    """One department as of now. Weeks are seven days each, the last one ends today."""

    department: str
    #: Working days since anything happened there, as far as told.
    quiet: int = 0
    #: The longest time it was quiet before, in working days; None where its history is too short to tell.
    usual: int | None = None
    #: Cases applied for and cases ended, week by week, and those open now.
    came: Sequence[int] = ()
    went: Sequence[int] = ()
    open: int = 0


def seen(case: Case, told: Sequence[Told], clockwork: Clockwork, now: int) -> Seen:
    """The case at `now`; what was told is left out as far as it happened later."""
    case = as_of(case, now)
    known = [one for one in told if one.occurred_at <= now]
    item, terms = clockwork.item(case), clockwork.terms
    return Seen(
        case,
        now,
        clockwork.reading(case, now),
        deadlines(case, item, terms, now),
        known,
        list(_on_last_day(case, clockwork)),
        _unfollowed(known, clockwork, now),
    )


def _on_last_day(case: Case, clockwork: Clockwork) -> Iterator[str]:
    """The last day as it was known the moment before the procedure began."""
    for pause in case.pauses:
        before = clockwork.reading(as_of(case, pause.start - 1), pause.start - 1)
        ends = {before.due, before.statutory_due} - {None}
        if before.running and local_date(pause.start, clockwork.zone) in ends:
            yield pause.id


def _unfollowed(told: Sequence[Told], clockwork: Clockwork, now: int) -> int | None:
    rated = next((one.occurred_at for one in reversed(told) if one.type == "Rated"), None)
    if rated is None or any(one.type == "SupervisionOpened" and one.occurred_at >= rated for one in told):
        return None
    return clockwork.calendar.working_days(local_date(rated, clockwork.zone), local_date(now, clockwork.zone))
