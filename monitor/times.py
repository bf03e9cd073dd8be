"""Times as the monitor shows and counts them: instants inside, local dates at the edge.

Local midnight is another day in UTC, so every date here takes the zone of the deployment.
"""

from __future__ import annotations

from datetime import tzinfo

from schemas.instants import local, local_date, micros, midnight

__all__ = ["DAY", "HOUR", "iso", "local", "local_date", "micros", "midnight", "shown"]

DAY = 86_400_000_000
HOUR = 3_600_000_000


def iso(at: int | None, zone: tzinfo) -> str | None:
    """ISO 8601 with the zone's offset, milliseconds only where there are any."""
    if at is None:
        return None
    return local(at, zone).isoformat(timespec="milliseconds" if at % 1_000_000 else "seconds")


def shown(at: int | None, zone: tzinfo) -> str:
    """For people: `2026-03-31 18:00`, empty when there is none."""
    return "" if at is None else local(at, zone).strftime("%Y-%m-%d %H:%M")
