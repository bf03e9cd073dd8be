"""The light of each case as of now: the case's facts, the item's limits, the region's rules, the calendar.

Everything is computed at the moment somebody looks; no light is stored, so none can be stale.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, tzinfo
from typing import NamedTuple, Protocol

from sqlalchemy import select

from monitor import tables
from monitor.times import local_date
from monitor.view import Snapshot
from schemas.calendar import Calendar
from schemas.case import Case, decode_state
from schemas.clock import ClockRules, Facts, Light, Line, Reading, explain, facts_of, read
from schemas.limits import Terms
from schemas.spans import Planned

#: Brightest first: what a supervisor looks at first.
ORDER = (Light.RED, Light.YELLOW, Light.GREEN, Light.NONE)


class Items(Protocol):
    """The part of `schemas.catalogue.Catalogue` that clocks need."""

    def item(self, code: str, version: str | None, on: date, region: str = "", /) -> Planned | None: ...


class Clockwork(NamedTuple):
    """All that a clock needs beside the case and the time."""

    rules: ClockRules
    calendar: Calendar
    zone: tzinfo
    items: Items | None = None

    @property
    def terms(self) -> Terms:
        return Terms(self.rules, self.calendar, self.zone)

    def facts(self, case: Case) -> Facts:
        return facts_of(case, self.item(case), self.rules)

    def reading(self, case: Case, now: int) -> Reading:
        """What the clock of the case shows at `now` (microseconds since 1970-01-01 UTC)."""
        return read(self.facts(case), self.rules, self.calendar, self.zone, now)

    def explained(self, case: Case, now: int) -> list[Line]:
        """Why it shows that: every counted day, day off, procedure and extension, with the article."""
        return explain(self.facts(case), self.rules, self.calendar, self.zone, now)

    def item(self, case: Case) -> Planned | None:
        """As it holds in the case's region: the version it names, else the one that held when it was applied for."""
        since = case.applied_at if case.applied_at is not None else case.first_at
        if self.items is None or not case.item or since is None:
            return None
        return self.items.item(case.item, case.item_version or None, local_date(since, self.zone), case.region)


class Lit(NamedTuple):
    """One open case in its light."""

    case: Case
    reading: Reading

    @property
    def left(self) -> int | None:
        """Days left of the limit that gave the light; negative when passed."""
        shown = self.reading.shown
        return shown.left if shown else None

    @property
    def urgency(self) -> tuple[int, int, str]:
        """Sorts the worst first: by light, then by days left."""
        return ORDER.index(self.reading.light), self.left if self.left is not None else 1 << 30, self.case.key


def open_cases(snapshot: Snapshot, among: Collection[str] | None = None) -> Iterator[Case]:
    """Cases that have been applied for and not ended; other names of a case are left out. `among` bounds it to some."""
    table = tables.cases.c
    query = select(table.state).where(table.opened, table.ended_at.is_(None), table.forwards_to == "", ~table.expired)
    if among is not None:
        query = query.where(table.case_key.in_(among))
    return (decode_state(row.state).case for row in snapshot.stream(query))


def lit(cases: Iterable[Case], clockwork: Clockwork, now: int) -> Iterator[Lit]:
    return (Lit(case, clockwork.reading(case, now)) for case in cases)
