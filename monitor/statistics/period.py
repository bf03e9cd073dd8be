"""A span of time for figures, and the one before it that they are held against."""

from __future__ import annotations

from datetime import date, timedelta, tzinfo
from typing import NamedTuple

from monitor.times import local_date, midnight

#: Days beyond these are slips of the pen: no calendar, no clock and no case reaches there.
YEARS = range(1900, 2200)


class Period(NamedTuple):
    """Local days, both counted."""

    first: date
    last: date

    def before(self) -> Period:
        """The same number of days, just before; whole months go back by as many months."""
        if self.first.day == 1 and (self.last + timedelta(1)).day == 1:
            months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
            return Period(_earlier(self.first, months), self.first - timedelta(1))
        days = (self.last - self.first).days + 1
        return Period(self.first - timedelta(days), self.first - timedelta(1))

    def year_before(self) -> Period:
        """The same days of the year before; a 29 February is the 28th there, and a month up to its end goes up to its end."""
        whole = self.first.day == 1 and (self.last + timedelta(1)).day == 1
        return Period(_last_year(self.first), _end_of_february(self.last) if whole else _last_year(self.last))

    def bounds(self, zone: tzinfo) -> tuple[int, int]:
        """From the first moment of the first day up to, and without, the first one after the last."""
        return midnight(self.first, zone), midnight(self.last + timedelta(1), zone)


def _last_year(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _end_of_february(day: date) -> date:
    """A month that ends with February goes back to one that does."""
    return date(day.year - 1, 3, 1) - timedelta(1) if day.month == 2 else _last_year(day)


def month_of(at: int, zone: tzinfo) -> Period:
    """The month up to this moment's day."""
    day = local_date(at, zone)
    return Period(day.replace(day=1), day)


def _earlier(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)
