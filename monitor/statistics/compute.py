"""All figures of a view at one time: one pass over its cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import func, select

from monitor import tables
from monitor.lights import Clockwork
from monitor.rows import Reader
from monitor.statistics.cases import CaseMeasure, Judged
from monitor.statistics.context import Measuring
from monitor.statistics.log import measure
from monitor.statistics.result import Statistics
from monitor.statistics.row import Trace
from monitor.statistics.source import Folding, Known, Window, known
from monitor.view import Snapshot, View


class Inputs(NamedTuple):
    """What figures need beside the view: how to read bytes, how to fold, how to judge."""

    reader: Reader
    folding: Folding
    clockwork: Clockwork


def compute(view: View, inputs: Inputs, now: int, window: Window = Window()) -> Statistics:  # noqa: B008  an immutable value
    """Figures as of `window.at`, or as of `now` where it names no time (microseconds since 1970-01-01 UTC)."""
    when = now if window.at is None else window.at
    clockwork = inputs.clockwork
    cases = CaseMeasure(when)
    with view.snapshot() as snapshot:
        found = known(snapshot, inputs.reader, inputs.folding, window)
        log = measure(_judged(found, cases, clockwork, when), Measuring(clockwork.zone, clockwork.calendar), window.at)
        return Statistics(when, window.known, cases.result(), log, _refused(snapshot, window.known))


def _judged(found: Iterable[Known], cases: CaseMeasure, clockwork: Clockwork, when: int) -> Iterator[Trace]:
    """Count each case on the way; traces of cases without an application are not counted."""
    for case, trace in found:
        if case is not None:
            cases.add(Judged(case, clockwork.reading(case, when)))
            if case.opened and trace.rows:
                yield trace


def _refused(snapshot: Snapshot, until: int | None) -> dict[str, int]:
    table = tables.dead_letters.c
    query = select(table.reason, func.count().label("number")).group_by(table.reason).order_by(table.reason)
    if until is not None:
        query = query.where(table.received_at <= until)
    return {row.reason: row.number for row in snapshot.all(query)}
