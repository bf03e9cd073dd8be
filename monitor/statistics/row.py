"""One effective event as the statistics see it, and the events of a case in business order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from schemas.envelope import Order


class Row(NamedTuple):
    """The columns of an event that figures need. Times are microseconds since 1970-01-01 UTC."""

    case: str
    at: int
    step: int
    system: str
    sequence: int
    event_id: str
    type: str
    activity: str
    department: str
    actor: str

    @property
    def order(self) -> Order:
        return Order(self.at, self.step, self.system, self.sequence, self.event_id)


class Trace(NamedTuple):
    """One case: its events in business order, and how it came in."""

    case: str
    rows: tuple[Row, ...]
    channel: str = ""

    @property
    def first(self) -> int:
        return self.rows[0].at

    @property
    def last(self) -> int:
        return self.rows[-1].at


def traces(rows: Iterable[Row], channels: dict[str, str] | None = None) -> Iterator[Trace]:
    """Rows that come grouped by case, as traces. Ties in time fall to the source's step, then to its sequence."""
    known = channels or {}
    for case, group in groupby(rows, key=attrgetter("case")):
        yield Trace(case, tuple(sorted(group, key=_order)), known.get(case, ""))


def _order(row: Row) -> tuple[int, int, str, int, str]:
    return row[1:6]
