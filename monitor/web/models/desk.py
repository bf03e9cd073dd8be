"""The alert desk: what is taken up, what the indicators find, what was alerted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from monitor.indicator import Indicator
from monitor.web.access import Scope
from monitor.web.glance import Glance
from monitor.web.hits import Spotted

#: Lines of each list.
MOST = 60


class Alert(NamedTuple):
    """`type` is AlertRaised or AlertWithdrawn; `sent`: it is on the bus."""

    alert: str
    type: str
    case: str
    indicator: str
    light: str
    text: str
    raised_at: int
    sent: bool


class Acted(NamedTuple):
    """The newest thing that was done about a case under supervision: what, by whom, what it said, and how many there are."""

    kind: str
    by: str
    text: str
    at: int
    number: int


class Desk(NamedTuple):
    """`acted` is by key of the case.

    `kinds` are the indicators that find something, with how often; `spotted` those of the chosen one.
    """

    supervised: list[Glance]
    acted: Mapping[str, Acted]
    kinds: list[tuple[Indicator, int]]
    spotted: list[Spotted]
    #: How many more there are than are listed.
    more: int


def desk(taken: list[Glance], acted: Mapping[str, Acted], spotted: Sequence[Spotted], chosen: str = "") -> Desk:
    """`taken`, under supervision, and `spotted`, worst first, all of what somebody may see."""
    found = [one for one in spotted if chosen in ("", one.found.indicator.name)]
    return Desk(
        supervised=taken,
        acted=acted,
        kinds=kinds(spotted),
        spotted=found[:MOST],
        more=max(0, len(found) - MOST),
    )


def kinds(spotted: Sequence[Spotted]) -> list[tuple[Indicator, int]]:
    """The most frequent first."""
    counts = Counter(one.found.indicator.name for one in spotted)
    known = {one.found.indicator.name: one.found.indicator for one in spotted}
    return [(known[name], number) for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def within_scope(spotted: Sequence[Spotted], allowed: Scope) -> list[Spotted]:
    """What is about a department as a whole belongs to no region: only who sees everything is told."""
    return [one for one in spotted if allowed is None or one.region in allowed]
