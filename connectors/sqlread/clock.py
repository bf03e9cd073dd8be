"""Whether a watermark lies ahead of the clock: such a row is read, but nothing written after it may be passed over.

A row from 2099, or one written while the department's clock was an hour fast, would otherwise hide every later row.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sqlread.values import Key

#: Texts that are times and compare as times, with how to write them; any digits that follow are finer than we need.
_TEXTS = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "%Y-%m-%d %H:%M:%S"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d"), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d"), "%Y/%m/%d %H:%M:%S"),
    (re.compile(r"\d{14}"), "%Y%m%d%H%M%S"),
    (re.compile(r"\d{4}-\d\d-\d\d$"), "%Y-%m-%d"),
)


class Clock:
    """The time now in whatever way a table writes its watermark. Times without an offset are in `zone`."""

    def __init__(self, now: datetime, zone: str | None) -> None:
        self._now, self._zone = now, zone
        self._local = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if zone else None
        self._texts: dict[int, str | None] = {}

    def ahead(self, key: Key) -> bool:
        """Whether the watermark, the first of the key, is later than now; never for what is no time."""
        value = key[0]
        if not isinstance(value, (str, date)):
            return False
        known = self.like(value)
        if known is None:
            return False
        return bool((value[: len(known)] if isinstance(value, str) else value) > known)

    def back(self, key: Key, seconds: float) -> Key | None:
        """So long before now, written as this key's watermark; None for what is no time."""
        if not isinstance(key[0], (str, date)):
            return None
        known = Clock(self._now - timedelta(seconds=seconds), self._zone).like(key[0])
        return None if known is None else (known,)

    def like(self, value: str | date) -> Any:
        """Now, written as this value is; None where that cannot be said."""
        if isinstance(value, str):
            length = len(value)
            if length not in self._texts:
                self._texts[length] = self._text(value)
            return self._texts[length]
        if isinstance(value, datetime):
            return self._local if value.tzinfo is None else self._now
        return self._local.date() if self._local else None

    def _text(self, value: str) -> str | None:
        form = next((form for looks, form in _TEXTS if looks.match(value)), None)
        return self._local.strftime(form)[: len(value)] if form and self._local else None
