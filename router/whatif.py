"""What one case would have been under other items, limits, authorities or calendars. Pure; nothing is published.

What happened stays as it was recorded. What changes is counted: the limits and days of the other terms; the time on the way
up that falls away when the authority that accepts decides by itself; the wait for departments that assist no more.
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
from schemas.clock import Light, Reading, facts_of, local_date, read
from schemas.directory import Directory, Level

_DAY = 86_400_000_000
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
    abolished: bool = False

    @property
    def changed(self) -> bool:
        return self.abolished or self._said(self.before) != self._said(self.after)

    @property
    def sooner(self) -> int:
        """Counted days less until the decision."""
        return self.before.reading.elapsed_days - self.after.reading.elapsed_days

    @staticmethod
    def _said(end: End) -> tuple[object, ...]:
        return end.decider, end.stopped_at, end.late, end.reading.elapsed_days, end.reading.due, end.findings, end.moves


def compare(case: Case, then: Side, other: Case, now_side: Side, now: int) -> Pair:
    """`case` and `other` are the same recorded events folded under each side's law; `now` is for what is open."""
    old, new = then.item(case), now_side.item(other)
    before = _end(case, then, old, now)
    changed = other if _limits(old) == _limits(new) else replace(other, promised_days=None, statutory_days=None)
    saved = [*_on_the_way(case, old, new), *_waited_for(case, _left(case, then, now_side))]
    after = _end(replace(changed, stopped_at=_sooner(case.stopped_at, saved, now_side.clock)), now_side, new, now)
    decider = _decider(case, old, new, now_side.directory) or before.decider
    department = case.authority.partition("@")[0]
    return Pair(case.key, case.item, department, before, after._replace(decider=decider), old is not None and new is None)


def _end(case: Case, side: Side, item: Item | None, now: int) -> End:
    terms = side.clock
    reading = read(facts_of(case, item, terms.rules), terms.rules, terms.calendar, terms.zone, now)
    moves = frozenset(f"{one.move.kind} to {one.move.to}" for one in decide(case, side.law.context(case)))
    decider = case.holder or case.authority
    return End(decider, case.stopped_at, reading, frozenset(finding.code for finding in case.findings), moves)


def _limits(item: Item | None) -> tuple[object, ...]:
    return (item.promised, item.statutory) if item else ()


def _sooner(stopped_at: int | None, saved: list[Span], terms: limits.Terms) -> int | None:
    """The decision as many working days earlier as lie in the spans that fall away: offices work on working days."""
    if stopped_at is None or not saved:
        return stopped_at
    calendar, zone = terms.calendar, terms.zone
    days = sum(calendar.working_days(local_date(start, zone), local_date(end, zone)) for start, end in saved)
    last = first = local_date(stopped_at, zone)
    while calendar.working_days(first, last) < days:
        first -= timedelta(1)
    return stopped_at - (last - first).days * _DAY


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
    """Who would decide, where the level that decides is another than before; empty: as it was."""
    if new is None or old is None or directory is None or _level(old) == _level(new):
        return ""
    level = _level(new)
    department = (case.holder or case.authority).partition("@")[0]
    return (directory.resolve(f"{department}@{level.name.lower()}", case.region) or "") if level else ""


def _level(item: Item) -> Level | None:
    return item.decided_at or item.accepted_at
