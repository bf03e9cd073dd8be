"""When things happened, by local date and month."""

from __future__ import annotations

from collections import Counter

import msgspec

from monitor.statistics.context import Measuring
from monitor.statistics.counting import ranked
from monitor.statistics.row import Trace
from monitor.times import local_date


class Month(msgspec.Struct, frozen=True):
    """Cases whose first, whose last event lies in it."""

    first_events: int
    last_events: int


class Diary(msgspec.Struct, frozen=True):
    first_event: int | None
    last_event: int | None
    events_per_day: dict[str, int]
    busiest_days: dict[str, int]
    per_month: dict[str, Month]


class DiaryMeasure:
    def __init__(self, measuring: Measuring) -> None:
        self._zone = measuring.zone
        self._days: Counter[str] = Counter()
        self._months: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._first: int | None = None
        self._last: int | None = None

    def add(self, trace: Trace) -> None:
        days = [local_date(row.at, self._zone).isoformat() for row in trace.rows]
        self._days.update(days)
        self._months[0][days[0][:7]] += 1
        self._months[1][days[-1][:7]] += 1
        self._first = trace.first if self._first is None else min(self._first, trace.first)
        self._last = trace.last if self._last is None else max(self._last, trace.last)

    def result(self) -> Diary:
        first, last = self._months
        months = {name: Month(first[name], last[name]) for name in sorted(first | last)}
        return Diary(self._first, self._last, dict(sorted(self._days.items())), ranked(self._days, 5), months)
