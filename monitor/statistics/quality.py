"""How exactly a log tells what happened: equal times, times that are only dates, events that name nobody, repeats."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import msgspec

from monitor.statistics.context import Measuring
from monitor.statistics.row import Trace
from monitor.times import local

SECOND = 1_000_000


class Quality(msgspec.Struct, frozen=True):
    """Events at local midnight were mostly told as dates; repeats are of case, activity, time and person, beyond the first."""

    consecutive_pairs: int
    pairs_with_equal_timestamp: int
    events_at_local_midnight: int
    events_with_milliseconds: int
    events_without_resource: int
    exact_repeats: int
    cases_with_one_event: int


class QualityMeasure:
    def __init__(self, measuring: Measuring) -> None:
        self._zone = measuring.zone
        self._counts: Counter[str] = Counter()

    def add(self, trace: Trace) -> None:
        rows, counts = trace.rows, self._counts
        counts["pairs"] += len(rows) - 1
        counts["one"] += len(rows) == 1
        counts["equal"] += sum(before.at == after.at for before, after in pairwise(rows))
        counts["midnight"] += sum(self._midnight(row.at) for row in rows)
        counts["fine"] += sum(row.at % SECOND != 0 for row in rows)
        counts["nobody"] += sum(not row.actor for row in rows)
        counts["again"] += len(rows) - len({(row.activity, row.at, row.actor) for row in rows})

    def _midnight(self, at: int) -> bool:
        """Whole quarters of an hour first: all offsets are made of these, and few times are."""
        if at % (900 * SECOND):
            return False
        clock = local(at, self._zone)
        return clock.hour == clock.minute == clock.second == 0

    def result(self) -> Quality:
        return Quality(*(self._counts[name] for name in ("pairs", "equal", "midnight", "fine", "nobody", "again", "one")))
