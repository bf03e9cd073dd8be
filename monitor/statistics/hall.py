"""The service hall: how long people waited there, hour by hour, and how much work each clerk had.

Waiting runs from the queue ticket to the case's next event on the same local day: that is when somebody at a window turned
to it. A ticket after which nothing happened that day is counted apart. Clerks are those who acted in events; their names
come masked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, tzinfo
from itertools import zip_longest
from typing import NamedTuple

import msgspec

from monitor.mask import masked
from monitor.statistics.distribution import Distribution, distribution
from monitor.statistics.row import Row
from monitor.statistics.source import Known
from monitor.times import local, local_date
from schemas.case import Ticket as Number

MINUTE = 60_000_000


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
    """What one person did; `days` on which they did anything.

    `events_before` and `events_a_day_before` are theirs in the earlier span; None where they did nothing in it.
    """

    name: str
    department: str
    events: int
    cases: int
    days: int
    events_a_day: float
    events_before: int | None = None
    events_a_day_before: float | None = None


class HallFigures(msgspec.Struct, frozen=True):
    """`total` is all halls as one. Names of clerks are masked."""

    total: Hall
    halls: dict[str, Hall]
    clerks: list[Clerk]


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


class _Work:
    """What is gathered of one clerk."""

    def __init__(self) -> None:
        self.events = 0
        self.cases: set[str] = set()
        self.days: set[date] = set()

    @property
    def a_day(self) -> float:
        return round(self.events / len(self.days), 2)


class _Span:
    """What is gathered of one span of time."""

    def __init__(self, bounds: tuple[int, int]) -> None:
        self.start, self.end = bounds
        self.tickets: dict[tuple[str, int, str], Ticket] = {}
        self.clerks: dict[tuple[str, str], _Work] = defaultdict(_Work)

    def has(self, at: int) -> bool:
        return self.start <= at < self.end

    def take(self, number: Number, served: int | None) -> None:
        """A ticket may serve several cases: it was served when the first of them was turned to."""
        name = number.id, number.at, number.by
        known = self.tickets.get(name)
        times = [at for at in (served, known.served_at if known else None) if at is not None]
        self.tickets[name] = Ticket(number.hall, number.window, number.at, min(times, default=None))

    def work(self, row: Row, day: date) -> None:
        work = self.clerks[row.actor, row.department]
        work.events += 1
        work.cases.add(row.case)
        work.days.add(day)


class HallMeasure:
    """Takes cases one by one; several spans of time (microseconds UTC, without the last one) in one pass."""

    def __init__(self, bounds: Sequence[tuple[int, int]], zone: tzinfo, *, clear: bool = False) -> None:
        self._zone, self._clear = zone, clear
        self._spans = [_Span(one) for one in bounds]

    def add(self, known: Known) -> None:
        rows = known.trace.rows
        for number in known.case.tickets if known.case else ():
            for span in self._spans:
                if span.has(number.at):
                    span.take(number, self._next(rows, number.at))
        for row in rows:
            for span in self._spans:
                if row.actor and span.has(row.at):
                    span.work(row, local_date(row.at, self._zone))

    def _next(self, rows: Iterable[Row], taken: int) -> int | None:
        """The case's next work on the same day."""
        day = local_date(taken, self._zone)
        return next((row.at for row in rows if row.at >= taken and local_date(row.at, self._zone) == day), None)

    def result(self) -> list[HallFigures]:
        """One for each span of time; clerks beside what they did in the span that follows in the list, the earlier one."""
        return [self._figures(span, earlier) for span, earlier in zip_longest(self._spans, self._spans[1:])]

    def _figures(self, span: _Span, earlier: _Span | None) -> HallFigures:
        tickets = list(span.tickets.values())
        before = earlier.clerks if earlier else {}
        return HallFigures(_hall(tickets, self._zone), halls(tickets, self._zone), list(self._clerks(span, before)))

    def _clerks(self, span: _Span, before: Mapping[tuple[str, str], _Work]) -> Iterable[Clerk]:
        """The busiest first."""
        ordered = sorted(span.clerks.items(), key=lambda one: (-one[1].events, one[0]))
        for number, ((name, department), work) in enumerate(ordered, 1):
            shown, then = name if self._clear else f"{masked(name)} {number}", before.get((name, department))
            earlier = (then.events, then.a_day) if then else (None, None)
            yield Clerk(shown, department, work.events, len(work.cases), len(work.days), work.a_day, *earlier)
