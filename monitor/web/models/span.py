"""The period of figures, and the earlier one it is held against, as an address says them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from monitor.statistics.ask import Span
from monitor.statistics.period import YEARS, Period

#: What an address may call a period, in the order in which the page offers them.
NAMED = ("month", "last_month", "quarter", "last_quarter", "year")
AGAINST = ("before", "year")


class Chosen(NamedTuple):
    """`name` is empty for days of one's own."""

    span: Span
    name: str
    against: str

    @property
    def parts(self) -> dict[str, str]:
        """As an address says it; what is usual is left out."""
        days = {"first": self.span.period.first.isoformat(), "last": self.span.period.last.isoformat()}
        named = {"period": self.name} if self.name != NAMED[0] else {}
        return (named if self.name else days) | ({"against": self.against} if self.against != AGAINST[0] else {})


def chosen(parts: Mapping[str, str], today: date) -> Chosen:
    """From an address. Days that make no sense count as not said: an address is typed by people."""
    first, last = _day(parts.get("first", "")), _day(parts.get("last", ""))
    against = AGAINST[1] if parts.get("against") == AGAINST[1] else AGAINST[0]
    if first and last and first <= last:
        return Chosen(_beside(Period(first, last), against), "", against)
    name = parts.get("period", "")
    name = name if name in NAMED else NAMED[0]
    return Chosen(_beside(named(name, today), against), name, against)


def named(name: str, today: date) -> Period:
    """A month, quarter or year up to today; or a whole one, the last."""
    if name == "year":
        return Period(today.replace(month=1, day=1), today)
    month = today.replace(day=1)
    begin = month.replace(month=(month.month - 1) // 3 * 3 + 1) if "quarter" in name else month
    if not name.startswith("last"):
        return Period(begin, today)
    last = begin - timedelta(1)
    earlier = last.replace(day=1) if name == "last_month" else last.replace(month=last.month - 2, day=1)
    return Period(earlier, last)


def _beside(period: Period, against: str) -> Span:
    return Span(period, period.year_before() if against == AGAINST[1] else period.before())


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in YEARS else None
