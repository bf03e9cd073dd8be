"""What an indicator is: one question about the cases, with its unit, its threshold and its examples.

A new one is a new file in `monitor/indicators/`; everything else finds it by itself. It reads a `Sight`, which is plain
data, so a test needs no database, and it never fails on an empty one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, func, select

from bus.discover import discover
from monitor import tables
from monitor.lights import Clockwork, Lit, lit, open_cases
from monitor.times import DAY
from monitor.view import Snapshot
from schemas.clock import Light


class Sent(NamedTuple):
    """A hand-over on its way; `sent_at` in microseconds since 1970-01-01 UTC."""

    case: str
    hand_over: str
    sender: str
    receiver: str
    sent_at: int


class Broken(NamedTuple):
    """Findings of one kind in one case."""

    case: str
    code: str
    times: int


class Late(NamedTuple):
    """Events of one case that were told late; `most` is the longest delay in microseconds."""

    case: str
    events: int
    most: int


class Sight(NamedTuple):
    """All that indicators look at, as of now: open cases in their light, hand-overs on their way, findings, late entries."""

    open: Sequence[Lit] = ()
    sent: Sequence[Sent] = ()
    broken: Sequence[Broken] = ()
    late: Sequence[Late] = ()


class Hit(NamedTuple):
    """What an indicator says of one case. `about` tells hits of one case apart (a due date, a hand-over), and never changes."""

    case: str
    light: Light
    value: int
    text: str
    about: str


class Example(NamedTuple):
    """What the indicator finds in a sight, in words and as the cases it names."""

    says: str
    sight: Sight
    now: int
    cases: tuple[str, ...]


class Indicator(NamedTuple):
    """One question. `threshold` is in `unit`; None where the fact alone counts."""

    name: str
    title: str
    unit: str
    threshold: int | None
    basis: str
    read: Callable[[Sight, int], list[Hit]]
    examples: tuple[Example, ...]


@cache
def indicators() -> dict[str, Indicator]:
    """All that are there, by name. Raises ConfigurationError where a file breaks the rule."""
    return discover("monitor.indicators", Indicator, "casebus.indicators")


#: Events told later than this after they happened are looked at; indicators set their own threshold above it.
TOLD_LATE = DAY


def sight(snapshot: Snapshot, clockwork: Clockwork, now: int, among: Collection[str] | None = None) -> Sight:
    """What is there now; `among` bounds it to some cases."""
    return standing(snapshot, clockwork, now, among)._replace(
        broken=[Broken(*row) for row in snapshot.all(_within(_broken(), tables.findings.c.case_key, among))],
        late=[Late(*row) for row in snapshot.all(_within(_late(), tables.events.c.case_key, among))],
    )


def standing(snapshot: Snapshot, clockwork: Clockwork, now: int, among: Collection[str] | None = None) -> Sight:
    """Only what changes by the passing of time: open cases and hand-overs on their way."""
    return Sight(
        open=list(lit(open_cases(snapshot, among), clockwork, now)),
        sent=[Sent(*row) for row in snapshot.all(_within(_sent(), tables.moves.c.case_key, among))],
    )


def _within(
    query: Select[tuple[object, ...]], key: ColumnElement[str], among: Collection[str] | None
) -> Select[tuple[object, ...]]:
    return query if among is None else query.where(key.in_(among))


def _sent() -> Select[tuple[object, ...]]:
    table = tables.moves.c
    return select(table.case_key, table.hand_over, table.sender, table.receiver, table.sent_at).where(table.received_at.is_(None))


def _broken() -> Select[tuple[object, ...]]:
    table = tables.findings.c
    return select(table.case_key, table.code, func.count()).group_by(table.case_key, table.code)


def _late() -> Select[tuple[object, ...]]:
    """By the source's own stamp where it has one: what the bus itself delays is nobody's late entry."""
    table = tables.events.c
    delay = func.coalesce(table.reported_at, table.received_at) - table.occurred_at
    return select(table.case_key, func.count(), func.max(delay)).where(delay > TOLD_LATE).group_by(table.case_key)
