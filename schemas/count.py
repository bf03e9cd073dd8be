"""Counting days, dates only: united procedures, counted days, the day a limit ends. Below `schemas.clock`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from schemas.calendar import Calendar
from schemas.rules import Unit

#: Days beyond which nobody waits for a limit's end.
_FAR = 20_000


class Count(NamedTuple):
    """The counted days of one case in one unit, up to one day."""

    calendar: Calendar
    unit: Unit
    moves: bool
    start: date
    till: date
    #: United procedures (from, to]; an open one reaches to `till`.
    spans: tuple[tuple[date, date], ...]
    paused: bool

    def days(self, a: date, b: date) -> int:
        """Days d of the unit with a < d <= b."""
        return self.calendar.working_days(a, b) if self.unit is Unit.WORKING else max(0, (b - a).days)

    def counted(self, a: date, b: date) -> int:
        """Days of the unit with a < d <= b that no procedure covers."""
        if not self.spans:
            return self.days(a, b)
        taken = (self.days(max(start, a), min(end, b)) for start, end in self.spans)
        return self.days(a, b) - sum(taken)

    def end(self, limit: int) -> date:
        """The day of the limit's last counted day, given the procedures so far; the day of the start for 0."""
        day, left = self.start, limit
        for start, end in self.spans:
            free = self.days(day, start)
            if free >= left:
                break
            left -= free
            day = max(day, end)
        return self._after(day, left)

    def _after(self, day: date, count: int) -> date:
        """The count-th day of the unit after one. A limit of decades is a typing error in a source: it ends never."""
        if count > _FAR or day.year > date.max.year - 100:
            return date.max
        if self.unit is Unit.WORKING:
            return self.calendar.add(day, count)
        last = day + timedelta(count)
        return self.calendar.working_or_next(last) if self.moves else last

    def passed(self, limit: int | None) -> bool:
        """Whether more days are counted than the limit has."""
        return limit is not None and self.counted(self.start, self.till) > limit and self.counted(self.end(limit), self.till) > 0

    def over(self, limit: int) -> bool:
        """Whether the limit's last day is behind us, though no day was counted since; a procedure begun by then puts it off."""
        last = self.end(limit)
        for start, end in self.spans:
            if start <= last:
                last = max(last, end)
        return last < self.till


def united(spans: Iterable[tuple[date, date]], first: date) -> Iterable[tuple[date, date]]:
    """Spans (from, to] in order, none before `first`, overlapping ones made one."""
    last = first
    for start, end in sorted(spans):
        begin = max(start, last)
        if end > begin:
            yield begin, end
        last = max(last, end)
