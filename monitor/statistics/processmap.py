"""The process map of some cases: each activity with how often, each way between two with how often and how long."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from monitor.statistics.row import Trace
from monitor.times import HOUR

#: The ways that most cases went, in full.
VARIANTS = 10


class Node(msgspec.Struct, frozen=True):
    activity: str
    events: int
    cases: int
    begins: int
    ends: int


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

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in ("events", "cases", "begins", "ends")}
        self._waits: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._through: Counter[tuple[str, str]] = Counter()
        self._ways: dict[tuple[str, ...], list[int]] = defaultdict(list)

    def add(self, trace: Trace) -> None:
        path = tuple(row.activity for row in trace.rows)
        self._counts["events"].update(path)
        self._counts["cases"].update(set(path))
        self._counts["begins"][path[0]] += 1
        self._counts["ends"][path[-1]] += 1
        for before, after in pairwise(trace.rows):
            self._waits[before.activity, after.activity].append(after.at - before.at)
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
        return [Node(name, *(self._counts[what][name] for what in ("events", "cases", "begins", "ends"))) for name in names]

    def _edges(self) -> list[Edge]:
        ordered = sorted(self._waits.items(), key=lambda item: (-len(item[1]), item[0]))
        return [
            Edge(*pair, len(waits), self._through[pair], _median(waits), round(max(waits) / HOUR, 2)) for pair, waits in ordered
        ]


def process_map(traces: Iterable[Trace]) -> ProcessMap:
    measure = ProcessMeasure()
    for trace in traces:
        measure.add(trace)
    return measure.result()


def _median(spans: list[int]) -> float:
    """In hours."""
    ordered, middle = sorted(spans), len(spans) // 2
    found = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return round(found / HOUR, 2)
