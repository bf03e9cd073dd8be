"""A case at one glance: what lists, lights and counts need of it, and nothing that makes a million of them heavy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import or_, select

from monitor import tables
from monitor.lights import ORDER, Clockwork, Lit
from monitor.rows import department
from monitor.times import local_date
from monitor.view import Snapshot
from schemas.case import Case, decode_state
from schemas.clock import Light

FAR = 1 << 30


class Glance(msgspec.Struct, frozen=True, gc=False):
    """`elapsed`, `limit` and `left` are days of the limit that is shown, in its unit; `left` is negative when it is passed.

    Times are microseconds UTC.
    """

    key: str
    region: str
    department: str
    authority: str
    item: str
    phase: str
    outcome: str
    holder: str
    light: str
    elapsed: int
    limit: int | None
    left: int | None
    due: str
    applied_at: int | None
    ended_at: int | None
    paused: bool
    on_its_way: bool
    #: The supervision that is open; empty without one.
    supervision: str = ""
    #: The day on which this is told is the last one of the limit.
    last_day: bool = False

    @property
    def supervised(self) -> bool:
        return bool(self.supervision)

    @property
    def number(self) -> str:
        return self.key.partition(":")[2]

    @property
    def urgency(self) -> tuple[int, int, str]:
        """Sorts the worst first."""
        return BRIGHT[self.light], FAR if self.left is None else self.left, self.key


#: Place of a light in the order, the worst first.
BRIGHT = {str(light): number for number, light in enumerate(ORDER)}


def glance(case: Case, clockwork: Clockwork, now: int) -> Glance:
    """The case as its clock shows it at `now`."""
    one = Lit(case, clockwork.reading(case, now))
    reading = one.reading
    shown = reading.shown
    return Glance(
        key=case.key,
        region=case.region,
        department=department(case.authority),
        authority=case.authority,
        item=case.item,
        phase=str(case.phase),
        outcome=str(case.outcome or ""),
        holder=case.holder or case.authority,
        light=str(reading.light),
        elapsed=shown.elapsed if shown else reading.elapsed_days,
        limit=shown.limit if shown else None,
        left=shown.left if shown else None,
        due=shown.due.isoformat() if shown and shown.due else "",
        applied_at=case.applied_at,
        ended_at=case.ended_at,
        paused=reading.paused,
        on_its_way=any(move.received_at is None for move in case.hand_overs),
        supervision=case.supervisions[-1] if case.supervisions else "",
        last_day=bool(shown and reading.running and shown.left == 0 and shown.due == local_date(now, clockwork.zone)),
    )


def open_glances(snapshot: Snapshot, clockwork: Clockwork, now: int) -> Iterator[Glance]:
    """All cases applied for and not ended."""
    table = tables.cases.c
    still = or_(table.ended_at.is_(None), table.ended_at > now)
    query = select(table.state).where(table.opened, still, table.forwards_to == "", ~table.expired)
    return glances(snapshot.stream(query), clockwork, now)


def glances(rows: Iterable[Any], clockwork: Clockwork, now: int) -> Iterator[Glance]:
    """Of rows with a `state`."""
    return (glance(decode_state(row.state).case, clockwork, now) for row in rows)


def is_open(one: Glance, now: int) -> bool:
    return one.ended_at is None or one.ended_at > now


LIGHTS = tuple(str(light) for light in (Light.RED, Light.YELLOW, Light.GREEN, Light.NONE))
