"""Times as the monitor shows and counts them: microseconds since 1970-01-01 UTC inside, local dates at the edge.

Local midnight is another day in UTC, so every date here takes the zone of the deployment.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

DAY = 86_400_000_000
HOUR = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def local(at: int, zone: tzinfo) -> datetime:
    """The moment on a clock in `zone`."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone)


def local_date(at: int, zone: tzinfo) -> date:
    return local(at, zone).date()


def midnight(day: date, zone: tzinfo) -> int:
    """The first moment of a local day."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=zone))


def micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exactly (a float would lose the last digits)."""
    return (moment - _EPOCH) // _MICROSECOND


def iso(at: int | None, zone: tzinfo) -> str | None:
    """ISO 8601 with the zone's offset, milliseconds only where there are any."""
    if at is None:
        return None
    return local(at, zone).isoformat(timespec="milliseconds" if at % 1_000_000 else "seconds")


def shown(at: int | None, zone: tzinfo) -> str:
    """For people: `2026-03-31 18:00`, empty when there is none."""
    return "" if at is None else local(at, zone).strftime("%Y-%m-%d %H:%M")
