"""The facts a clock is read from, and its limits as extended by a time. Between `schemas.count` and `schemas.clock`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, tzinfo
from typing import NamedTuple, Protocol

from schemas.calendar import Calendar
from schemas.case import Case, Extension, Outcome, Pause
from schemas.count import Count, united
from schemas.instants import local_date
from schemas.receipts import Receipt, receipts
from schemas.rules import ClockRules, Deemed, HolidayEnd, Lapsed, Late, Limit, LimitRow, LimitSource, Subject, Unit


class Facts(NamedTuple):
    """What a clock is read from. Times are microseconds since 1970-01-01 UTC."""

    accepted_at: int | None
    stopped_at: int | None = None
    pauses: Sequence[Pause] = ()
    extensions: Sequence[Extension] = ()
    promised: Limit | None = None
    statutory: Limit | None = None
    joint: bool = False
    #: Papers that came and their answers; empty where an answer that did not come changes nothing.
    receipts: Sequence[Receipt] = ()
    #: The applicant did not come in time.
    lapsed: bool = False
    #: Set by `started`: the acceptance is the law's, not the authority's.
    deemed: bool = False
    #: The start is a reopening (重新办理): the limits run anew from it.
    reopened: bool = False


class Terms(NamedTuple):
    """What a place counts by."""

    rules: ClockRules
    calendar: Calendar
    zone: tzinfo


class Item(Protocol):
    """What the clock asks of a catalogue's item."""

    @property
    def promised(self) -> Limit | None: ...
    @property
    def statutory(self) -> Limit | None: ...
    @property
    def joint(self) -> bool: ...


def facts_of(case: Case, item: Item | None = None, rules: ClockRules | None = None) -> Facts:
    """The facts of a case: its own limits and the catalogue's, as the rules rank them, then the law's.

    Of a reopened case, what belongs to its present life.
    """
    rules = rules or ClockRules()
    joint = case.form == "JOINT" or bool(item and item.joint)
    legal = rules.statutory_days(case.level, joint=joint)
    since = case.reopened_at
    return Facts(
        case.accepted_at if case.accepted_at is None else max(case.accepted_at, since),
        case.stopped_at,
        [pause for pause in case.pauses if pause.end is None or pause.end >= since],
        [extension for extension in case.extensions if extension.at >= since],
        _ranked(case.promised_days, item.promised if item else None, rules),
        _ranked(case.statutory_days, item.statutory if item else None, rules)
        or (Limit(legal, rules.unit) if legal is not None else None),
        joint,
        [one for one in receipts_of(case, rules) if one.at >= since] if rules.acceptance.deemed is Deemed.FROM_RECEIPT else (),
        case.outcome is Outcome.LAPSED,
        reopened=case.accepted_at is not None and since > case.accepted_at,
    )


def receipts_of(case: Case, rules: ClockRules) -> tuple[Receipt, ...]:
    return receipts(case, application=rules.acceptance.received_with_application)


def started(facts: Facts, terms: Terms, now: int) -> Facts:
    """The facts with the start that counts at a time: none; the acceptance; or the receipt that was not answered in time.

    Administrative Licensing Law art. 32: who is not told in time what is missing is accepted from the day of receipt.
    """
    accepted = facts.accepted_at if facts.accepted_at is not None and facts.accepted_at <= now else None
    row = terms.rules.limits.get(Subject.ANSWER)
    late = next((one.at for one in facts.receipts if row and _unanswered(one, row, terms, now)), None)
    if late is not None and (accepted is None or late < accepted):
        return facts._replace(accepted_at=late, receipts=(), deemed=True)
    return facts._replace(accepted_at=accepted, receipts=())


def _unanswered(receipt: Receipt, row: LimitRow, terms: Terms, now: int) -> bool:
    """Whether more days passed without an answer than it may take."""
    if row.days is None or receipt.at > now:
        return False
    ends = (receipt.answered_at, receipt.closed_at, now)
    till = min(end for end in ends if end is not None)
    return plain_count(receipt.at, till, row.unit, terms).passed(row.days)


def plain_count(start: int, till: int, unit: Unit, terms: Terms) -> Count:
    """The days between two moments, no procedures taken off."""
    first, last = local_date(start, terms.zone), local_date(till, terms.zone)
    moves = terms.rules.end_on_holiday is HolidayEnd.MOVES
    return Count(terms.calendar, unit, moves, first, max(first, last), (), paused=False)


def _ranked(said: int | None, listed: Limit | None, rules: ClockRules) -> Limit | None:
    own = Limit(said, listed.unit if listed else rules.unit) if said is not None else None
    return own or listed if rules.limit_source is LimitSource.EVENT else listed or own


def known_at(facts: Facts, now: int) -> Facts:
    """The facts without what happens after `now`: an end that is to come leaves its procedure open."""
    pauses = [
        pause if pause.end is None or pause.end <= now else Pause(pause.id, pause.start, None, pause.procedure)
        for pause in facts.pauses
        if pause.start <= now
    ]
    extensions = [extension for extension in facts.extensions if extension.at <= now]
    stopped = facts.stopped_at if facts.stopped_at is not None and facts.stopped_at <= now else None
    return facts._replace(stopped_at=stopped, pauses=pauses, extensions=extensions)


def count_at(facts: Facts, unit: Unit, terms: Terms, now: int) -> Count:
    """The days of an accepted case up to a time. Raises ValueError where its clock has not started."""
    if facts.accepted_at is None:
        raise ValueError("The clock starts with the acceptance: ask `read`, which knows a case without one.")
    known = known_at(facts, now)
    till = now if known.stopped_at is None else known.stopped_at
    return without(plain_count(facts.accepted_at, till, unit, terms), known.pauses, terms)


def without(count: Count, pauses: Iterable[Pause], terms: Terms) -> Count:
    """The count without the days of the procedures that stop the clock here; an open one takes all days so far."""
    pausing = [pause for pause in pauses if terms.rules.pauses(pause.procedure)]
    covered = (_dates(pause, count.till, terms.zone) for pause in pausing)
    return count._replace(spans=tuple(united(covered, count.start)), paused=any(pause.end is None for pause in pausing))


def _dates(pause: Pause, till: date, zone: tzinfo) -> tuple[date, date]:
    return local_date(pause.start, zone), till if pause.end is None else local_date(pause.end, zone)


class Ended(NamedTuple):
    """A limit with its extensions, against the days in its unit."""

    days: int
    tally: Count
    #: It counts as kept whatever the days say: the applicant did not come in time.
    forgiven: bool = False

    @property
    def due(self) -> date | None:
        """Its last day; None while a procedure is open: nobody knows yet."""
        return None if self.tally.paused else self.tally.end(self.days)

    @property
    def passed(self) -> bool:
        return not self.forgiven and self.tally.passed(self.days)


def ended(facts: Facts, limit: Limit | None, terms: Terms, now: int, tally: Count) -> Ended | None:
    """A limit as extended by then, against the tally of that time."""
    if limit is None:
        return None
    longer = _added(counting(facts, limit, terms, now), facts, terms.rules) if facts.extensions else 0
    return Ended(limit.days + longer, tally._replace(unit=limit.unit), forgiven(facts, terms.rules, now))


def forgiven(facts: Facts, rules: ClockRules, now: int) -> bool:
    """Whether the case ended by then because its applicant did not come in time, and counts as finished on time."""
    return facts.lapsed and rules.lapsed is Lapsed.ON_TIME and facts.stopped_at is not None and facts.stopped_at <= now


def counting(facts: Facts, limit: Limit, terms: Terms, now: int) -> list[Extension]:
    """The extensions that count up to `now`: under the law's rule, those granted before the limit ended (art. 42).

    On the Saturday after a last day on Friday it is too late, though nothing is passed before the next day is counted.
    """
    granted = sorted((extension for extension in facts.extensions if extension.at <= now), key=lambda extension: extension.at)
    if terms.rules.extension.late is Late.COUNTED:
        return granted
    good: list[Extension] = []
    for extension in granted:
        then = count_at(facts, limit.unit, terms, extension.at)
        if not then.over(limit.days + _added(good, facts, terms.rules)):
            good.append(extension)
    return good


def _added(extensions: Iterable[Extension], facts: Facts, rules: ClockRules) -> int:
    return rules.bounded(sum(extension.days for extension in extensions), joint=facts.joint)
