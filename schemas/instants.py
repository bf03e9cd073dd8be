"""Instants: microseconds since 1970-01-01 UTC inside (Avro's timestamp-micros), a clock in a zone only at the edge."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """The instant of an aware datetime, exactly (a float would lose the last digits)."""
    return (moment - _EPOCH) // _MICROSECOND


def local(at: int, zone: tzinfo) -> datetime:
    """The instant on a clock in `zone`."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone)


def local_date(at: int, zone: tzinfo) -> date:
    """The local date of an instant: local midnight is another day in UTC."""
    return datetime.fromtimestamp(at // 1_000_000, zone).date()


def midnight(day: date, zone: tzinfo) -> int:
    """The first instant of a local day."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=zone))
