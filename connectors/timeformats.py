"""Formats of times: each parses one way of writing a time to a wall clock, its own offset and what it knows exactly."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from connectors import commontimes

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  arithmetic on wall clocks; the zone is applied after it
#: Day 0 of Excel's calendar as it counts from March 1900 on.
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  as above
_EXCEL_1904 = datetime(1904, 1, 1)  # noqa: DTZ001  as above

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?([Zz]|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_DIRECTIVES = {
    "Y": (r"(\d{4})", "year"),
    "y": (r"(\d\d)", "short_year"),
    "m": (r"(\d{1,2})", "month"),
    "d": (r"(\d{1,2})", "day"),
    "b": (r"([A-Za-z]{3})", "month_name"),
    "H": (r"(\d{1,2})", "hour"),
    "I": (r"(\d{1,2})", "hour"),
    "p": (r"([AaPp][Mm]|上午|下午)", "half"),
    "M": (r"(\d{1,2})", "minute"),
    "S": (r"(\d{1,2})", "second"),
    "f": (r"(\d{1,6})", "fraction"),
    "L": (r"(\d{3})", "fraction"),
    "z": (r"([Zz]|[+-]\d\d:?\d\d)", "offset"),
}
#: Patterns that say what `_plain` reads, with the sign between day and hour.
_PLAIN = {"%Y-%m-%d %H:%M:%S": " ", "%Y-%m-%dT%H:%M:%S": "T"}
#: Directives without separators between them need fixed widths: 2010112309 must not be read as 2010-11-2 30:9.
_FIXED = {"m": r"(\d\d)", "d": r"(\d\d)", "H": r"(\d\d)", "M": r"(\d\d)", "S": r"(\d\d)"}
_MONTHS = {
    name: number
    for number, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_AFTERNOON = {"am": 0, "上午": 0, "pm": 12, "下午": 12}
Parser = Callable[[Any], "Wall | None"]
Wall = tuple[datetime, tzinfo | None, str]


class FormatError(ValueError):
    """A time format or zone in a mapping that cannot be used; the message says what to write."""


def offset_of(text: str) -> tzinfo:
    if text in ("Z", "z"):
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError("offset out of range")
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=hours, minutes=minutes))


def _plain(text: str) -> datetime | None:
    """The wall clock of 2025-06-01 09:20:39, which nearly every table has, without a regular expression; None in all doubt."""
    if len(text) != 19 or not text[4] == text[7] == "-" or not text[13] == text[16] == ":" or text[10] not in " Tt":
        return None
    if text[11:13] == "24":  # the next day's midnight to some versions of Python, no time to others
        return None
    try:
        return datetime.fromisoformat(text)  # these five signs leave it no other reading
    except ValueError:
        return None


def _iso(value: Any) -> Wall | None:
    if isinstance(value, str) and (wall := _plain(value)) is not None:
        return wall, None, "SECOND"
    match = _ISO.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if hour is None:
        return datetime(int(year), int(month), int(day)), None, "DAY"  # noqa: DTZ001  the zone is applied later
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    wall = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micros)  # noqa: DTZ001  as above
    return wall, offset_of(offset) if offset else None, _fine(second, fraction)


def _fine(second: str | None, fraction: str | None) -> str:
    if second is None:
        return "MINUTE"
    if not fraction:
        return "SECOND"
    return "MILLISECOND" if len(fraction) <= 3 else "MICROSECOND"


def _epoch(unit: int, precision: str, zone: tzinfo | None = UTC) -> Parser:
    """So many units since 1970 began: in UTC, or (without a zone) on the source's own clock, as Debezium counts times."""

    def parse(value: Any) -> Wall | None:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value) if "." in value else int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return None
        return EPOCH + timedelta(microseconds=round(value * unit)), zone, precision

    return parse


def _excel(first: datetime) -> Parser:
    """Excel's serial number: days since 1899-12-30, or since 1904-01-01 as once on the Mac; the time of day as a fraction."""
    last = (datetime(9999, 12, 31) - first).days + 1  # noqa: DTZ001  as above

    def parse(value: Any) -> Wall | None:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value < last:
            return None
        return first + timedelta(seconds=round(value * 86_400)), None, "SECOND"

    return parse


def pattern_parser(pattern: str) -> Parser:
    """A parser for a pattern in strptime's words (Y y m d H M S f z, and L for three digits of milliseconds)."""
    regex, fields = _regex(pattern)
    compiled = re.compile(regex, re.ASCII)
    precision = _precision(fields, "%L" in pattern)
    sign = _PLAIN.get(pattern)

    def parse(value: Any) -> Wall | None:
        if sign is not None and isinstance(value, str) and value[10:11] == sign and (wall := _plain(value)) is not None:
            return wall, None, "SECOND"
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
            f"'{pattern}' is no time format. Write a pattern such as %Y-%m-%d %H:%M:%S, or one of {', '.join(PARSERS)}"
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
    return "MONTH" if {"month", "month_name"} & set(fields) else "YEAR"


def _wall(found: dict[str, str], precision: str) -> Wall:
    """Raises ValueError for a wall clock that does not exist."""
    year = int(found["year"]) if "year" in found else 2000 + int(found["short_year"])
    day, minute, second = int(found.get("day", 1)), int(found.get("minute", 0)), int(found.get("second", 0))
    micros = int(found.get("fraction", "0").ljust(6, "0"))
    wall = datetime(year, _month(found), day, _hour(found), minute, second, micros)  # noqa: DTZ001  the zone is applied later
    return wall, offset_of(found["offset"]) if "offset" in found else None, precision


def _month(found: dict[str, str]) -> int:
    name = found.get("month_name")
    return int(found.get("month", 1)) if name is None else _MONTHS.get(name.lower(), 0)


def _hour(found: dict[str, str]) -> int:
    """12 AM is midnight, 12 PM noon."""
    hour, half = int(found.get("hour", 0)), found.get("half")
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("hour out of range")
    return hour % 12 + _AFTERNOON[half.lower()]


def _common(value: Any) -> Wall | None:
    """Any way of writing that leaves no doubt: the year first, in four digits."""
    return _iso(value) or commontimes.loose(value) or commontimes.compact(value) or commontimes.chinese(value)


PARSERS: dict[str, Parser] = {
    "iso": _iso,
    "common": _common,
    "chinese": commontimes.chinese,
    "compact": commontimes.compact,
    "epoch_s": _epoch(SECOND, "SECOND"),
    "epoch_ms": _epoch(1000, "MILLISECOND"),
    "epoch_us": _epoch(1, "MICROSECOND"),
    "clock_ms": _epoch(1000, "MILLISECOND", None),
    "clock_us": _epoch(1, "MICROSECOND", None),
    "clock_days": _epoch(86_400 * SECOND, "DAY", None),
    "excel": _excel(_EXCEL_EPOCH),
    "excel_1904": _excel(_EXCEL_1904),
}
