"""How long cases take from their first event to their last: in days of the clock, in dates, in working days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from monitor.statistics.context import Measuring
from monitor.statistics.distribution import Distribution, distribution
from monitor.statistics.row import Trace
from monitor.times import DAY, local_date


class Durations(msgspec.Struct, frozen=True):
    """`date_difference` counts midnights; `workdays` the working dates after the first day, up to the last."""

    first_to_last_event_calendar_days: Distribution
    first_to_last_event_workdays: Distribution


class Exceeding(msgspec.Struct, frozen=True):
    """Cases that took longer than so many days."""

    first_to_last_event_calendar_days: dict[str, int]
    first_to_last_event_date_difference: dict[str, int]
    first_to_last_event_workdays: dict[str, int]


class Channel(msgspec.Struct, frozen=True):
    cases: int
    events: int
    first_to_last_calendar_days: Distribution


class Throughput(msgspec.Struct, frozen=True):
    events_per_case: Distribution
    throughput: Durations
    exceeding: Exceeding
    by_channel: dict[str, Channel]


class ThroughputMeasure:
    def __init__(self, measuring: Measuring) -> None:
        self._how = measuring
        self._sizes: list[int] = []
        self._days: list[float] = []
        self._dates: list[int] = []
        self._work: list[int] = []
        self._channels: dict[str, list[int]] = defaultdict(list)

    def add(self, trace: Trace) -> None:
        first, last = (local_date(at, self._how.zone) for at in (trace.first, trace.last))
        self._channels[trace.channel].append(len(self._sizes))
        self._sizes.append(len(trace.rows))
        self._days.append((trace.last - trace.first) / DAY)
        self._dates.append((last - first).days)
        self._work.append(self._how.calendar.working_days(first, last))

    def result(self) -> Throughput:
        return Throughput(
            events_per_case=distribution(self._sizes),
            throughput=Durations(distribution(self._days), distribution(self._work)),
            exceeding=Exceeding(*(exceeding(values, self._how.limits) for values in (self._days, self._dates, self._work))),
            by_channel={name: self._channel(cases) for name, cases in sorted(self._channels.items())},
        )

    def _channel(self, cases: list[int]) -> Channel:
        return Channel(len(cases), sum(self._sizes[i] for i in cases), distribution(self._days[i] for i in cases))


def exceeding(values: Iterable[float], limits: Iterable[int]) -> dict[str, int]:
    """How many values lie above each limit; the limits as text, because JSON knows no other keys."""
    kept = list(values)
    return {str(limit): sum(value > limit for value in kept) for limit in limits}
