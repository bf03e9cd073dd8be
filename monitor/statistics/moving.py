"""Whose due dates another calendar moves: every limit whose last day differs, before and after, and the days that did it.

Listed are limits that are still waited for, and those whose light changes: a day off told afterwards makes a late answer a
timely one. What was met long before is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import msgspec
from sqlalchemy import select

from monitor import tables
from monitor.lights import Clockwork
from monitor.rows import department
from monitor.times import local_date, midnight
from monitor.view import Snapshot
from schemas.calendar import Calendar, Notice
from schemas.case import Case, decode_state
from schemas.deadlines import Moved, moved


class Moving(msgspec.Struct, frozen=True):
    """One limit of one case. A last day is None while an open procedure leaves it unknown, or where the limit was not there.

    `by_days` are the changed days that it counts over, True for those that are working days now.
    """

    case: str
    number: str
    region: str
    department: str
    item: str
    limit: str
    who: str
    before: date | None
    after: date | None
    light_before: str
    light_after: str
    by_days: dict[str, bool]


def changed_days(old: Calendar, new: Calendar, notices: Iterable[Notice]) -> dict[date, bool]:
    """The days that differ, of those that the notices speak of; True: a working day now."""
    days = {day for notice in notices for day in _reached(notice)}
    return {day: new.is_working(day) for day in sorted(days) if old.is_working(day) != new.is_working(day)}


def _reached(notice: Notice) -> Iterator[date]:
    if reach := notice.reach:
        yield from (reach[0] + timedelta(number) for number in range((reach[1] - reach[0]).days + 1))


def moving(snapshot: Snapshot, clockwork: Clockwork, new: Calendar, days: dict[date, bool], now: int) -> Iterator[Moving]:
    """Case by case, in the order of their keys, as of `now` (microseconds UTC); nothing where no day changes."""
    if not days:
        return
    terms = clockwork.terms
    for case in _concerned(snapshot, midnight(min(days), clockwork.zone)):
        for one in moved([(case, clockwork.item(case))], terms, terms._replace(calendar=new), now):
            if one.open or one.light_before is not one.light_after:
                yield _moving(case, one, _between(days, one, clockwork))


def _concerned(snapshot: Snapshot, since: int) -> Iterator[Case]:
    table = tables.cases.c
    late = table.ended_at.is_(None) | (table.ended_at >= since)
    query = select(table.state).where(table.opened, late, table.forwards_to == "", ~table.expired).order_by(table.case_key)
    return (decode_state(row.state).case for row in snapshot.stream(query))


def _between(days: dict[date, bool], one: Moved, clockwork: Clockwork) -> dict[str, bool]:
    """The first day is never counted, the last one is."""
    start, ends = local_date(one.started_at, clockwork.zone), [day for day in (one.before, one.after) if day]
    last = max(ends, default=date.max)
    return {day.isoformat(): works for day, works in days.items() if start < day <= last}


def _moving(case: Case, one: Moved, by_days: dict[str, bool]) -> Moving:
    return Moving(
        case=case.key,
        number=case.key.partition(":")[2],
        region=case.region,
        department=department(case.authority),
        item=case.item,
        limit=" ".join(word for word in (str(one.kind), one.name) if word),
        who=one.who,
        before=one.before,
        after=one.after,
        light_before=str(one.light_before),
        light_after=str(one.light_after),
        by_days=by_days,
    )


def by_limit(found: Iterable[Moving]) -> dict[str, int]:
    """How many of each kind of limit."""
    return dict(sorted(Counter(one.limit.partition(" ")[0] for one in found).items()))
