"""Where everything stands at one moment: the value that pages are made of, live or of a past day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from operator import itemgetter
from typing import NamedTuple, TypeVar

import msgspec

from monitor.times import local_date
from monitor.web.access import Scope
from monitor.web.glance import Glance

#: Days of the trend.
SPAN = 30


class Lamps(msgspec.Struct):
    """Open cases by light; `none` waits for its acceptance."""

    red: int = 0
    yellow: int = 0
    green: int = 0
    none: int = 0
    paused: int = 0
    on_its_way: int = 0
    supervised: int = 0
    #: Their limit ends today.
    last_day: int = 0

    @property
    def total(self) -> int:
        return self.red + self.yellow + self.green + self.none

    def add(self, one: Glance, times: int = 1) -> None:
        """Count it; `times` -1 takes it back."""
        setattr(self, one.light, getattr(self, one.light) + times)
        self.paused += times * one.paused
        self.on_its_way += times * one.on_its_way
        self.supervised += times * one.supervised
        self.last_day += times * one.last_day


#: Region, department, item.
Place = tuple[str, str, str]
#: Open cases by place. What is handed out is never changed.
Tallies = Mapping[Place, Lamps]


class Day(NamedTuple):
    """What came and what was finished on one local day."""

    day: date
    applied: int
    ended: int


class Picture(msgspec.Struct, frozen=True):
    """`glances` are worst first: open cases, or all of them where `whole`. `applied` and `ended` count (region, day)."""

    now: int
    version: int
    glances: Sequence[Glance]
    whole: bool = False
    applied: Counter[tuple[str, date]] = msgspec.field(default_factory=Counter)
    ended: Counter[tuple[str, date]] = msgspec.field(default_factory=Counter)
    provisional: int = 0
    refused: int = 0
    #: Of the open cases; counted when it is asked for where it is None.
    tallies: Tallies | None = None
    #: Open cases under supervision, worst first; looked for when they are asked for where it is None.
    taken: Sequence[Glance] | None = None

    def tally(self, allowed: Scope = None) -> Tallies:
        """Open cases by place, in these regions."""
        found = tallied(self.open()) if self.tallies is None else self.tallies
        return found if allowed is None else {place: one for place, one in found.items() if place[0] in allowed}

    def open(self, allowed: Scope = None) -> Sequence[Glance]:
        """Worst first, of these regions."""
        if allowed is None and not self.whole:
            return self.glances
        return list(self.each(allowed))

    def supervised(self, allowed: Scope = None) -> list[Glance]:
        """Under supervision, worst first, in these regions."""
        found = self.each() if self.taken is None else self.taken
        return [one for one in found if one.supervision and (allowed is None or one.region in allowed)]

    def each(self, allowed: Scope = None) -> Iterator[Glance]:
        """The same one by one, for whoever needs only the first."""
        found = (one for one in self.glances if allowed is None or one.region in allowed)
        return (one for one in found if one.ended_at is None or one.ended_at > self.now) if self.whole else found

    def days(self, zone: tzinfo, allowed: Scope = None, span: int = SPAN) -> list[Day]:
        """The last days up to today, in these regions."""
        today = local_date(self.now, zone)
        came, went = (_by_day(counts, allowed) for counts in (self.applied, self.ended))
        days = (today - timedelta(ago) for ago in range(span - 1, -1, -1))
        return [Day(day, came[day], went[day]) for day in days]


def worst_first(glances: Iterable[Glance]) -> list[Glance]:
    return sorted(glances, key=lambda one: one.urgency)


def tallied(glances: Iterable[Glance]) -> Tallies:
    found: dict[Place, Lamps] = {}
    for one in glances:
        found.setdefault((one.region, one.department, one.item), Lamps()).add(one)
    return found


def added(parts: Iterable[Lamps]) -> Lamps:
    total = Lamps()
    for one in parts:
        for name in one.__struct_fields__:
            setattr(total, name, getattr(total, name) + getattr(one, name))
    return total


T = TypeVar("T")


def by(tallies: Tallies, part: Callable[[Place], T]) -> dict[T, Lamps]:
    """Added up by a part of the place."""
    found: dict[T, list[Lamps]] = {}
    for place, one in tallies.items():
        found.setdefault(part(place), []).append(one)
    return {name: added(parts) for name, parts in found.items()}


def cells(tallies: Tallies) -> dict[tuple[str, str], Lamps]:
    """By region and department."""
    return by(tallies, itemgetter(0, 1))


def counted_days(glances: Iterable[Glance], zone: tzinfo) -> tuple[Counter[tuple[str, date]], Counter[tuple[str, date]]]:
    """Applications and ends by region and local day."""
    came: Counter[tuple[str, date]] = Counter()
    went: Counter[tuple[str, date]] = Counter()
    for one in glances:
        if one.applied_at is not None:
            came[one.region, local_date(one.applied_at, zone)] += 1
        if one.ended_at is not None:
            went[one.region, local_date(one.ended_at, zone)] += 1
    return came, went


def _by_day(counts: Counter[tuple[str, date]], allowed: Scope) -> Counter[date]:
    found: Counter[date] = Counter()
    for (region, day), number in counts.items():
        if allowed is None or region in allowed:
            found[day] += number
    return found
