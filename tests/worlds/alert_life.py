"""A made-up life of a case as an independent truth tells it: what happened, and what must be said about it, from when until when.

It imports nothing of ours and counts working days with a calendar of its own (State Council's notice for May to July 2026).
All times are local.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

_OFF = {date(2026, 5, day) for day in range(1, 6)} | {date(2026, 6, day) for day in (19, 20, 21)}
_WORKED = {date(2026, 5, 9)}
FIRST, LAST = date(2026, 5, 6), datetime(2026, 8, 31)  # noqa: DTZ001  local time throughout
FOREVER = datetime(2100, 1, 1)  # noqa: DTZ001  as above
#: Limits as the deployment of this world has them: the law's, and five days for a part of a joint approval.
ANSWER, SIGN, PART, HAND_UP = 5, 2, 5, 20
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(1)


def working(day: date) -> bool:
    return day in _WORKED or (day.weekday() < 5 and day not in _OFF)


def after(day: date, count: int) -> date:
    """The count-th working day after a day; the day itself for 0."""
    while count:
        day += DAY
        count -= working(day)
    return day


def opens(day: date) -> datetime:
    """The first moment of a day."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  local time


def passes(start: datetime, limit: int, skipped: tuple[date, date] | None = None) -> datetime:
    """When more working days than the limit have been counted; days of a pause after its first one do not count."""
    day, left = start.date(), limit + 1
    while left:
        day += DAY
        left -= working(day) and not (skipped is not None and skipped[0] < day <= skipped[1])
    return opens(day)


@dataclass(frozen=True)
class Fact:
    """One event: when it happened, when it was keyed in, when the bus got it."""

    kind: str
    at: datetime
    keyed: datetime
    came: datetime
    said: dict[str, Any]


@dataclass(frozen=True)
class Says:
    """One indicator must speak about the case in [begins, ends), once all is known; in no other moment."""

    indicator: str
    begins: datetime
    ends: datetime


@dataclass
class Life:
    """`lies` are what the supervision must say while it does not know better, and take back when it does."""

    name: str
    key: str
    rng: Random
    facts: list[Fact] = field(default_factory=list)
    says: list[Says] = field(default_factory=list)
    lies: list[Says] = field(default_factory=list)

    def put(self, kind: str, at: datetime, *, keyed: datetime | None = None, **said: Any) -> datetime:
        stamp = keyed or at + MINUTE
        self.facts.append(Fact(kind, at, stamp, stamp + MINUTE, said))
        return at

    def must(self, indicator: str, begins: datetime, ends: datetime = FOREVER) -> None:
        """Nothing where it would end before it begins."""
        if begins < ends:
            self.says.append(Says(indicator, begins, ends))

    def on(self, day: date, hour: int = 10) -> datetime:
        """Some odd minute and second of that hour."""
        return opens(day) + hour * HOUR + timedelta(seconds=self.rng.randint(61, 3500))

    def accepted(self, day: date, promised: int = 30, statutory: int = 40, **said: Any) -> datetime:
        """Applied for in the morning, accepted in the afternoon."""
        self.put("Applied", self.on(day, 9), **said)
        return self.put("Accepted", self.on(day, 14), promised_days=promised, statutory_days=statutory)

    def decided(self, at: datetime, *, result: str = "GRANTED", **said: Any) -> datetime:
        self.put("Decided", at, result=result, **said)
        if result == "GRANTED":
            self.put("Collected", self.on(after(at.date(), 2), 15))
        return at
