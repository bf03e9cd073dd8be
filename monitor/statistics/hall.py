"""The service hall: how long people waited there, hour by hour, and how much work each clerk had.

Waiting runs from the queue ticket to the case's next event on the same local day: that is when somebody at a window turned
to it. A ticket after which nothing happened that day is counted apart. Clerks are those who acted in events; their names
come masked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, tzinfo
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import and_, select

from monitor import tables
from monitor.chunks import chunks
from monitor.mask import masked
from monitor.rows import Reader
from monitor.statistics.distribution import Distribution, distribution
from monitor.times import local, local_date
from monitor.view import Snapshot

MINUTE = 60_000_000
_AT_ONCE = 500
#: No work at a window.
_BESIDE = frozenset({"TicketTaken", "AppointmentRequested", "AppointmentConfirmed", "Linked", "AlertRaised", "AlertWithdrawn"})


class Ticket(NamedTuple):
    """One queue ticket and, of the same case, what came next; times are microseconds UTC."""

    hall: str
    window: str
    taken_at: int
    served_at: int | None


class Hall(msgspec.Struct, frozen=True):
    """Waiting is in minutes; `busiest` are tickets by hour of the local day, 0 to 23."""

    tickets: int
    served: int
    waiting_minutes: Distribution
    by_hour: dict[str, Distribution]
    busiest: dict[str, int]
    by_window: dict[str, int]


class Clerk(msgspec.Struct, frozen=True):
    """What one person did; `days` on which they did anything."""

    name: str
    department: str
    events: int
    cases: int
    days: int
    events_a_day: float


def halls(tickets: Iterable[Ticket], zone: tzinfo) -> dict[str, Hall]:
    """By hall; those that name none under an empty name."""
    found: dict[str, list[Ticket]] = defaultdict(list)
    for one in tickets:
        found[one.hall].append(one)
    return {name: _hall(some, zone) for name, some in sorted(found.items())}


def _hall(tickets: list[Ticket], zone: tzinfo) -> Hall:
    by_hour: dict[str, list[float]] = defaultdict(list)
    for one in tickets:
        if one.served_at is not None:
            by_hour[str(local(one.taken_at, zone).hour)].append((one.served_at - one.taken_at) / MINUTE)
    hours = Counter(local(one.taken_at, zone).hour for one in tickets)
    waits = [wait for some in by_hour.values() for wait in some]
    return Hall(
        tickets=len(tickets),
        served=len(waits),
        waiting_minutes=distribution(waits),
        by_hour={hour: distribution(some) for hour, some in sorted(by_hour.items(), key=lambda pair: int(pair[0]))},
        busiest={str(hour): hours[hour] for hour in sorted(hours)},
        by_window=dict(sorted(Counter(one.window for one in tickets if one.window).items())),
    )


def tickets_of(snapshot: Snapshot, reader: Reader, bounds: tuple[int, int], zone: tzinfo) -> list[Ticket]:
    """Queue tickets taken in a time, each once, with what came next in its case."""
    e = tables.events.c
    query = _effective(e.case_key, e.event_id, e.occurred_at, e.raw).where(e.type == "TicketTaken")
    rows = snapshot.all(query.where(e.occurred_at >= bounds[0], e.occurred_at < bounds[1]).order_by(e.event_id, e.case_key))
    later = _work(snapshot, {row.case_key for row in rows})
    found: dict[str, Ticket] = {}
    for row in rows:
        known, served = found.get(row.event_id), _next(later.get(row.case_key, ()), row.occurred_at, zone)
        if known is None or (known.served_at is None and served is not None):
            body = reader.decode(row.raw).body
            found[row.event_id] = Ticket(body.get("hall") or "", body.get("window") or "", row.occurred_at, served)
    return list(found.values())


def _next(times: Iterable[int], taken: int, zone: tzinfo) -> int | None:
    day = local_date(taken, zone)
    return next((at for at in times if at >= taken and local_date(at, zone) == day), None)


def _work(snapshot: Snapshot, keys: Iterable[str]) -> Mapping[str, list[int]]:
    """When work was done on these cases, in order."""
    e = tables.events.c
    found: dict[str, list[int]] = defaultdict(list)
    for part in chunks(keys, _AT_ONCE):
        query = _effective(e.case_key, e.occurred_at).where(e.case_key.in_(part), e.type.not_in(_BESIDE))
        for row in snapshot.all(query.order_by(e.case_key, e.occurred_at)):
            found[row.case_key].append(row.occurred_at)
    return found


def _effective(*columns: Any) -> Any:
    e, aside = tables.events.c, tables.set_aside.c
    joined = tables.events.outerjoin(tables.set_aside, and_(aside.case_key == e.case_key, aside.sequence == e.sequence))
    return select(*columns).select_from(joined).where(aside.standing.is_(None))


def clerks(snapshot: Snapshot, bounds: tuple[int, int], zone: tzinfo, *, clear: bool = False) -> list[Clerk]:
    """Everybody who acted in that time, the busiest first."""
    e = tables.events.c
    query = _effective(e.actor, e.department, e.case_key, e.occurred_at).where(e.actor != "", e.type.not_in(_BESIDE))
    cases: dict[tuple[str, str], set[str]] = defaultdict(set)
    days: dict[tuple[str, str], set[date]] = defaultdict(set)
    events: Counter[tuple[str, str]] = Counter()
    for row in snapshot.stream(query.where(e.occurred_at >= bounds[0], e.occurred_at < bounds[1])):
        who = (row.actor, row.department)
        events[who] += 1
        cases[who].add(row.case_key)
        days[who].add(local_date(row.occurred_at, zone))
    ordered = sorted(events, key=lambda who: (-events[who], who))
    return [
        Clerk(
            who[0] if clear else f"{masked(who[0])} {number}",
            who[1],
            events[who],
            len(cases[who]),
            len(days[who]),
            round(events[who] / len(days[who]), 2),
        )
        for number, who in enumerate(ordered, 1)
    ]


def taken(snapshot: Snapshot) -> dict[str, list[int]]:
    """When queue tickets were taken for each case."""
    e = tables.events.c
    found: dict[str, list[int]] = defaultdict(list)
    for row in snapshot.all(_effective(e.case_key, e.occurred_at).where(e.type == "TicketTaken")):
        found[row.case_key].append(row.occurred_at)
    return found
