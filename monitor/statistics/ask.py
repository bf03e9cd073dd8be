"""Questions about a span of time or one item, answered from the view; as of a time T and as known at K, like all figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from monitor.statistics.compute import Inputs
from monitor.statistics.hall import Clerk, Hall, clerks, halls, taken, tickets_of
from monitor.statistics.holding import LevelOf
from monitor.statistics.log import until
from monitor.statistics.period import Period
from monitor.statistics.processmap import ProcessMap, process_map
from monitor.statistics.service import Compared, Yardstick, compared
from monitor.statistics.source import Known, Window, known
from monitor.view import Snapshot, View
from schemas.case import Case


class Asked(NamedTuple):
    """What one asks about: everything, or the cases of an item, a region, a department; `regions` are those below, too."""

    item: str = ""
    regions: frozenset[str] = frozenset()
    department: str = ""
    window: Window = Window()

    def has(self, case: Case) -> bool:
        return (
            (not self.item or case.item == self.item)
            and (not self.regions or case.region in self.regions)
            and (not self.department or case.authority.partition("@")[0] == self.department)
        )


class HallFigures(msgspec.Struct, frozen=True):
    """Names of clerks are masked."""

    halls: dict[str, Hall]
    clerks: list[Clerk]


def service(view: View, inputs: Inputs, level: LevelOf, period: Period, asked: Asked = Asked()) -> Compared:  # noqa: B008  immutable
    """How well people were served in the period, beside the one before."""
    with view.snapshot() as snapshot:
        end = period.bounds(inputs.clockwork.zone)[1] - 1
        now = end if asked.window.at is None else min(end, asked.window.at)
        yardstick = Yardstick(inputs.clockwork, level, now, taken(snapshot))
        found = known(snapshot, inputs.reader, inputs.folding, asked.window._replace(at=now))
        return compared(found, period, yardstick, asked.has)


def map_of(view: View, inputs: Inputs, asked: Asked) -> ProcessMap:
    """The ways that these cases went."""
    with view.snapshot() as snapshot:
        at = asked.window.at
        traces = (until(one.trace, at) for one in _cases(snapshot, inputs, asked, asked.has))
        return process_map(trace for trace in traces if trace.rows)


def hall(view: View, inputs: Inputs, period: Period) -> HallFigures:
    with view.snapshot() as snapshot:
        zone = inputs.clockwork.zone
        bounds = period.bounds(zone)
        tickets = tickets_of(snapshot, inputs.reader, bounds, zone)
        return HallFigures(halls(tickets, zone), clerks(snapshot, bounds, zone))


def _cases(snapshot: Snapshot, inputs: Inputs, asked: Asked, which: Callable[[Case], bool]) -> Iterator[Known]:
    for one in known(snapshot, inputs.reader, inputs.folding, asked.window):
        if one.case is not None and one.case.opened and which(one.case):
            yield one
