"""What an address asks for: as of which moment, and the links that keep it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from urllib.parse import urlencode

from monitor.statistics.period import YEARS
from monitor.statistics.source import Window
from monitor.times import local, micros

#: The names of the address's parts.
AT, KNOWN, THEN = "at", "known", "then"
_LEAST = timedelta(microseconds=1)


class When(NamedTuple):
    """As of `at` (None: now); `then`: only from what the bus had received by that moment, else as known now."""

    at: int | None = None
    then: bool = False

    @property
    def window(self) -> Window:
        return Window(self.at, self.at if self.then else None)

    def parts(self, zone: tzinfo) -> dict[str, str]:
        """What the address says of it."""
        if self.at is None:
            return {}
        return {AT: _text(self.at, zone)} | ({KNOWN: THEN} if self.then else {})


def when(parts: Mapping[str, str], zone: tzinfo) -> When:
    """From an address. What is no moment counts as now: an address is typed by people."""
    at = moment(parts.get(AT, ""), zone)
    return When(at, at is not None and parts.get(KNOWN) == THEN)


def moment(text: str, zone: tzinfo) -> int | None:
    """Microseconds UTC of an ISO 8601 text, local unless it has an offset; a date means its end. None for anything else."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if found.year not in YEARS:
        return None
    if len(text.strip()) <= 10:
        found += timedelta(days=1) - _LEAST
    aware = found if found.tzinfo else found.replace(tzinfo=zone)
    return micros(aware.astimezone(UTC))


def _text(at: int, zone: tzinfo) -> str:
    """What `moment` reads as this very moment: the end of a day as its date, and no finer than it is."""
    there = local(at, zone).replace(tzinfo=None)
    if (there + _LEAST).time() == time.min:
        return there.date().isoformat()
    return there.isoformat(timespec="auto" if there.second or there.microsecond else "minutes")


def link(path: str, parts: Mapping[str, object]) -> str:
    """An address; empty parts are left out."""
    said = {name: str(value) for name, value in parts.items() if value not in ("", None)}
    return f"{path}?{urlencode(said)}" if said else path
