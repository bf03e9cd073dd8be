"""What figures need to know of the deployment: its zone, its working days, the limits people ask about."""

from __future__ import annotations

from datetime import date, tzinfo
from typing import NamedTuple, Protocol


class WorkingDays(Protocol):
    """The part of `schemas.calendar.Calendar` that figures use."""

    def working_days(self, start: date, end: date, /) -> int:
        """Working dates d with start < d <= end: the day of the event is not counted."""
        ...


#: Days after which people ask what is still open, or took longer.
LIMITS = (1, 5, 10, 20, 28, 56)


class Measuring(NamedTuple):
    """How a measurement is taken."""

    zone: tzinfo
    calendar: WorkingDays
    limits: tuple[int, ...] = LIMITS
    top: int = 20
