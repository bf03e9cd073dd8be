"""Times of legacy systems: a format, a zone and a precision make a moment. What is no time is refused, never guessed.

A moment is a dictionary `{"at": microseconds since 1970-01-01 UTC, "precision": ..., "zone": ...}`, as the events carry it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.timeformats import EPOCH, PARSERS, SECOND, FormatError, Wall, offset_of, pattern_parser
from connectors.values import Damaged, Refusal, shown

__all__ = ["PRECISIONS", "FormatError", "Moment", "TimeReader", "instant", "zone_of"]

Moment = dict[str, Any]
_DAY = 86_400 * SECOND
#: What is still a date in every zone.
_FIRST, _LAST = ((day - EPOCH) // timedelta(microseconds=1) for day in (datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001  in UTC, as EPOCH is
#: Hours whose offset is remembered: some four years of them.
_HOURS = 40_000

PRECISIONS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND")
_UNITS = {"DAY": _DAY, "HOUR": 3600 * SECOND, "MINUTE": 60 * SECOND, "SECOND": SECOND, "MILLISECOND": 1000}


#: What a department is told to send, where the format's name would not say it.
_EXAMPLES = {
    "common": "2025-01-06 09:30:00",
    "chinese": "2025年1月6日 9时30分",
    "compact": "20250106093000",
    "epoch_s": "seconds since 1970",
    "epoch_ms": "milliseconds since 1970",
    "epoch_us": "microseconds since 1970",
    "clock_ms": "milliseconds since 1970 on your own clock",
    "clock_us": "microseconds since 1970 on your own clock",
    "clock_days": "days since 1970",
    "excel": "a spreadsheet's day number",
    "excel_1904": "a spreadsheet's day number since 1904",
}


@cache
def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name or a fixed offset such as +08:00. Raises FormatError."""
    if name in ("Z", "z", "UTC"):
        return UTC
    if re.fullmatch(r"[+-]\d\d(:?\d\d)?", name):
        return offset_of(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FormatError(f"'{name}' is no time zone. Write a name such as Asia/Shanghai, or an offset such as +08:00") from None


def _unreadable(value: Any, instead: str) -> Refusal:
    return Refusal("unreadable_time", f"found {shown(value)}", instead)


class TimeReader:
    """Reads times of one column: the first format that fits counts.

    `zone` is that of times without an offset, and the one every moment is shown in; without it the value's own offset
    stays. `precision` rounds and names what the source really knows. Raises FormatError at once, Refusal when reading.
    """

    def __init__(self, formats: Sequence[str], zone: str | None, precision: str | None = None) -> None:
        self._parsers = [PARSERS.get(form) or pattern_parser(form) for form in formats]
        self._expected = " or ".join(_EXAMPLES.get(form, form) for form in formats)
        self._zone_name = zone
        self._zone = zone_of(zone) if zone else None
        #: The zone's offset in each hour of its wall clock seen so far, where it does not change in that hour.
        self._shifts: dict[int, int] = {}
        if precision is not None and precision not in PRECISIONS:
            raise FormatError(f"'{precision}' is no precision. Write one of {', '.join(PRECISIONS)}")
        self._precision = precision

    def read(self, value: Any) -> Moment:
        """The moment of this value. Raises Refusal `unreadable_time`."""
        try:
            wall = self._cell(value) or self._parsed(value)
        except (ValueError, OverflowError):
            raise _unreadable(value, f"Send a date that exists, as {self._expected}") from None
        if wall is None:
            raise _unreadable(value, f"Send a time as {self._expected}")
        return self._moment(value, *wall)

    def _parsed(self, value: Any) -> Wall | None:
        for parse in self._parsers:
            wall = parse(value)
            if wall is not None:
                return wall
        return None

    def _cell(self, value: Any) -> Wall | None:
        """A date the source's own driver has read already (a spreadsheet's cell, a database's column)."""
        if isinstance(value, Damaged):
            raise Refusal(*value)
        if isinstance(value, datetime):
            return value.replace(tzinfo=None), value.tzinfo, "MICROSECOND"
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day), None, "DAY"  # noqa: DTZ001  the zone is applied later
        return None

    def _moment(self, value: Any, wall: datetime, own: tzinfo | None, precision: str) -> Moment:
        zone = own or self._zone
        if zone is None:
            raise _unreadable(value, "Give the zone: write zone: in the mapping")
        since = wall - EPOCH
        seconds = since.days * 86_400 + since.seconds
        shift = self._shifts.get(seconds // 3600) if own is None else None
        if shift is None:
            shift = self._shift(wall, zone, value) if own is None else _shift(wall, zone, value)
        precision = self._precision or precision
        name = self._zone_name or _named(zone, wall)
        at = _rounded(seconds * SECOND + since.microseconds - shift, precision)
        if not _FIRST <= at <= _LAST:  # .NET's empty date is the first of the year 1, which east of Greenwich lies before it
            raise _unreadable(value, "Send nothing where there is no date, or write it in missing:")
        return {"at": at, "precision": precision, "zone": name}

    def _shift(self, wall: datetime, zone: tzinfo, value: Any) -> int:
        """The zone's offset, remembered for the whole hour where all of it has the same one."""
        shift = _shift(wall, zone, value)
        hour = wall.replace(minute=0, second=0, microsecond=0)
        last = hour.replace(minute=59, second=59)
        if {zone.utcoffset(one.replace(fold=fold)) for one in (hour, last) for fold in (0, 1)} == {timedelta(microseconds=shift)}:
            if len(self._shifts) > _HOURS:
                self._shifts.clear()
            self._shifts[(hour - EPOCH) // timedelta(hours=1)] = shift
        return shift


def _shift(wall: datetime, zone: tzinfo, value: Any) -> int:
    """The zone's offset in microseconds. Of an hour that comes twice the first is meant; one that never was is refused."""
    first, second = zone.utcoffset(wall), zone.utcoffset(wall.replace(fold=1))
    if first is None or second is None:
        raise _unreadable(value, "Give a zone that knows its offset")
    if second > first:
        raise _unreadable(value, "The clocks skipped this hour: send a time that was on the clock")
    return first // timedelta(microseconds=1)


def _named(zone: tzinfo, wall: datetime) -> str:
    if zone is UTC:
        return "UTC"
    return str(zone) if isinstance(zone, ZoneInfo) else (zone.tzname(wall) or "UTC").removeprefix("UTC")


def _rounded(at: int, precision: str) -> int:
    """To the nearest unit; whole days and longer are wall-clock units and stay as they came."""
    unit = _UNITS.get(precision, 1)
    if at % unit == 0 or precision == "DAY":
        return at
    return (at + unit // 2) // unit * unit


def instant(text: str, zone: str | None = None) -> int:
    """Microseconds of an ISO 8601 time in a setting. Raises FormatError."""
    try:
        return int(TimeReader(["iso"], zone).read(str(text))["at"])
    except Refusal as refusal:
        raise FormatError(f"{refusal.found} where a time belongs. {refusal.instead}") from None
