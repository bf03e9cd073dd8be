"""Times of legacy systems: a format, a zone and a precision make a moment. What is no time is refused, never guessed.

A moment is a dictionary `{"at": microseconds since 1970-01-01 UTC, "precision": ..., "zone": ...}`, as the events carry it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.values import Damaged, Refusal, shown

Moment = dict[str, Any]
SECOND = 1_000_000
_DAY = 86_400 * SECOND
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  arithmetic on wall clocks; the zone is applied after it
#: Day 0 of Excel's calendar as it counts from March 1900 on.
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  as above
_EXCEL_LAST = 2_958_466

PRECISIONS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND")
_UNITS = {"DAY": _DAY, "HOUR": 3600 * SECOND, "MINUTE": 60 * SECOND, "SECOND": SECOND, "MILLISECOND": 1000}

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?([Zz]|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_DIRECTIVES = {
    "Y": (r"(\d{4})", "year"),
    "y": (r"(\d\d)", "short_year"),
    "m": (r"(\d{1,2})", "month"),
    "d": (r"(\d{1,2})", "day"),
    "H": (r"(\d{1,2})", "hour"),
    "M": (r"(\d{1,2})", "minute"),
    "S": (r"(\d{1,2})", "second"),
    "f": (r"(\d{1,6})", "fraction"),
    "L": (r"(\d{3})", "fraction"),
    "z": (r"([Zz]|[+-]\d\d:?\d\d)", "offset"),
}
#: Directives without separators between them need fixed widths: 2010112309 must not be read as 2010-11-2 30:9.
_FIXED = {"m": r"(\d\d)", "d": r"(\d\d)", "H": r"(\d\d)", "M": r"(\d\d)", "S": r"(\d\d)"}
WORDS = ("iso", "epoch_ms", "epoch_s", "excel")
Parser = Callable[[Any], "Wall | None"]
Wall = tuple[datetime, tzinfo | None, str]


class FormatError(ValueError):
    """A time format or zone in a mapping that cannot be used; the message says what to write."""


@cache
def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name or a fixed offset such as +08:00. Raises FormatError."""
    if name in ("Z", "z", "UTC"):
        return UTC
    if re.fullmatch(r"[+-]\d\d(:?\d\d)?", name):
        return _offset(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FormatError(f"'{name}' is no time zone. Write a name such as Asia/Shanghai, or an offset such as +08:00") from None


def _offset(text: str) -> tzinfo:
    if text in ("Z", "z"):
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError("offset out of range")
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=hours, minutes=minutes))


def _unreadable(value: Any, instead: str) -> Refusal:
    return Refusal("unreadable_time", f"found {shown(value)}", instead)


def _iso(value: Any) -> Wall | None:
    match = _ISO.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if hour is None:
        return datetime(int(year), int(month), int(day)), None, "DAY"  # noqa: DTZ001  the zone is applied later
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    wall = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micros)  # noqa: DTZ001  as above
    return wall, _offset(offset) if offset else None, _fine(second, fraction)


def _fine(second: str | None, fraction: str | None) -> str:
    if second is None:
        return "MINUTE"
    if not fraction:
        return "SECOND"
    return "MILLISECOND" if len(fraction) <= 3 else "MICROSECOND"


def _epoch(unit: int, precision: str) -> Parser:
    def parse(value: Any) -> Wall | None:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value) if "." in value else int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return None
        return _EPOCH + timedelta(microseconds=round(value * unit)), UTC, precision

    return parse


def _excel(value: Any) -> Wall | None:
    """Excel's serial number: days since 1899-12-30, the time of day as a fraction."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value < _EXCEL_LAST:
        return None
    return _EXCEL_EPOCH + timedelta(seconds=round(value * 86_400)), None, "SECOND"


def _pattern(pattern: str) -> Parser:
    """A parser for a pattern in strptime's words (Y y m d H M S f z, and L for three digits of milliseconds)."""
    regex, fields = _regex(pattern)
    compiled = re.compile(regex, re.ASCII)
    precision = _precision(fields, "%L" in pattern)

    def parse(value: Any) -> Wall | None:
        match = compiled.fullmatch(value) if isinstance(value, str) else None
        return None if match is None else _wall(dict(zip(fields, match.groups(), strict=True)), precision)

    return parse


def _regex(pattern: str) -> tuple[str, list[str]]:
    fields, parts = [], []
    pieces = re.split(r"%(.)", pattern)
    for index in range(0, len(pieces) - 1, 2):
        literal, letter = pieces[index], pieces[index + 1]
        if letter not in _DIRECTIVES:
            raise FormatError(f"'%{letter}' is no part of a time format. Write one of %{', %'.join(_DIRECTIVES)}")
        regex, name = _DIRECTIVES[letter]
        dense = (not literal and index > 0) or (index + 2 < len(pieces) - 1 and not pieces[index + 2])
        parts += [re.escape(literal), _FIXED.get(letter, regex) if dense else regex]
        fields.append(name)
    if "year" not in fields and "short_year" not in fields:
        raise FormatError(
            f"'{pattern}' is no time format. Write a pattern such as %Y-%m-%d %H:%M:%S, or one of {', '.join(WORDS)}"
        )
    return "".join(parts) + re.escape(pieces[-1]), fields


def _precision(fields: Sequence[str], milliseconds: bool) -> str:
    for name, precision in (
        ("fraction", "MICROSECOND"),
        ("second", "SECOND"),
        ("minute", "MINUTE"),
        ("hour", "HOUR"),
        ("day", "DAY"),
    ):
        if name in fields:
            return "MILLISECOND" if name == "fraction" and milliseconds else precision
    return "MONTH" if "month" in fields else "YEAR"


def _wall(found: dict[str, str], precision: str) -> Wall:
    year = int(found["year"]) if "year" in found else 2000 + int(found["short_year"])
    micros = int(found.get("fraction", "0").ljust(6, "0"))
    month, day = int(found.get("month", 1)), int(found.get("day", 1))
    hour, minute, second = int(found.get("hour", 0)), int(found.get("minute", 0)), int(found.get("second", 0))
    wall = datetime(year, month, day, hour, minute, second, micros)  # noqa: DTZ001  the zone is applied later
    return wall, _offset(found["offset"]) if "offset" in found else None, precision


_PARSERS: dict[str, Parser] = {
    "iso": _iso,
    "epoch_ms": _epoch(1000, "MILLISECOND"),
    "epoch_s": _epoch(SECOND, "SECOND"),
    "excel": _excel,
}


class TimeReader:
    """Reads times of one column: the first format that fits counts.

    `zone` is that of times without an offset, and the one every moment is shown in; without it the value's own offset
    stays. `precision` rounds and names what the source really knows. Raises FormatError at once, Refusal when reading.
    """

    def __init__(self, formats: Sequence[str], zone: str | None, precision: str | None = None) -> None:
        self._parsers = [_PARSERS.get(form) or _pattern(form) for form in formats]
        self._expected = " or ".join(formats)
        self._zone_name = zone
        self._zone = zone_of(zone) if zone else None
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
        at = (wall - _EPOCH) // timedelta(microseconds=1) - _shift(wall, zone, value)
        precision = self._precision or precision
        name = self._zone_name or _named(zone, wall)
        return {"at": _rounded(at, precision), "precision": precision, "zone": name}


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
    if unit == 1 or precision == "DAY":
        return at
    return (at + unit // 2) // unit * unit


def instant(text: str, zone: str | None = None) -> int:
    """Microseconds of an ISO 8601 time in a setting. Raises FormatError."""
    try:
        return int(TimeReader(["iso"], zone).read(str(text))["at"])
    except Refusal as refusal:
        raise FormatError(f"{refusal.found} where a time belongs. {refusal.instead}") from None
