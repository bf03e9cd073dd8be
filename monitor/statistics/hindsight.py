"""What was open at T, judged with what is known today: a case is open while its last event lies after T.

That is the only sense of "open" a log without decisions has. The legal one (`monitor.statistics.cases`) needs a fold.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from monitor.statistics.context import Measuring
from monitor.statistics.row import Trace
from monitor.statistics.throughput import exceeding
from monitor.times import DAY, local_date


class OpenAt(msgspec.Struct, frozen=True):
    events_so_far: int
    cases_seen: int
    closed_by_last_event: int
    open_by_last_event: int
    open_longer_than_calendar_days: dict[str, int]
    open_longer_than_workdays: dict[str, int]


class _Open(NamedTuple):
    days: float
    workdays: int


class OpenAtMeasure:
    """Takes whole traces, also what happened after `at` (microseconds since 1970-01-01 UTC)."""

    def __init__(self, measuring: Measuring, at: int) -> None:
        self._how, self._at = measuring, at
        self._events = self._seen = 0
        self._open: list[_Open] = []

    def add(self, trace: Trace) -> None:
        if trace.first > self._at:
            return
        self._seen += 1
        self._events += sum(row.at <= self._at for row in trace.rows)
        if trace.last > self._at:
            self._open.append(self._waiting(trace))

    def _waiting(self, trace: Trace) -> _Open:
        first, now = (local_date(at, self._how.zone) for at in (trace.first, self._at))
        return _Open((self._at - trace.first) / DAY, self._how.calendar.working_days(first, now))

    def result(self) -> OpenAt:
        days = exceeding((case.days for case in self._open), self._how.limits)
        work = exceeding((case.workdays for case in self._open), self._how.limits)
        return OpenAt(self._events, self._seen, self._seen - len(self._open), len(self._open), days, work)
