"""The facts a clock is read from, and its limits as extended by a time. Between `schemas.count` and `schemas.clock`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, tzinfo
from typing import NamedTuple, Protocol

from schemas.calendar import Calendar
from schemas.case import Case, Extension, Pause
from schemas.count import Count, local_date, united
from schemas.rules import ClockRules, HolidayEnd, Late, Limit, LimitSource, Unit


class Facts(NamedTuple):
    """What a clock is read from. Times are microseconds since 1970-01-01 UTC."""

    accepted_at: int | None
    stopped_at: int | None = None
    pauses: Sequence[Pause] = ()
    extensions: Sequence[Extension] = ()
    promised: Limit | None = None
    statutory: Limit | None = None
    joint: bool = False


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
    """The facts of a case: its own limits and the catalogue's, as the rules rank them, then the law's."""
    rules = rules or ClockRules()
    joint = case.form == "JOINT" or bool(item and item.joint)
    legal = rules.statutory_days(case.level, joint=joint)
    return Facts(
        case.accepted_at,
        case.stopped_at,
        case.pauses,
        case.extensions,
        _ranked(case.promised_days, item.promised if item else None, rules),
        _ranked(case.statutory_days, item.statutory if item else None, rules)
        or (Limit(legal, rules.unit) if legal is not None else None),
        joint,
    )


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
    rules, zone = terms.rules, terms.zone
    start = local_date(facts.accepted_at, zone)
    facts = known_at(facts, now)
    till = max(start, local_date(now if facts.stopped_at is None else facts.stopped_at, zone))
    pausing = [pause for pause in facts.pauses if rules.pauses(pause.procedure)]
    covered = ((local_date(pause.start, zone), till if pause.end is None else local_date(pause.end, zone)) for pause in pausing)
    spans = tuple(united(covered, start))
    still = any(pause.end is None for pause in pausing)
    return Count(terms.calendar, unit, rules.end_on_holiday is HolidayEnd.MOVES, start, till, spans, still)


class Ended(NamedTuple):
    """A limit with its extensions, against the days in its unit."""

    days: int
    tally: Count

    @property
    def due(self) -> date | None:
        """Its last day; None while a procedure is open: nobody knows yet."""
        return None if self.tally.paused else self.tally.end(self.days)

    @property
    def passed(self) -> bool:
        return self.tally.passed(self.days)


def ended(facts: Facts, limit: Limit | None, terms: Terms, now: int, tally: Count) -> Ended | None:
    """A limit as extended by then, against the tally of that time."""
    if limit is None:
        return None
    longer = _added(counting(facts, limit, terms, now), facts, terms.rules)
    return Ended(limit.days + longer, tally._replace(unit=limit.unit))


def counting(facts: Facts, limit: Limit, terms: Terms, now: int) -> list[Extension]:
    """The extensions that count up to `now`: under the law's rule, those granted before the limit had passed."""
    granted = sorted((extension for extension in facts.extensions if extension.at <= now), key=lambda extension: extension.at)
    if terms.rules.extension.late is Late.COUNTED:
        return granted
    good: list[Extension] = []
    for extension in granted:
        then = count_at(facts, limit.unit, terms, extension.at)
        if not then.passed(limit.days + _added(good, facts, terms.rules)):
            good.append(extension)
    return good


def _added(extensions: Iterable[Extension], facts: Facts, rules: ClockRules) -> int:
    return rules.bounded(sum(extension.days for extension in extensions), joint=facts.joint)
