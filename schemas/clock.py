"""The legal clock: pure, and able to explain itself day by day (`schemas.explain`).

It runs from the day of acceptance, or of the receipt that was not answered in time (art. 32), to the day of the decision
(or withdrawal, return, termination); the first day is not counted. Counted are the days of the limit's unit that no
special procedure covers: a procedure from P to R takes the days d with P < d <= R, an open one all days so far; procedures
that overlap are united, so a day is never taken off twice. A limit is passed when more days are counted than it has; an
extension granted after its last day does not count (Administrative Licensing Law art. 42, 45, 82; the rules are data,
`schemas.rules`).
"""

from __future__ import annotations

from datetime import date, tzinfo
from enum import StrEnum
from typing import NamedTuple

from schemas.calendar import Calendar
from schemas.explain import Kind, Line, explain
from schemas.limits import Facts, Terms, count_at, ended, facts_of, forgiven, started
from schemas.rules import ClockRules, Limit, Unit

__all__ = [
    "ClockRules",
    "Facts",
    "Kind",
    "Light",
    "Limit",
    "Line",
    "Reading",
    "Unit",
    "explain",
    "facts_of",
    "read",
]


class Light(StrEnum):
    """Lights of electronic supervision; NONE: the clock has not started."""

    NONE = "none"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Shown(NamedTuple):
    """One limit of a reading and the days counted against it, both in the limit's own unit."""

    limit: int
    unit: Unit
    elapsed: int
    due: date | None
    passed: bool

    @property
    def left(self) -> int:
        """Days left, negative when passed. One that moved off a day off has none left, and still runs."""
        left = self.limit - self.elapsed
        return left if self.passed else max(0, left)


class Reading(NamedTuple):
    """What the clock shows. Days are in the unit of the promised limit, or of the statutory one where there is no promise."""

    elapsed_days: int = 0
    paused_days: int = 0
    #: Days of the limits with the extensions that count; None where there is none.
    promised_limit: int | None = None
    statutory_limit: int | None = None
    #: Last day of each limit; None while a procedure is open, or without a limit.
    due: date | None = None
    statutory_due: date | None = None
    light: Light = Light.NONE
    running: bool = False
    paused: bool = False
    overdue_promise: bool = False
    overdue_legal: bool = False
    #: A date in it lies beyond the last official notice.
    provisional: bool = False
    #: The day of the start; `deemed` when no answer came in time and the law starts the clock at the receipt.
    started: date | None = None
    deemed: bool = False
    #: The applicant did not come in time: the case counts as finished on time.
    forgiven: bool = False
    #: The law may count in another unit than the promise; `statutory_elapsed` are the days in its own.
    unit: Unit = Unit.WORKING
    statutory_unit: Unit = Unit.WORKING
    statutory_elapsed: int = 0

    @property
    def promise(self) -> Shown | None:
        if self.promised_limit is None:
            return None
        return Shown(self.promised_limit, self.unit, self.elapsed_days, self.due, self.overdue_promise)

    @property
    def law(self) -> Shown | None:
        if self.statutory_limit is None:
            return None
        return Shown(self.statutory_limit, self.statutory_unit, self.statutory_elapsed, self.statutory_due, self.overdue_legal)

    @property
    def shown(self) -> Shown | None:
        """The limit that gave the light: the law's when it is passed, else the promise, else the law's."""
        return self.law if self.overdue_legal else self.promise or self.law


def read(facts: Facts, rules: ClockRules, calendar: Calendar, zone: tzinfo, now: int) -> Reading:
    """What the clock shows at a time (microseconds UTC). A case not accepted by then, nor by law, shows nothing."""
    terms = Terms(rules, calendar, zone)
    facts = started(facts, terms, now)
    if facts.accepted_at is None:
        return Reading()
    shown = facts.promised or facts.statutory
    count = count_at(facts, shown.unit if shown else rules.unit, terms, now)
    promised = ended(facts, facts.promised, terms, now, count)
    statutory = ended(facts, facts.statutory, terms, now, count)
    law = statutory.tally if statutory else count
    elapsed = count.counted(count.start, count.till)
    running = facts.stopped_at is None or facts.stopped_at > now
    due, statutory_due = (end.due if end else None for end in (promised, statutory))
    reading = Reading(
        elapsed_days=elapsed,
        paused_days=count.days(count.start, count.till) - elapsed,
        promised_limit=promised.days if promised else None,
        statutory_limit=statutory.days if statutory else None,
        due=due,
        statutory_due=statutory_due,
        running=running,
        paused=running and count.paused,
        overdue_promise=bool(promised and promised.passed),
        overdue_legal=bool(statutory and statutory.passed),
        provisional=any(calendar.provisional(day) for day in (count.start, count.till, due, statutory_due) if day),
        started=count.start,
        deemed=facts.deemed,
        forgiven=forgiven(facts, rules, now),
        unit=count.unit,
        statutory_unit=law.unit,
        statutory_elapsed=elapsed if law.unit is count.unit else law.counted(law.start, law.till),
    )
    return reading._replace(light=_light(reading, rules))


def _light(reading: Reading, rules: ClockRules) -> Light:
    if reading.overdue_legal:
        return Light.RED
    if reading.overdue_promise or (reading.running and _near(reading, rules.thresholds.yellow_days)):
        return Light.YELLOW
    return Light.GREEN


def _near(reading: Reading, days: int) -> bool:
    limit = reading.promised_limit if reading.promised_limit is not None else reading.statutory_limit
    return limit is not None and reading.elapsed_days > 0 and limit - reading.elapsed_days <= days
