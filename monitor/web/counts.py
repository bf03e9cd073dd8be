"""Counts that need a pass over many rows: the trend, what is provisional, what was refused."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from monitor import tables
from monitor.times import DAY, local, local_date
from monitor.view import Snapshot
from monitor.web.picture import SPAN

_EPOCH = date(1970, 1, 1)
_TABLE = tables.cases.c
#: What counts as a case.
COUNTED = (_TABLE.opened, _TABLE.forwards_to == "", ~_TABLE.expired)
_PROVISIONAL = select(func.count()).select_from(tables.cases).where(_TABLE.provisional)
_REFUSED = select(func.count()).select_from(tables.dead_letters)


class Counts(NamedTuple):
    """`applied` and `ended` by region and local day, over the days of the trend."""

    applied: Counter[tuple[str, date]]
    ended: Counter[tuple[str, date]]
    provisional: int
    refused: int


NOTHING = Counts(Counter(), Counter(), 0, 0)


def counts(snapshot: Snapshot, zone: tzinfo, now: int) -> Counts:
    came, went = (_by_day(snapshot, column, zone, now) for column in (_TABLE.applied_at, _TABLE.ended_at))
    return Counts(came, went, _number(snapshot, _PROVISIONAL), _number(snapshot, _REFUSED))


def _by_day(snapshot: Snapshot, column: Any, zone: tzinfo, now: int) -> Counter[tuple[str, date]]:
    """A change of the zone's offset within these days is not followed."""
    shift = int((local(now, zone).utcoffset() or timedelta()).total_seconds()) * 1_000_000
    day = ((column + shift) // DAY).label("day")
    begin = (local_date(now, zone) - timedelta(SPAN) - _EPOCH).days * DAY - shift
    region = _TABLE.region.concat("").label("region")  # else all cases would be read in the order of their regions
    query = select(region, day, func.count().label("number")).where(column >= begin, *COUNTED)
    rows = snapshot.all(query.group_by(region, day))
    return Counter({(row.region, _EPOCH + timedelta(int(row.day))): row.number for row in rows})


def _number(snapshot: Snapshot, query: Select[Any]) -> int:
    return int(snapshot.all(query)[0][0])
