"""What a supervisor sees at one look, as data: lights by department, worst cases, newest moves, how much came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, select

from monitor import tables
from monitor.lights import Clockwork, Lit, lit, open_cases
from monitor.rows import department
from monitor.times import DAY, HOUR, local
from monitor.view import Snapshot, View
from schemas.case import Case
from schemas.clock import Light
from schemas.deadlines import Deadline, deadlines
from schemas.measure import Measure
from schemas.rules import Subject

#: Days shown as a row of bars.
SPAN = 21


class Lamps(msgspec.Struct):
    """Open cases of one department by light; `none` waits for its acceptance."""

    red: int = 0
    yellow: int = 0
    green: int = 0
    none: int = 0
    paused: int = 0

    @property
    def total(self) -> int:
        return self.red + self.yellow + self.green + self.none

    def add(self, one: Lit) -> None:
        setattr(self, one.reading.light, getattr(self, one.reading.light) + 1)
        self.paused += one.reading.paused


class Worst(msgspec.Struct, frozen=True):
    """An open case near or over its limits; `left` is negative when the limit is passed."""

    number: str
    department: str
    item: str
    light: str
    elapsed: int
    limit: int | None
    left: int | None
    due: str


class Passed(msgspec.Struct, frozen=True):
    """A hand-over; `received_at` None: on its way, and `waited` of what its clock has `allowed` is gone, in `unit`.

    `over`: the case has ended without it.
    """

    number: str
    kind: str
    sender: str
    receiver: str
    sent_at: int
    received_at: int | None
    waited: float | None = None
    allowed: float | None = None
    unit: str = "days"
    over: bool = False


class Board(msgspec.Struct, frozen=True):
    """One look at everything, at `now` (microseconds since 1970-01-01 UTC)."""

    now: int
    cases: int
    open: int
    provisional: int
    events: int
    events_last_hour: int
    dead_letters: int
    findings: int
    lamps: dict[str, Lamps]
    worst: list[Worst]
    moves: list[Passed]
    on_their_way: int
    days: list[int]
    read: int
    end: int


def board(view: View, clockwork: Clockwork, now: int, progress: tuple[int, int] = (0, 0), most: int = 8) -> Board:
    """`progress` is how far the view has read, of how much; `most` the length of the lists."""
    with view.snapshot() as snapshot:
        lamps, worst = _lights(lit(open_cases(snapshot), clockwork, now), most)
        counts = _counts(snapshot, now)
        return Board(
            now=now,
            open=sum(one.total for one in lamps.values()),
            lamps=lamps,
            worst=worst,
            moves=_moves(snapshot, clockwork, now, most),
            days=_days(snapshot, clockwork, now),
            read=progress[0],
            end=progress[1],
            **counts,
        )


def _lights(cases: Iterable[Lit], most: int) -> tuple[dict[str, Lamps], list[Worst]]:
    lamps: dict[str, Lamps] = {}
    burning: list[Lit] = []
    for one in cases:
        lamps.setdefault(department(one.case.authority), Lamps()).add(one)
        if one.reading.light in (Light.RED, Light.YELLOW):
            burning.append(one)
    ordered = dict(sorted(lamps.items(), key=lambda item: (-item[1].red, -item[1].yellow, -item[1].total, item[0])))
    return ordered, [_worst(one) for one in nsmallest(most, burning, key=lambda one: one.urgency)]


def _worst(one: Lit) -> Worst:
    case, reading = one
    shown = reading.shown
    return Worst(
        number=case.key.partition(":")[2],
        department=department(case.authority),
        item=case.item,
        light=reading.light,
        elapsed=shown.elapsed if shown else reading.elapsed_days,
        limit=shown.limit if shown else None,
        left=one.left,
        due=shown.due.isoformat() if shown and shown.due else "",
    )


def _counts(snapshot: Snapshot, now: int) -> dict[str, int]:
    cases, events = tables.cases, tables.events
    counted = (cases.c.forwards_to == "") & ~cases.c.expired
    counting = func.count
    questions = {
        "cases": select(counting()).select_from(cases).where(counted, cases.c.opened),
        "provisional": select(counting()).select_from(cases).where(cases.c.provisional),
        "events": select(counting()).select_from(events),
        "events_last_hour": select(counting()).select_from(events).where(events.c.received_at.between(now - HOUR, now)),
        "dead_letters": select(counting()).select_from(tables.dead_letters),
        "findings": select(counting()).select_from(tables.findings),
        "on_their_way": select(counting()).select_from(tables.moves).where(on_its_way()),
    }
    return {name: snapshot.all(question)[0][0] for name, question in questions.items()}


def _moves(snapshot: Snapshot, clockwork: Clockwork, now: int, most: int) -> list[Passed]:
    """What has waited longest for its receiver, as far as to half of the list; then the newest."""
    table = tables.moves.c
    waiting = select(tables.moves).where(on_its_way()).order_by(table.sent_at, table.case_key, table.hand_over).limit(most // 2)
    newest = select(tables.moves).order_by(table.sent_at.desc(), table.case_key, table.hand_over).limit(most)
    first = snapshot.all(waiting)
    rows = [*first, *(row for row in snapshot.all(newest) if row not in first)][:most]
    unsigned = {row.case_key for row in rows if row.received_at is None}
    still = {case.key: case for case in open_cases(snapshot, unsigned)}
    clocks = {key: _clocks(case, clockwork, now) for key, case in still.items()}
    return [_passed(row, clocks) for row in rows]


def on_its_way() -> ColumnElement[bool]:
    """Hand-overs of open cases that nobody has signed for; an answer on a part proves that it came."""
    move, case = tables.moves.c, tables.cases.c
    still = select(case.case_key).where(case.case_key == move.case_key, case.ended_at.is_(None), case.forwards_to == "")
    return move.received_at.is_(None) & move.answered_at.is_(None) & still.exists()


def _clocks(case: Case, clockwork: Clockwork, now: int) -> dict[str, Deadline]:
    """The clocks of an open case's hand-overs that run, by hand-over."""
    found = deadlines(case, clockwork.item(case), clockwork.terms, now)
    return {one.name: one for one in found if one.kind is Subject.HAND_OVER and one.open}


def _passed(row: Any, clocks: Mapping[str, Mapping[str, Deadline]]) -> Passed:
    """`clocks` of the open cases among those that nobody signed for."""
    said = (row.case_key.partition(":")[2], row.kind, row.sender, row.receiver, row.sent_at, row.received_at)
    clock = clocks.get(row.case_key, {}).get(row.hand_over)
    if clock is None:
        return Passed(*said, over=row.received_at is None and row.case_key not in clocks)
    return Passed(*said, clock.elapsed, clock.limit, "hours" if clock.unit is Measure.HOURS else "days")


def _days(snapshot: Snapshot, clockwork: Clockwork, now: int) -> list[int]:
    """Events received on each of the last local days, today last; a change of the zone's offset within is not followed."""
    offset = local(now, clockwork.zone).utcoffset()
    shift = int(offset.total_seconds()) * 1_000_000 if offset else 0
    today = (now + shift) // DAY
    table = tables.events.c
    day = ((table.received_at + shift) // DAY).label("day")
    query = select(day, func.count().label("number")).where(table.received_at >= (today - SPAN + 1) * DAY - shift).group_by(day)
    found = Counter({int(row.day): row.number for row in snapshot.all(query)})
    return [found[today - ago] for ago in range(SPAN - 1, -1, -1)]
