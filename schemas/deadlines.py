"""Every limit of a case, in one list: the case's own two, and those of answers, steps, hand-overs, pauses, delivery, visits.

    deadlines(case, item, Terms(rules, calendar, zone), now) -> list[Deadline]

Pure: it reads the case as it stood at `now`, so any past day can be asked. Which limits there are, how long, and what
light a passed one gets are rows of the regional profile (`limits:`, `schemas.rules.LimitRow`); from when to when each
runs is `schemas.spans`. `moved` tells whose end differs between two calendars, or two sets of rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from schemas.asof import as_of
from schemas.case import Case
from schemas.clock import Light
from schemas.instants import local_date
from schemas.limits import Facts, Terms, count_at, ended, facts_of, started
from schemas.measure import Measure, Tally, in_days, measure
from schemas.rules import LimitRow, Passed, Subject
from schemas.spans import FINDERS, Planned, Span, View

__all__ = ["Deadline", "Measure", "Moved", "Own", "Terms", "deadlines", "moved", "worst"]


class Own(StrEnum):
    """The limits of the case itself."""

    PROMISED = "promised"
    STATUTORY = "statutory"


class Deadline(NamedTuple):
    """One limit. Moments are microseconds since 1970-01-01 UTC; `limit` and `elapsed` are in `unit`."""

    kind: Own | Subject
    #: Which of its kind: a step's name, a hand-over's, pause's or appointment's id, a round; empty for the case itself.
    name: str
    #: Who has to act: an authority, or "applicant".
    who: str
    started_at: int
    limit: float
    unit: Measure
    #: Its last day; None while an open procedure leaves it unknown.
    due: date | None
    #: The moment it is passed: the end of office hours counted, or of its last day.
    due_at: int | None
    met_at: int | None
    elapsed: float
    light: Light
    #: More than the limit was counted until it was met, or until now.
    passed: bool
    #: Still waited for.
    open: bool
    paused: bool
    article: str
    #: A date in it lies beyond the last official notice.
    provisional: bool

    @property
    def left(self) -> float:
        """What is left of the limit; negative when passed. One that moved off a day off has none left, and still runs."""
        left = self.limit - self.elapsed
        return left if self.passed else max(0, left)


class _Then(NamedTuple):
    """What all limits of one case are judged by."""

    case: Case
    facts: Facts
    terms: Terms
    now: int


def deadlines(case: Case, item: Planned | None, terms: Terms, now: int) -> list[Deadline]:
    """All limits of the case that had begun by `now`: the case's own first, then the table's, each in order of beginning."""
    case = as_of(case, now)
    facts = started(facts_of(case, item, terms.rules), terms, now)
    then = _Then(case, facts, terms, now)
    view = View(case, item, terms, facts.accepted_at)
    return [*_own(then), *(one for kind in FINDERS for one in _of_kind(kind, view, then))]


def _own(then: _Then) -> Iterator[Deadline]:
    """The promised and the statutory limit, as extended by then."""
    facts, rules = then.facts, then.terms.rules
    if facts.accepted_at is None:
        return
    count = count_at(facts, rules.unit, then.terms, then.now)
    for kind, limit, passed in ((Own.PROMISED, facts.promised, Passed.YELLOW), (Own.STATUTORY, facts.statutory, Passed.RED)):
        end = ended(facts, limit, then.terms, then.now, count)
        if end:
            tally = in_days(end.tally, end.days, then.terms)
            tally = tally._replace(passed=False) if end.forgiven else tally
            row = LimitRow(passed=passed, near=rules.thresholds.yellow_days, article=rules.articles.get("due", ""))
            span = Span("", then.case.holder or then.case.authority, facts.accepted_at, facts.stopped_at)
            yield _deadline(kind, span, row, tally, then.terms)


def _of_kind(kind: Subject, view: View, then: _Then) -> Iterator[Deadline]:
    row = then.terms.rules.limits.get(kind)
    spans = sorted((one for one in FINDERS[kind](view) if one.start <= then.now), key=lambda one: one.start) if row else ()
    for span in spans:
        known = span._replace(ends=span.ends if span.ends is not None and span.ends <= then.now else None)
        till = next(end for end in (known.met, known.ends, then.now) if end is not None)
        tally = measure(known, row, then.facts.pauses, then.terms, till) if row else None
        if row and tally:
            yield _deadline(kind, known, row, tally, then.terms)


def _deadline(kind: Own | Subject, span: Span, row: LimitRow, tally: Tally, terms: Terms) -> Deadline:
    still = span.met is None and span.ends is None
    return Deadline(
        kind=kind,
        name=span.name,
        who=span.who,
        started_at=span.start,
        limit=tally.limit,
        unit=tally.unit,
        due=tally.due,
        due_at=tally.due_at,
        met_at=span.met,
        elapsed=tally.elapsed,
        light=_light(tally, row, still=still),
        passed=tally.passed,
        open=still,
        paused=still and tally.paused,
        article=row.article,
        provisional=any(terms.calendar.provisional(day) for day in (local_date(span.start, terms.zone), tally.due) if day),
    )


def _light(tally: Tally, row: LimitRow, *, still: bool) -> Light:
    if tally.passed:
        return Light(row.passed.value)
    near = row.near is not None and tally.elapsed > 0 and tally.limit - tally.elapsed <= row.near
    return Light.YELLOW if still and near else Light.GREEN


def worst(found: Iterable[Deadline]) -> Deadline | None:
    """The one to look at first: the brightest light, open before closed, then the least left."""
    order = (Light.RED, Light.YELLOW, Light.GREEN, Light.NONE)
    return min(found, key=lambda one: (order.index(one.light), not one.open, one.left), default=None)


class Moved(NamedTuple):
    """A limit that ends on another day than before. None: unknown while a procedure is open, or the limit was not there."""

    case: str
    kind: Own | Subject
    name: str
    who: str
    before: date | None
    after: date | None
    light_before: Light
    light_after: Light
    #: When it begins, by the new calendar; microseconds UTC.
    started_at: int
    #: Still waited for.
    open: bool


def moved(cases: Iterable[tuple[Case, Planned | None]], old: Terms, new: Terms, now: int) -> Iterator[Moved]:
    """Every limit whose last day differs between two calendars (or two sets of rules), case by case, as of one time.

    Lazy: a million cases pass through one by one.
    """
    for case, item in cases:
        before = {_identity(one): one for one in deadlines(case, item, old, now)}
        after = {_identity(one): one for one in deadlines(case, item, new, now)}
        for identity in dict.fromkeys((*before, *after)):
            was, now_is = before.get(identity), after.get(identity)
            if _due(was) != _due(now_is):
                yield _moved(case, was, now_is)


def _identity(one: Deadline) -> tuple[Own | Subject, str, int]:
    """The start tells two rounds of one name apart; the case's own limits may begin on another day."""
    return one.kind, one.name, 0 if isinstance(one.kind, Own) else one.started_at


def _due(one: Deadline | None) -> date | None:
    return one.due if one else None


def _moved(case: Case, was: Deadline | None, now_is: Deadline | None) -> Moved:
    one = now_is or was
    if one is None:
        raise ValueError("Neither limit is there: nothing has moved.")
    lights = (was.light if was else Light.NONE), (now_is.light if now_is else Light.NONE)
    return Moved(case.key, one.kind, one.name, one.who, _due(was), _due(now_is), *lights, one.started_at, one.open)
