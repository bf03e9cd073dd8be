"""What one case would have been under other items, limits, authorities or calendars. Pure; nothing is published.

What happened stays as it was recorded. What changes is counted: the limits, days and rules of the other terms; the time on
the way up that falls away when the authority that accepts decides by itself, and the decision of the nation (国家审批) that is
not waited for any more; the wait for departments that assist no more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from msgspec.structs import replace

from router.decide import decide
from router.simulate import Terms
from schemas import limits
from schemas.case import Case
from schemas.catalogue import Item
from schemas.clock import Light, Reading, facts_of, read
from schemas.count import united
from schemas.directory import Directory, Level
from schemas.instants import local_date

_DAY = 86_400_000_000
#: The special procedure in which the nation decides (上报国家审批).
_NATION = "NATIONAL_DECISION"
Span = tuple[int, int]


class Side(NamedTuple):
    """One of the two sets of terms: the law and what rules know, how days are counted, which item a case is judged by."""

    law: Terms
    clock: limits.Terms
    item: Callable[[Case], Item | None]
    directory: Directory | None = None


class End(NamedTuple):
    """How a case stands under one set of terms. `stopped_at` is None for a case that is open."""

    decider: str
    stopped_at: int | None
    reading: Reading
    findings: frozenset[str]
    moves: frozenset[str]

    @property
    def late(self) -> bool:
        return self.reading.light is Light.RED or self.reading.overdue_promise


class Pair(NamedTuple):
    """A case under both sets of terms. `abolished`: it could not be applied for any more."""

    key: str
    item: str
    department: str
    before: End
    after: End
    #: Working days by which it would have ended earlier, from start to end, procedures included.
    sooner: int = 0
    abolished: bool = False

    @property
    def changed(self) -> bool:
        return self.abolished or self._said(self.before) != self._said(self.after)

    @property
    def counted(self) -> int:
        """Days counted against the limits, more or less than before: another calendar, another rule, an earlier end."""
        return self.after.reading.elapsed_days - self.before.reading.elapsed_days

    @staticmethod
    def _said(end: End) -> tuple[object, ...]:
        return end.decider, end.stopped_at, end.late, end.reading.elapsed_days, end.reading.due, end.findings, end.moves


def compare(case: Case, then: Side, other: Case, now_side: Side, now: int) -> Pair:
    """`case` and `other` are the same recorded events folded under each side's law; `now` is for what is open.

    Of what is open nobody knows how much sooner it would end: its recorded times stay.
    """
    old, new = then.item(case), now_side.item(other)
    before, sooner = _end(case, then, old, now), 0
    changed = other if _limits(old) == _limits(new) else replace(other, promised_days=None, statutory_days=None)
    if case.stopped_at is not None:
        national = _national(case, old, new)
        saved = [*_on_the_way(case, old, new), *national, *_waited_for(case, _left(case, then, now_side))]
        gone = _Gone(saved, now_side.clock)
        changed, sooner = _moved(changed, gone, national), gone.days(case.stopped_at)
    after = _end(changed, now_side, new, now)
    decider = _decider(case, old, new, now_side.directory) or before.decider
    department = case.authority.partition("@")[0]
    abolished = old is not None and new is None
    return Pair(case.key, case.item, department, before, after._replace(decider=decider), sooner, abolished)


def _end(case: Case, side: Side, item: Item | None, now: int) -> End:
    terms = side.clock
    reading = read(facts_of(case, item, terms.rules), terms.rules, terms.calendar, terms.zone, now)
    moves = frozenset(f"{one.move.kind} to {one.move.to}" for one in decide(case, side.law.context(case)))
    decider = case.holder or case.authority
    return End(decider, case.stopped_at, reading, frozenset(finding.code for finding in case.findings), moves)


def _limits(item: Item | None) -> tuple[object, ...]:
    return (item.promised, item.statutory) if item else ()


class _Gone:
    """The spans that fall away: what comes after them happens as many working days earlier, for offices work on those."""

    def __init__(self, spans: list[Span], terms: limits.Terms) -> None:
        self._calendar, self._zone = terms.calendar, terms.zone
        dates = [(local_date(start, terms.zone), local_date(end, terms.zone)) for start, end in spans]
        self._dates = tuple(united(dates, min(dates)[0])) if dates else ()

    def days(self, at: int) -> int:
        """Working days that fall away before a moment."""
        day = local_date(at, self._zone)
        return sum(self._calendar.working_days(start, min(end, day)) for start, end in self._dates if start < day)

    def moved(self, at: int) -> int:
        days = self.days(at)
        last = first = local_date(at, self._zone)
        while self._calendar.working_days(first, last) < days:
            first -= timedelta(1)
        return at - (last - first).days * _DAY


def _moved(case: Case, gone: _Gone, without: list[Span]) -> Case:
    """The case with its end, procedures and extensions at the times they would have had."""

    def at(moment: int | None) -> int | None:
        return None if moment is None else gone.moved(moment)

    pauses = [
        replace(one, start=gone.moved(one.start), end=at(one.end)) for one in case.pauses if (one.start, one.end) not in without
    ]
    extensions = [replace(one, at=gone.moved(one.at)) for one in case.extensions]
    return replace(case, stopped_at=at(case.stopped_at), pauses=pauses, extensions=extensions)


def _national(case: Case, old: Item | None, new: Item | None) -> list[Span]:
    """The procedures in which the nation decided, where it did and would no more."""
    if new is None or old is None or old.decided_at is not Level.NATIONAL or new.decided_at is Level.NATIONAL:
        return []
    return [(one.start, one.end) for one in case.pauses if one.procedure == _NATION and one.end is not None]


def _on_the_way(case: Case, old: Item | None, new: Item | None) -> list[Span]:
    """From sending up to signing above, where the item was handed up and is no more."""
    if new is None or new.hands_up or not (old and old.hands_up):
        return []
    return [
        (one.sent_at, one.received_at)
        for one in case.hand_overs
        if one.kind == "up" and not one.part and one.received_at is not None and one.received_at > one.sent_at
    ]


def _left(case: Case, then: Side, other: Side) -> frozenset[str]:
    """Authorities that assisted under the one and not under the other."""
    return frozenset(dict(then.law.context(case).assisting).values()) - set(dict(other.law.context(case).assisting).values())


def _waited_for(case: Case, left: frozenset[str]) -> list[Span]:
    """From the last answer of everybody else to the last answer of those that are asked no more."""
    ends = [(step.completed_at, step.authority) for step in case.steps if step.completed_at is not None]
    before = [at for at, who in ends if who in left and (case.stopped_at is None or at <= case.stopped_at)]
    rest = [at for at, who in ends if who not in left and (case.stopped_at is None or at <= case.stopped_at)]
    floor = max([*rest, case.accepted_at or 0])
    last = max(before, default=0)
    return [(floor, last)] if last > floor else []


def _decider(case: Case, old: Item | None, new: Item | None, directory: Directory | None) -> str:
    """Who would decide, where the level that decides is another than before; empty: as it was.

    Where no authority of that department and level is, the answer says so.
    """
    if new is None or old is None or directory is None or _level(old) == _level(new):
        return ""
    level = _level(new)
    if level is None:
        return ""
    wanted = f"{(case.holder or case.authority).partition('@')[0]}@{level.name.lower()}"
    return directory.resolve(wanted, case.region) or f"nobody ({wanted})"


def _level(item: Item) -> Level | None:
    return item.decided_at or item.accepted_at
