"""All figures of the event log in one pass over the cases: what process miners count, without their tools."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from monitor.statistics.context import Measuring
from monitor.statistics.diary import Diary, DiaryMeasure
from monitor.statistics.flow import Flow, FlowMeasure
from monitor.statistics.handover import HandOverMeasure, Passing
from monitor.statistics.hindsight import OpenAt, OpenAtMeasure
from monitor.statistics.quality import Quality, QualityMeasure
from monitor.statistics.row import Trace
from monitor.statistics.throughput import Throughput, ThroughputMeasure


class LogFigures(msgspec.Struct, frozen=True):
    """Of effective events in business order; `open_at` only where a time T was asked for."""

    cases: int
    events: int
    throughput: Throughput
    flow: Flow
    passing: Passing
    diary: Diary
    quality: Quality
    open_at: OpenAt | None = None


def measure(traces: Iterable[Trace], measuring: Measuring, at: int | None = None) -> LogFigures:
    """With `at`, events after it count only for saying what was still open at it."""
    measures = (
        ThroughputMeasure(measuring),
        FlowMeasure(measuring),
        HandOverMeasure(measuring),
        DiaryMeasure(measuring),
        QualityMeasure(measuring),
    )
    open_at = None if at is None else OpenAtMeasure(measuring, at)
    cases = events = 0
    for trace in traces:
        if open_at:
            open_at.add(trace)
        known = until(trace, at)
        if not known.rows:
            continue
        cases, events = cases + 1, events + len(known.rows)
        for one in measures:
            one.add(known)
    throughput, flow, passing, diary, quality = measures
    results = throughput.result(), flow.result(), passing.result(), diary.result(), quality.result()
    return LogFigures(cases, events, *results, open_at.result() if open_at else None)


def until(trace: Trace, at: int | None) -> Trace:
    """The trace as far as it had happened at `at`."""
    if at is None or not trace.rows or trace.last <= at:
        return trace
    return trace._replace(rows=tuple(row for row in trace.rows if row.at <= at))
