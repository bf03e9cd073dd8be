"""Who passes a case to whom, and how long it waits there.

A hand-over between departments is a pair of consecutive events of one case whose departments differ; the matrix also
holds the pairs that stay in one department, so that its sum is all pairs. Between people the pairs that stay with one
person are left out, and so are events that name nobody. Waiting is the time since the case's previous event, counted
for the department of the later one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import msgspec

from monitor.statistics.context import Measuring
from monitor.statistics.counting import Pair, matrix, ranked, ranked_pairs
from monitor.statistics.distribution import Distribution, distribution
from monitor.statistics.row import Row, Trace
from monitor.times import HOUR


class HandOvers(msgspec.Struct, frozen=True):
    matrix: dict[str, dict[str, int]]
    pairs_total: int
    between_departments: int
    cases_in_one_department: int


class Department(msgspec.Struct, frozen=True):
    events: int
    cases: int
    resources: int
    first_events_of_a_case: int
    waiting_hours_all: Distribution
    waiting_hours_after_handover: Distribution


class People(msgspec.Struct, frozen=True):
    """Events by the person who acted. The names are as recorded; `Statistics.to_json` masks them."""

    number: int
    events: dict[str, int]
    events_without: int
    handovers: list[Pair]


class Passing(msgspec.Struct, frozen=True):
    handover: HandOvers
    by_department: dict[str, Department]
    by_resource: People


class _Tally:
    """What is gathered of one department."""

    def __init__(self) -> None:
        self.events = self.cases = self.firsts = 0
        self.people: set[str] = set()
        self.waits: list[float] = []
        self.waits_after: list[float] = []

    def result(self) -> Department:
        waits = distribution(self.waits), distribution(self.waits_after)
        return Department(self.events, self.cases, len(self.people), self.firsts, *waits)


class HandOverMeasure:
    def __init__(self, measuring: Measuring) -> None:
        self._top = measuring.top
        self._departments: dict[str, _Tally] = defaultdict(_Tally)
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._people: Counter[str] = Counter()
        self._passes: Counter[tuple[str, str]] = Counter()
        self._alone = 0

    def add(self, trace: Trace) -> None:
        names = {row.department for row in trace.rows}
        self._alone += len(names) == 1
        for name in names:
            self._departments[name].cases += 1
        self._departments[trace.rows[0].department].firsts += 1
        for row in trace.rows:
            self._event(row)
        for before, after in pairwise(trace.rows):
            self._pass(before, after)

    def _event(self, row: Row) -> None:
        tally = self._departments[row.department]
        tally.events += 1
        self._people[row.actor] += 1
        if row.actor:
            tally.people.add(row.actor)

    def _pass(self, before: Row, after: Row) -> None:
        self._pairs[before.department, after.department] += 1
        wait = (after.at - before.at) / HOUR
        tally = self._departments[after.department]
        tally.waits.append(wait)
        if before.department != after.department:
            tally.waits_after.append(wait)
        if before.actor and after.actor and before.actor != after.actor:
            self._passes[before.actor, after.actor] += 1

    def result(self) -> Passing:
        by_department = {name: tally.result() for name, tally in sorted(self._departments.items())}
        return Passing(self._handovers(), by_department, self._by_resource())

    def _handovers(self) -> HandOvers:
        between = sum(count for (source, target), count in self._pairs.items() if source != target)
        return HandOvers(matrix(self._pairs), self._pairs.total(), between, self._alone)

    def _by_resource(self) -> People:
        named = {name: count for name, count in self._people.items() if name}
        return People(len(named), ranked(named), self._people[""], ranked_pairs(self._passes, self._top))
