"""Where regions differ on one item: the to-do list of the one approval standard (审批一标准).

Compared is what is in force (the catalogue's limits and levels, region by region) and what is done (the limits that cases
state, and the papers that they are applied for with). What most regions have is the standard; the others are on the list.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

import msgspec

from monitor.statistics.slimming import Items, days_of
from schemas.case import Case
from schemas.catalogue import Item

_T = TypeVar("_T", int, str)

#: A paper is asked for in a region when at least this share of its applications holds it.
USUAL = 0.5
#: What the catalogue says of an item, and what cases state.
_LISTED = ("promised", "statutory", "accepted_at", "decided_at")
_STATED = ("promised_days", "statutory_days")


class Difference(msgspec.Struct, frozen=True):
    """One thing in which regions differ: what most have, and who has what instead. `source`: catalogue or cases."""

    item: str
    what: str
    source: str
    standard: str
    others: dict[str, list[str]]


class Listing(NamedTuple):
    """The catalogue as it holds on a day, region by region."""

    items: Items
    regions: Iterable[str]
    on: date

    def of(self, code: str) -> dict[str, Item]:
        """The item as it holds in each region."""
        found = ((region, self.items.item(code, None, self.on, region)) for region in self.regions)
        return {region: item for region, item in found if item is not None}


class _Practice:
    """What is gathered of one item in one region."""

    def __init__(self) -> None:
        self.stated: dict[str, Counter[int]] = {name: Counter() for name in _STATED}
        self.papers: Counter[str] = Counter()
        #: Applications that name their papers.
        self.naming = 0

    def add(self, case: Case) -> None:
        for name in _STATED:
            if (days := getattr(case, name)) is not None:
                self.stated[name][days] += 1
        self.naming += bool(case.materials)
        self.papers.update(set(case.materials))

    def usual(self) -> set[str]:
        return {paper for paper, number in self.papers.items() if number >= USUAL * self.naming}


class StandardMeasure:
    """Takes cases one by one; counted are those applied for within these bounds (microseconds UTC, without the last one)."""

    def __init__(self, bounds: tuple[int, int]) -> None:
        self._start, self._end = bounds
        self._items: dict[str, dict[str, _Practice]] = defaultdict(lambda: defaultdict(_Practice))

    def add(self, case: Case) -> None:
        if case.applied_at is not None and self._start <= case.applied_at < self._end:
            self._items[case.item][case.region].add(case)

    def result(self, listing: Listing, only: str = "") -> list[Difference]:
        """All differences, item by item; of one item only."""
        codes = sorted({*self._items, *listing.items})
        return [one for code in codes if only in {"", code} for one in self._of(code, listing.of(code))]

    def _of(self, code: str, listed: Mapping[str, Item]) -> Iterator[Difference]:
        practices = self._items.get(code, {})
        found = [(what, "catalogue", {region: _listed(item, what) for region, item in listed.items()}) for what in _LISTED]
        found += [(what, "cases", _stated(practices, what)) for what in _STATED]
        compared = (_difference(code, *one) for one in [*found, *_papers(practices)])
        return (one for one in compared if one)


def _listed(item: Item, what: str) -> str:
    value = getattr(item, what)
    if value is None:
        return "none"
    return days_of(value) if hasattr(value, "days") else str(value.name.lower())


def _stated(practices: Mapping[str, _Practice], what: str) -> dict[str, str]:
    """The limit that most cases of each region state."""
    found = ((region, one.stated[what]) for region, one in practices.items())
    return {region: str(_commonest(counts)) for region, counts in found if counts}


def _papers(practices: Mapping[str, _Practice]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Papers that some regions ask for and others do not."""
    asked = {region: one.usual() for region, one in practices.items() if one.naming}
    for paper in sorted(set().union(*asked.values()) if asked else ()):
        said = {region: "asked for" if paper in papers else "not asked for" for region, papers in asked.items()}
        yield f"paper: {paper}", "cases", said


def _difference(code: str, what: str, source: str, values: Mapping[str, str]) -> Difference | None:
    """None where all agree."""
    counts = Counter(values.values())
    if len(counts) < 2:
        return None
    standard = _commonest(counts)
    others: dict[str, list[str]] = {}
    for region, value in sorted(values.items()):
        if value != standard:
            others.setdefault(value, []).append(region)
    return Difference(code, what, source, standard, others)


def _commonest(counts: Mapping[_T, int]) -> _T:
    """Ties fall to the smaller one."""
    return min(counts.items(), key=lambda pair: (-pair[1], pair[0]))[0]
