"""The statistics page: figures of a period beside an earlier one, as tiles, bars and lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from monitor.statistics.ask import Figures
from monitor.statistics.distribution import Distribution
from monitor.statistics.hall import Clerk, HallFigures
from monitor.statistics.processmap import Way
from monitor.statistics.service import Score
from monitor.statistics.slimming import Changed, Slimming
from monitor.statistics.standard import Difference
from monitor.web.words import Words

#: Lines of each list.
MOST = 8
#: Rates on tiles: which way is better (1 more, -1 less), and whether it is a share.
TILES = (
    ("on_time", 1, True),
    ("within_law", 1, True),
    ("one_visit", 1, True),
    ("compression", 1, True),
    ("hand_overs_each", -1, False),
    ("rework_each", -1, False),
    ("findings", -1, True),
    ("bad_ratings", -1, True),
)
#: Who may have held a case, in the order of the bar.
HOLDERS = ("town", "county", "municipal", "provincial", "national", "expert", "procedure", "applicant", "on the way", "unknown")


class Tile(NamedTuple):
    """`good` says which way it went: 1 better, -1 worse, 0 neither."""

    name: str
    now: float | None
    then: float | None
    share: bool
    good: int


class Bar(NamedTuple):
    """Days a case, and how long the bar is beside the longest of all, 0 to 100."""

    name: str
    days: float
    width: float


class Held(NamedTuple):
    """Calendar days a case by one holder, and their part of all, 0 to 100."""

    holder: str
    days: float
    part: float


class Line(NamedTuple):
    """One region, department or item."""

    code: str
    ended: int
    rates: Mapping[str, float | None]
    then: Mapping[str, float | None]


class Hour(NamedTuple):
    """`height` beside the longest wait, 0 to 100."""

    hour: str
    minutes: float
    tickets: int
    height: float


class Halls(NamedTuple):
    tickets: tuple[int, int]
    waiting: Distribution
    waiting_then: Distribution
    hours: list[Hour]
    clerks: Sequence[Clerk]
    #: All clerks, and the events of the busiest beside which the others are drawn.
    number: int
    busiest: int


class Slim(NamedTuple):
    """One line of what the catalogue changed: which kind of change, of what."""

    kind: str
    changed: Changed


class Shown(NamedTuple):
    """All of the page."""

    now: Score
    then: Score
    tiles: list[Tile]
    limits: list[tuple[Bar, Bar]]
    held: list[Held]
    held_then: list[Held]
    regions: list[Line]
    departments: list[Line]
    items: list[Line]
    ways: list[Way]
    #: Ways now and then, and the cases that went them.
    variants: tuple[int, int]
    walked: tuple[int, int]
    halls: Halls
    slimming: Slimming
    slimmed: list[Slim]
    differences: list[Difference]


def shown(found: Figures, slimming: Slimming) -> Shown:
    now, then = found.service.now, found.service.then
    return Shown(
        now=now.total,
        then=then.total,
        tiles=tiles(now.total, then.total),
        limits=limits(now.total, then.total),
        held=held(now.total),
        held_then=held(then.total),
        regions=lines(now.by_region, then.by_region),
        departments=lines(now.by_department, then.by_department),
        items=lines(now.by_item, then.by_item),
        ways=found.ways.ways[:5],
        variants=(found.ways.variants, found.ways_before.variants),
        walked=(found.ways.cases, found.ways_before.cases),
        halls=halls(found.hall, found.hall_before),
        slimming=slimming,
        slimmed=slimmed(slimming),
        differences=found.differences,
    )


def tiles(now: Score, then: Score) -> list[Tile]:
    rates, before = now.rates(), then.rates()
    return [Tile(name, rates[name], before[name], share, _good(rates[name], before[name], way)) for name, way, share in TILES]


def _good(now: float | None, then: float | None, way: int) -> int:
    if now is None or then is None or now == then:
        return 0
    return way if now > then else -way


def limits(now: Score, then: Score) -> list[tuple[Bar, Bar]]:
    """Days of the law, promised, and used, for each decided case that has both limits; then in the second bar."""
    sums = [(name, getattr(now, name), getattr(then, name)) for name in ("statutory_days", "promised_days", "actual_days")]
    each = [(name, _each(a, now.compared), _each(b, then.compared)) for name, a, b in sums]
    longest = max((max(a, b) for _, a, b in each), default=0.0)
    return [(Bar(name, a, _part(a, longest)), Bar(name, b, _part(b, longest))) for name, a, b in each]


def held(score: Score) -> list[Held]:
    total = sum(score.held.values())
    names = [*(name for name in HOLDERS if name in score.held), *sorted(score.held.keys() - set(HOLDERS))]
    return [Held(name, _each(score.held[name], score.ended), _part(score.held[name], total)) for name in names]


def lines(now: Mapping[str, Score], then: Mapping[str, Score]) -> list[Line]:
    """Those where something ended, the largest first."""
    ranked = sorted(now.items(), key=lambda one: (-one[1].ended, one[0]))
    return [Line(code, one.ended, one.rates(), then.get(code, Score()).rates()) for code, one in ranked if one.ended]


def halls(now: HallFigures, then: HallFigures) -> Halls:
    return Halls(
        tickets=(now.total.tickets, then.total.tickets),
        waiting=now.total.waiting_minutes,
        waiting_then=then.total.waiting_minutes,
        hours=_hours(now),
        clerks=now.clerks[:MOST],
        number=len(now.clerks),
        busiest=max((one.events for one in now.clerks), default=0),
    )


def _hours(found: HallFigures) -> list[Hour]:
    """Each hour in which tickets were taken, and those between them."""
    busy = {int(hour): number for hour, number in found.total.busiest.items()}
    waits = {int(hour): one.mean or 0.0 for hour, one in found.total.by_hour.items()}
    longest = max(waits.values(), default=0.0)
    span = range(min(busy, default=0), max(busy, default=-1) + 1)
    return [Hour(str(hour), waits.get(hour, 0.0), busy.get(hour, 0), _part(waits.get(hour, 0.0), longest)) for hour in span]


def slimmed(found: Slimming) -> list[Slim]:
    kinds = ("handed_down", "handed_up", "ended", "added", "promised", "statutory")
    return [Slim(kind, one) for kind in kinds for one in getattr(found, kind)]


def runs(activities: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The same thing several times in a row, once with its number."""
    return ((name, sum(1 for _ in group)) for name, group in groupby(activities))


def _each(total: float, cases: int) -> float:
    return total / cases if cases else 0.0


def _part(value: float, whole: float) -> float:
    return round(100 * value / whole, 1) if whole else 0.0


_DAYS = re.compile(r"(\d+) (\w+)")
_PAPER = "paper: "


def value(text: str, words: Words) -> str:
    """A value of the catalogue (`5 working`, `county`) or of cases in words."""
    if not text:
        return "–"
    days = _DAYS.fullmatch(text)
    return words.of("unit", days[2]).replace("{n}", days[1]) if days else words.of("value", text.replace(" ", "_"))


def what(one: Difference, words: Words) -> str:
    """What differs, in words."""
    if one.what.startswith(_PAPER):
        return words("statistics.paper", name=one.what.removeprefix(_PAPER))
    return words.of("differs", one.what)


def others(one: Difference, words: Words, region: Callable[[str], str]) -> str:
    """Who has what instead."""
    return "; ".join(f"{value(found, words)}: {', '.join(map(region, regions))}" for found, regions in one.others.items())
