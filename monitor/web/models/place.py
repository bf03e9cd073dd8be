"""A region or a department: its lights, what makes them up, how long its cases take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from statistics import median
from typing import NamedTuple

from monitor.web.glance import Glance
from monitor.web.picture import Lamps, Tallies, added, by


class Part(NamedTuple):
    """One line: a department of the region, a region of the department, an item."""

    code: str
    lamps: Lamps


class Pace(NamedTuple):
    """Of ended cases: how many kept their limit, and days promised and taken. None where there are none."""

    cases: int
    on_time: float | None
    promised: float | None
    taken: float | None


class Place(NamedTuple):
    lamps: Lamps
    regions: list[Part]
    departments: list[Part]
    items: list[Part]
    pace: Pace
    worst: Sequence[Glance]


def place(open_: Tallies, worst: Sequence[Glance], ended: Sequence[Glance]) -> Place:
    """`worst` are the first of the open ones; `ended` the newest ends."""
    return Place(
        lamps=added(open_.values()),
        regions=parts(by(open_, itemgetter(0))),
        departments=parts(by(open_, itemgetter(1))),
        items=parts(by(open_, itemgetter(2))),
        pace=pace(ended),
        worst=[one for one in worst if one.light in ("red", "yellow")],
    )


def parts(found: Mapping[str, Lamps]) -> list[Part]:
    """The reddest first, then the largest."""
    ranked = sorted(found.items(), key=lambda item: (-item[1].red, -item[1].yellow, -item[1].total, item[0]))
    return [Part(code, total) for code, total in ranked]


def pace(ended: Sequence[Glance]) -> Pace:
    """Only cases whose clock ran, and whose limit is known. Of an ended one every light but green says that it was passed."""
    ran = [one for one in ended if one.left is not None]
    if not ran:
        return Pace(len(ended), None, None, None)
    kept = sum(one.light == "green" for one in ran)
    return Pace(len(ended), kept / len(ran), median(one.limit or 0 for one in ran), median(one.elapsed for one in ran))
