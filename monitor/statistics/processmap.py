"""The process map of some cases: each activity with how often, each way between two with how often and how long.

What counts as an activity is asked for: what the department calls it (`activity`), or the standard's event type (`type`),
which is the same in every department.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from operator import attrgetter

import msgspec

from monitor.statistics.row import Trace
from monitor.times import HOUR

#: What a map may be made of.
BY = ("type", "activity")
#: The ways that most cases went, in full.
VARIANTS = 10


class Node(msgspec.Struct, frozen=True):
    """`place` is how many steps of its cases come before its first time, on average."""

    activity: str
    events: int
    cases: int
    begins: int
    ends: int
    place: float = 0.0


class Edge(msgspec.Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """`median_hours` and `longest_hours` between the two events, by the calendar and not by office hours."""

    source: str
    target: str
    count: int
    cases: int
    median_hours: float
    longest_hours: float


class Way(msgspec.Struct, frozen=True):
    """A variant; `share` of the cases, 0 to 1."""

    activities: tuple[str, ...]
    cases: int
    share: float
    median_days: float


class ProcessMap(msgspec.Struct, frozen=True):
    cases: int
    events: int
    nodes: list[Node]
    edges: list[Edge]
    variants: int
    ways: list[Way]


class ProcessMeasure:
    """Takes traces one by one."""

    def __init__(self, by: str = "activity") -> None:
        self._name = attrgetter(by)
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in ("events", "cases", "begins", "ends")}
        self._places: Counter[str] = Counter()
        self._waits: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._through: Counter[tuple[str, str]] = Counter()
        self._ways: dict[tuple[str, ...], list[int]] = defaultdict(list)

    def add(self, trace: Trace) -> None:
        path = tuple(map(self._name, trace.rows))
        self._counts["events"].update(path)
        self._counts["cases"].update(set(path))
        for name in set(path):
            self._places[name] += path.index(name)
        self._counts["begins"][path[0]] += 1
        self._counts["ends"][path[-1]] += 1
        for pair, (before, after) in zip(pairwise(path), pairwise(trace.rows), strict=True):
            self._waits[pair].append(after.at - before.at)
        self._through.update(set(pairwise(path)))
        self._ways[path].append(trace.last - trace.first)

    def result(self) -> ProcessMap:
        cases = sum(map(len, self._ways.values()))
        ways = sorted(self._ways.items(), key=lambda item: (-len(item[1]), item[0]))[:VARIANTS]
        return ProcessMap(
            cases=cases,
            events=self._counts["events"].total(),
            nodes=self._nodes(),
            edges=self._edges(),
            variants=len(self._ways),
            ways=[Way(path, len(spans), round(len(spans) / cases, 4), _median(spans) / 24) for path, spans in ways],
        )

    def _nodes(self) -> list[Node]:
        names = sorted(self._counts["events"], key=lambda name: (-self._counts["events"][name], name))
        return [self._node(name) for name in names]

    def _node(self, name: str) -> Node:
        counts = {what: found[name] for what, found in self._counts.items()}
        return Node(name, **counts, place=round(self._places[name] / counts["cases"], 4))

    def _edges(self) -> list[Edge]:
        ordered = sorted(self._waits.items(), key=lambda item: (-len(item[1]), item[0]))
        return [
            Edge(*pair, len(waits), self._through[pair], _median(waits), round(max(waits) / HOUR, 2)) for pair, waits in ordered
        ]


def process_map(traces: Iterable[Trace], by: str = "activity") -> ProcessMap:
    measure = ProcessMeasure(by)
    for trace in traces:
        measure.add(trace)
    return measure.result()


def _median(spans: list[int]) -> float:
    """In hours."""
    ordered, middle = sorted(spans), len(spans) // 2
    found = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return round(found / HOUR, 2)
