"""Questions about a span of time or one item, answered from the view; as of a time T and as known at K, like all figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from monitor.statistics.compute import Inputs
from monitor.statistics.hall import HallFigures, HallMeasure
from monitor.statistics.holding import LevelOf
from monitor.statistics.log import until
from monitor.statistics.period import Period
from monitor.statistics.processmap import ProcessMap, ProcessMeasure, process_map
from monitor.statistics.service import Compared, ServiceMeasure, Yardstick, beside
from monitor.statistics.source import Known, Window, known
from monitor.statistics.standard import Difference, Listing, StandardMeasure
from monitor.view import Snapshot, View
from schemas.case import Case


class Asked(NamedTuple):
    """What one asks about: everything, or the cases of an item, of some regions (None: all), of a department."""

    item: str = ""
    regions: frozenset[str] | None = None
    department: str = ""
    window: Window = Window()

    def has(self, case: Case) -> bool:
        return (
            (not self.item or case.item == self.item)
            and (self.regions is None or case.region in self.regions)
            and (not self.department or case.authority.partition("@")[0] == self.department)
        )


class Span(NamedTuple):
    """A period, and the earlier one that it is held against."""

    period: Period
    before: Period


class Figures(msgspec.Struct, frozen=True):
    """All that is asked about a period, from one pass. Ways are those of the cases that ended in it, by event type."""

    service: Compared
    hall: HallFigures
    hall_before: HallFigures
    ways: ProcessMap
    ways_before: ProcessMap
    differences: list[Difference]

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found | {"service": self.service.to_json()}


def figures(view: View, inputs: Inputs, level: LevelOf, span: Span, listing: Listing, asked: Asked) -> Figures:  # noqa: PLR0913, PLR0917  what, how, when, of whom
    """How well people were served in the period, beside the earlier one; by the end of the period, or by `asked.window`."""
    clockwork = inputs.clockwork
    bounds = [one.bounds(clockwork.zone) for one in span]
    now = _end(span.period, inputs, asked.window)
    service = ServiceMeasure(span, Yardstick(clockwork, level, now))
    halls, standard = HallMeasure(bounds, clockwork.zone), StandardMeasure((bounds[1][0], bounds[0][1]))
    ways = [ProcessMeasure("type") for _ in span]
    with view.snapshot() as snapshot:
        for one in cases(snapshot, inputs, asked._replace(window=asked.window._replace(at=now))):
            service.add(one)
            halls.add(one)
            if one.case is not None:
                standard.add(one.case)
                _walk(ways, bounds, one, one.case)
    hall, hall_before = halls.result()
    differ = standard.result(listing, asked.item)
    return Figures(beside(*span, service), hall, hall_before, ways[0].result(), ways[1].result(), differ)


def _end(period: Period, inputs: Inputs, window: Window) -> int:
    """As of when: the end of the period, or earlier where the window says so."""
    end = period.bounds(inputs.clockwork.zone)[1] - 1
    return end if window.at is None else min(end, window.at)


def _walk(ways: list[ProcessMeasure], bounds: list[tuple[int, int]], one: Known, case: Case) -> None:
    for measure, (start, end) in zip(ways, bounds, strict=True):
        if one.trace.rows and case.ended_at is not None and start <= case.ended_at < end:
            measure.add(one.trace)


def map_of(view: View, inputs: Inputs, asked: Asked, by: str = "activity") -> ProcessMap:
    """The ways that these cases went; `by` is one of `processmap.BY`."""
    with view.snapshot() as snapshot:
        traces = (one.trace for one in cases(snapshot, inputs, asked) if one.case is not None and one.case.opened)
        return process_map((trace for trace in traces if trace.rows), by)


def cases(snapshot: Snapshot, inputs: Inputs, asked: Asked) -> Iterator[Known]:
    """Those that had begun, each with its trace up to the window's time."""
    for one in known(snapshot, inputs.reader, inputs.folding, asked.window):
        if one.case is not None and asked.has(one.case):
            yield one._replace(trace=until(one.trace, asked.window.at))
