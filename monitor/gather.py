"""What indicators look at, read from the view: cases one by one, and departments.

A look at everything passes over the open cases and those that ended lately; a sweep only over what time alone can change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal_column, select

from monitor import tables
from monitor.chunks import chunks
from monitor.lights import Clockwork
from monitor.rows import provisional
from monitor.sight import BAD, Line, Seen, Told, seen
from monitor.times import DAY, local, local_date
from monitor.view import Snapshot
from schemas.calendar import Calendar
from schemas.case import decode_state

#: Days after its end in which a case is still looked at, and a bad rating still waited for to be followed up.
LATELY, RATED = 30, 90
#: Days of a department's history; it must have been active on so many of them to be judged by its silence.
HISTORY, ACTIVE = 180, 20
WEEKS = 8
_AT_ONCE = 500

_cases, _events, _aside = tables.cases.c, tables.events.c, tables.set_aside.c
#: The key as no index has it: in the order of their keys the few that fit would be looked for among all cases.
_HIDDEN = _cases.case_key.concat("")
#: As the index `cases_badly_rated` has it.
_BAD = _cases.rating >= literal_column(str(BAD))
#: As the index `cases_open` has it, and no other: that of the ends would give all open cases at once.
_OPEN = (_cases.ended_at + literal_column("0")).is_(None) & (
    _cases.opened | _cases.provisional | _cases.unanswered_at.is_not(None)
)


def some(snapshot: Snapshot, clockwork: Clockwork, now: int, keys: Collection[str]) -> Iterator[Seen]:
    """These cases as of now, with all that was told of them."""
    for part in chunks(keys, _AT_ONCE):
        cases = [
            decode_state(row.state).case for row in snapshot.all(select(_cases.state).where(_cases.case_key.in_(part), *_REAL))
        ]
        told = told_of(snapshot, part)
        yield from (seen(case, told.get(case.key, ()), clockwork, now) for case in cases)


def standing(snapshot: Snapshot, clockwork: Clockwork, now: int, keys: Sequence[str]) -> Iterator[Seen]:
    """What the passing of time can change of these cases; of those that nothing but time can, no event is read."""
    silent: list[str] = []
    for row in snapshot.all(select(_cases.state).where(_cases.case_key.in_(keys), *_REAL)):
        state = decode_state(row.state)
        case = state.case
        if case.ended_at is None and not provisional(case):
            yield seen(case, (), clockwork, now)
        else:
            silent.append(case.key)
    yield from some(snapshot, clockwork, now, silent)


def standing_keys(snapshot: Snapshot, now: int, after: str, most: int) -> list[str]:
    """Keys of cases that the passing of time can change, the next ones behind `after`, in order.

    Open cases, provisional ones, visits that nobody has called back about, bad ratings.
    """
    opened = _keys(snapshot, _cases.case_key, [_OPEN], after, most)
    rated = _keys(snapshot, _HIDDEN, [_BAD, _cases.ended_at >= now - RATED * DAY], after, most)
    return sorted({*opened, *rated})[:most]


def all_now(snapshot: Snapshot, clockwork: Clockwork, now: int) -> Iterator[Seen]:
    """Everything that is of interest now: what is open, and what ended lately."""
    lately = _cases.ended_at.between(now - LATELY * DAY, now) | (_cases.ended_at > now)
    rated = _BAD & (_cases.ended_at >= now - RATED * DAY)
    return some(
        snapshot,
        clockwork,
        now,
        sorted({*_keys(snapshot, _cases.case_key, [_OPEN]), *_keys(snapshot, _HIDDEN, [lately | rated])}),
    )


_REAL = (_cases.forwards_to == "", ~_cases.expired)


def _keys(
    snapshot: Snapshot,
    key: ColumnElement[str],
    which: Iterable[ColumnElement[bool]],
    after: str = "",
    most: int | None = None,
) -> list[str]:
    behind = [key > after] if after else []
    return [
        row.case_key for row in snapshot.all(select(_cases.case_key).where(*which, *behind, *_REAL).order_by(key).limit(most))
    ]


def told_of(snapshot: Snapshot, keys: Sequence[str]) -> dict[str, list[Told]]:
    """Events that count of these cases, in order of time."""
    joined = tables.events.outerjoin(
        tables.set_aside, and_(_aside.case_key == _events.case_key, _aside.sequence == _events.sequence)
    )
    columns = (_events.case_key, *(_events[name] for name in Told._fields))
    order = (_events.case_key, _events.occurred_at, _events.step, _events.source_sequence)
    query = select(*columns).select_from(joined).where(_aside.standing.is_(None), _events.case_key.in_(keys)).order_by(*order)
    found = groupby(snapshot.all(query), key=attrgetter("case_key"))
    return {key: [Told(*row[1:]) for row in rows] for key, rows in found}


def lines(snapshot: Snapshot, clockwork: Clockwork, now: int) -> list[Line]:
    """Every department, by name."""
    quiet = _silences(_active_days(snapshot, clockwork, now), clockwork.calendar, local_date(now, clockwork.zone))
    came = _by_week(snapshot, _cases.applied_at, now)
    went = _by_week(snapshot, _cases.ended_at, now)
    unended = (_cases.applied_at <= now) & (_cases.ended_at.is_(None) | (_cases.ended_at > now))
    query = select(_cases.department, func.count()).where(_cases.opened, unended, *_REAL).group_by(_cases.department)
    still = {row[0]: row[1] for row in snapshot.all(query)}
    names = sorted((quiet.keys() | came.keys() | still.keys()) - {""})
    nothing = [0] * WEEKS
    return [
        Line(name, *quiet.get(name, (0, None)), came.get(name, nothing), went.get(name, nothing), still.get(name, 0))
        for name in names
    ]


def _active_days(snapshot: Snapshot, clockwork: Clockwork, now: int) -> dict[str, list[date]]:
    """Local days on which something happened; a change of the zone's offset within the history is not followed."""
    offset = local(now, clockwork.zone).utcoffset() or timedelta()
    shift = int(offset.total_seconds()) * 1_000_000
    since = now - HISTORY * DAY
    day = ((_events.occurred_at + shift) // DAY).label("day")
    happened = _events.occurred_at.between(since, now) & (_events.received_at >= since)
    query = select(_events.department, day).where(happened).group_by(_events.department, day)
    found: dict[str, list[date]] = defaultdict(list)
    for row in snapshot.all(query.order_by(_events.department, day)):
        found[row.department].append(date(1970, 1, 1) + timedelta(int(row.day)))
    return found


def _silences(active: Mapping[str, Sequence[date]], calendar: Calendar, today: date) -> dict[str, tuple[int, int | None]]:
    """Whole working days without anything: now, and the most there were before."""
    found: dict[str, tuple[int, int | None]] = {}
    for name, days in active.items():
        gaps = [_between(before, after, calendar) for before, after in pairwise(days)]
        found[name] = _between(days[-1], today, calendar), max(gaps, default=0) if len(days) >= ACTIVE else None
    return found


def _between(before: date, after: date, calendar: Calendar) -> int:
    """Working days that lie wholly between two days."""
    return max(0, calendar.working_days(before, after - timedelta(1)))


def _by_week(snapshot: Snapshot, column: ColumnElement[Any], now: int) -> dict[str, list[int]]:
    """Cases whose time lies in each of the last weeks, the week that ends now last."""
    since = now - WEEKS * 7 * DAY
    week = ((column - since - 1) // (7 * DAY)).label("week")
    which = (column > since, column <= now, _cases.opened, *_REAL)
    query = select(_cases.department, week, func.count().label("number")).where(*which).group_by(_cases.department, week)
    found: dict[str, list[int]] = defaultdict(lambda: [0] * WEEKS)
    for row in snapshot.all(query):
        found[row.department][int(row.week)] = row.number
    return found
