"""What follows what inside a case: directly-follows pairs, variants, rework, stages."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import msgspec

from monitor.statistics.context import Measuring
from monitor.statistics.counting import Pair, ranked, ranked_pairs
from monitor.statistics.row import Trace


class DirectlyFollows(msgspec.Struct, frozen=True):
    edges: int
    pairs: int
    top: list[Pair]
    start_activities: dict[str, int]
    end_activities: dict[str, int]


class Variant(msgspec.Struct, frozen=True):
    cases: int
    length: int
    activities: tuple[str, ...]


class Variants(msgspec.Struct, frozen=True):
    """Different sequences of activities; a singleton was walked by one case only."""

    number: int
    singletons: int
    top: list[Variant]


class Rework(msgspec.Struct, frozen=True):
    """Work done again: an activity that a case went through more than once."""

    events_minus_distinct_case_activity: int
    cases_with_rework: int
    immediate_repeats: int
    cases_per_activity: dict[str, int]


class Stages(msgspec.Struct, frozen=True):
    """By event type: how many events, in how many cases."""

    events: dict[str, int]
    cases: dict[str, int]


class Flow(msgspec.Struct, frozen=True):
    activities: dict[str, int]
    dfg: DirectlyFollows
    variants: Variants
    rework: Rework
    stages: Stages


class FlowMeasure:
    def __init__(self, measuring: Measuring) -> None:
        self._top = measuring.top
        self._activities: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._starts: Counter[str] = Counter()
        self._ends: Counter[str] = Counter()
        self._variants: Counter[tuple[str, ...]] = Counter()
        self._again: Counter[str] = Counter()
        self._stages: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

    def add(self, trace: Trace) -> None:
        path = tuple(row.activity for row in trace.rows)
        self._variants[path] += 1
        self._starts[path[0]] += 1
        self._ends[path[-1]] += 1
        self._pairs.update(pairwise(path))
        own = Counter(path)
        self._activities.update(own)
        self._again.update(activity for activity, times in own.items() if times > 1)
        types = [row.type for row in trace.rows]
        self._stages[0].update(types)
        self._stages[1].update(set(types))

    def result(self) -> Flow:
        return Flow(
            ranked(self._activities), self._dfg(), self._variant_list(), self._rework(), Stages(*map(ranked, self._stages))
        )

    def _dfg(self) -> DirectlyFollows:
        top = ranked_pairs(self._pairs, self._top)
        return DirectlyFollows(len(self._pairs), self._pairs.total(), top, ranked(self._starts), ranked(self._ends))

    def _variant_list(self) -> Variants:
        ordered = sorted(self._variants.items(), key=lambda item: (-item[1], item[0]))[: self._top]
        top = [Variant(cases, len(path), path) for path, cases in ordered]
        return Variants(len(self._variants), sum(cases == 1 for cases in self._variants.values()), top)

    def _rework(self) -> Rework:
        """From the variants, not from the cases: there are far fewer of them."""
        walked = self._variants.items()
        return Rework(
            events_minus_distinct_case_activity=sum((len(path) - len(set(path))) * cases for path, cases in walked),
            cases_with_rework=sum(cases for path, cases in walked if len(set(path)) < len(path)),
            immediate_repeats=sum(count for (source, target), count in self._pairs.items() if source == target),
            cases_per_activity=ranked(self._again),
        )
