"""Times as people in offices write them: 2025年1月6日 上午9时, 2025/1/6 9:30, 20250106093000. The year stands first, whole."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any

_HALVES = "凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜间"
_LOOSE = re.compile(
    rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?:(?:\s+|T)(?P<half>{_HALVES})?\s*(?P<hour>\d{{1,2}})[:时時点點](?P<minute>\d{{1,2}})"
    r"(?:[分:](?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6}))?秒?|分)?(?:\s*(?P<noon>[AP])\.?M\.?)?)?",
    re.ASCII | re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[T ]?(\d\d)(\d\d)(?:(\d\d)(\d{3})?)?)?", re.ASCII)
_DIGITS = "〇零○一二三四五六七八九"
_NUMERAL = r"[0-9〇零○一二三四五六七八九十]"
_CHINESE = re.compile(
    rf"(?P<year>[0-9{_DIGITS}]{{4}})年(?:\s*(?P<month>{_NUMERAL}{{1,3}})月(?:\s*(?P<day>{_NUMERAL}{{1,3}})[日号號]"
    r"(?:\s*\(?(?:星期|周)[一二三四五六日天]\)?)?"
    rf"(?:\s*(?P<half>{_HALVES})?\s*(?P<hour>{_NUMERAL}{{1,3}})[时時点點:]整?"
    rf"(?:(?P<half_past>半)|(?P<minute>{_NUMERAL}{{1,3}})分?(?:[:]?(?P<second>{_NUMERAL}{{1,3}})秒?)?)?)?)?)?"
)
_MORNING = frozenset({"凌晨", "清晨", "早上", "早晨", "上午"})
_EVENING = 5  # nobody says 晚上 or 傍晚 of an hour of the afternoon before it
_VALUES = {sign: max(0, place - 2) for place, sign in enumerate(_DIGITS)}
_FINEST = ("DAY", "DAY", "DAY", "HOUR", "MINUTE", "SECOND")
Wall = tuple[datetime, None, str]


def chinese(value: Any) -> Wall | None:
    """2025年1月6日 上午9时30分, 二〇二五年一月六日, 2025年1月. Raises ValueError for what does not exist or says two things."""
    match = _CHINESE.fullmatch(_folded(value)) if isinstance(value, str) else None
    if match is None:
        return None
    year = int("".join(str(_VALUES.get(sign, sign)) for sign in match["year"]))
    parts = [_number(match[name]) for name in ("month", "day", "hour", "minute", "second")]
    month, day, hour, minute, second = parts
    if hour is not None:
        hour = _hour(hour, match["half"])
    minute = 30 if match["half_past"] else minute
    wall = datetime(year, month or 1, day or 1, hour or 0, minute or 0, second or 0)  # noqa: DTZ001  the zone is applied later
    if 0 in (month, day):
        raise ValueError("months and days count from 1")
    return wall, None, _known(month, day, hour, minute, second)


def _known(*parts: int | None) -> str:
    """The finest part that is said."""
    names = ("MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
    return next((name for name, part in zip(reversed(names), reversed(parts), strict=True) if part is not None), "YEAR")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _number(text: str | None) -> int | None:
    """12, 十二, 二十三; raises ValueError for what is neither."""
    if text is None or text.isascii():
        return None if text is None else int(text)
    tens, ten, ones = text.partition("十")
    if not ten:
        return int("".join(str(_VALUES[sign]) for sign in text))
    if len(tens) > 1 or len(ones) > 1:
        raise ValueError("no number")
    return 10 * (_VALUES[tens] if tens else 1) + (_VALUES[ones] if ones else 0)


def _hour(hour: int, half: str | None) -> int:
    """The hour of the day. Refused: 晚上12点 and 晚上1点, which may be of either day; 下午14时 says it twice and is not."""
    if half is None or hour > 12:
        if half in _MORNING:
            raise ValueError("no hour of the morning")
        return hour
    if half in _MORNING:
        return hour % 12 if half == "凌晨" else hour
    if half == "中午":
        return hour if hour in (11, 12) else _noon(hour)
    if half != "下午" and (hour == 12 or hour < _EVENING):
        raise ValueError("either side of midnight")
    return hour % 12 + 12


def _noon(hour: int) -> int:
    if hour not in (1, 2):
        raise ValueError("no hour of noon")
    return hour + 12


def loose(value: Any) -> Wall | None:
    """2025/1/6 9:30, 2025.1.6, 2025-1-6T9:30:05.5, 2025/1/6 下午 3:30, 3:30 PM. Raises ValueError for what does not exist.

    上午 12:30 is refused: for some programs that is half past midnight, for people half past noon.
    """
    match = _LOOSE.fullmatch(_folded(value)) if isinstance(value, str) else None
    if match is None:
        return None
    hour = match["hour"] and str(_of_clock(int(match["hour"]), match["half"], (match["noon"] or "").upper()))
    return _wall((match[1], match[3], match[4], hour, match["minute"], match["second"]), match["fraction"])


def _of_clock(hour: int, half: str | None, noon: str) -> int:
    """The hour that a clock of twelve or 24 hours shows, with a word before it or AM and PM behind."""
    if noon and half:
        raise ValueError("said twice")
    if half in _MORNING and hour == 12:
        raise ValueError("either twelve")
    if noon == "A":
        return 0 if hour == 12 else _hour(hour, "上午")
    return _hour(hour, "下午" if noon else half)


def compact(value: Any) -> Wall | None:
    """20250106, 202501060930, 20250106 093000, 20250106T093000123; a number too. Raises ValueError for what does not exist."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    match = _COMPACT.fullmatch(_folded(text)) if isinstance(text, str) else None
    if match is None:
        return None
    *parts, milliseconds = match.groups()
    return _wall(tuple(parts), milliseconds)


def _wall(parts: tuple[str | None, ...], fraction: str | None) -> Wall:
    said = [int(part) for part in parts if part is not None]
    wall = datetime(*said, microsecond=int((fraction or "0").ljust(6, "0")))  # type: ignore[arg-type, misc]  # noqa: DTZ001  the zone comes later
    if fraction:
        return wall, None, "MILLISECOND" if len(fraction) <= 3 else "MICROSECOND"
    return wall, None, _FINEST[len(said) - 1]
