"""`casebus figures`: questions about a span of time, an item, the hall, the catalogue; each beside what it is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import RenderableType

from casebus.commands import look, output
from casebus.commands.open_view import opened
from casebus.wiring import Wiring
from monitor.statistics import ask
from monitor.statistics.ask import Asked, Figures, Span
from monitor.statistics.period import YEARS, Period, month_of
from monitor.statistics.service import Compared, Score
from monitor.statistics.standard import Listing
from monitor.view import View
from schemas.problem import Problem, ProblemsError

#: Lines of each list for people; JSON has all.
TOP = 15


class Question(NamedTuple):
    """What was asked on the command line."""

    folder: Path
    first: str | None = None
    last: str | None = None
    item: str = ""
    region: str = ""
    department: str = ""
    at: str | None = None
    known: str | None = None
    as_json: bool = False


def service(question: Question) -> int:
    """Limits and days used, on time, one visit, whose days; beside the period before."""
    found = _figures(question).service
    return _say(question, found.to_json(), lambda: _served(found))


def process(question: Question) -> int:
    """The process map of an item, a region, a department, or of all."""
    with opened(question.folder) as (wiring, view):
        found = ask.map_of(view, look.inputs(wiring), _asked(question, wiring))
        columns = ("from", "to", ">times", ">cases", ">median h", ">longest h")
        rows = [(one.source, one.target, one.count, one.cases, one.median_hours, one.longest_hours) for one in found.edges]
        title = f"{found.cases:,} cases, {found.events:,} events, {found.variants:,} ways"
        return _say(question, msgspec.to_builtins(found), lambda: [output.table(title, columns, rows[:TOP])])


def hall(question: Question) -> int:
    """Waiting in the halls, and how much work each clerk had."""
    found = _figures(question).hall
    halls = [
        (name or "unnamed", one.tickets, one.served, one.waiting_minutes.mean, one.waiting_minutes.max)
        for name, one in found.halls.items()
    ]
    clerks = [
        (one.name, one.department, one.events, one.events_before, one.cases, one.events_a_day, one.events_a_day_before)
        for one in found.clerks[:TOP]
    ]
    return _say(
        question,
        msgspec.to_builtins(found),
        lambda: [
            output.table("", ("hall", ">tickets", ">served", ">mean min", ">longest min"), halls),
            output.table("", ("clerk", "department", ">events", ">before", ">cases", ">a day", ">before"), clerks),
        ],
    )


def standard(question: Question) -> int:
    """Where regions differ: the to-do list of the one standard."""
    found = _figures(question).differences
    rows = [(one.item, one.what, one.source, one.standard, *_others(one.others)) for one in found]
    columns = ("item", "what", "source", "standard", "else", "regions")
    about = f"item {question.item}" if question.item else "every item"
    table = output.table("Where regions differ", columns, rows) if rows else f"All regions agree on {about}."
    return _say(question, msgspec.to_builtins(found), lambda: [table])


def catalogue(question: Question) -> int:
    """Items and powers slimmed or handed down between two days."""
    from monitor.statistics.slimming import slimming

    with opened(question.folder) as (wiring, view):
        last = _day(question.last) if question.last else _today(wiring, view)
        first = _day(question.first) if question.first else last.replace(year=last.year - 1)
        found = slimming(wiring.catalogue, first, last)
    kinds = ("added", "ended", "handed_down", "handed_up", "promised", "statutory")
    rows = [(kind, one.item, one.name, one.before, one.after) for kind in kinds for one in getattr(found, kind)]
    title = f"{found.items_first:,} items on {found.first}, {found.items_last:,} on {found.last}"
    table = output.table(title, ("change", "item", "name", "before", "after"), rows) if rows else f"{title}: nothing changed."
    return _say(question, msgspec.to_builtins(found), lambda: [table])


def _figures(question: Question) -> Figures:
    with opened(question.folder) as (wiring, view):
        period = _period(question, wiring, view)
        listing = Listing(wiring.catalogue, wiring.directory.regions, period.last)
        span, asked = Span(period, period.before()), _asked(question, wiring)
        return ask.figures(view, look.inputs(wiring), wiring.level, span, listing, asked)


def _say(question: Question, value: Any, shown: Callable[[], Iterable[RenderableType]]) -> int:
    if question.as_json:
        output.as_json(value)
        return 0
    console = output.console()
    for part in shown():
        console.print(part)
    return 0


def _served(found: Compared) -> Iterable[RenderableType]:
    title = f"{found.period[0]} to {found.period[1]}, beside {found.before[0]} to {found.before[1]}"
    rows = [(name.replace("_", " "), one["now"], one["then"], one["change"]) for name, one in found.changes().items()]
    yield output.table(title, ("", ">now", ">before", ">change"), rows)
    now, then = found.now.total, found.then.total
    holders = sorted(now.held.keys() | then.held.keys(), key=lambda name: (-now.held.get(name, 0), name))
    held = [(name, _each(now.held, name, now.ended), _each(then.held, name, then.ended)) for name in holders]
    yield output.table("Whose days, for each case ended", ("", ">now", ">before"), held)
    columns = ("department", ">ended", ">before", ">on time", ">before", ">compression", ">before")
    yield output.table("", columns, list(_departments(found))[:TOP])


def _departments(found: Compared) -> Iterator[tuple[Any, ...]]:
    """Each beside the earlier period, those first that ended most now; also those that ended something only then."""
    names = found.now.by_department.keys() | found.then.by_department.keys()
    pairs = [(name, found.now.by_department.get(name, Score()), found.then.by_department.get(name, Score())) for name in names]
    for name, now, then in sorted(pairs, key=lambda one: (-one[1].ended, -one[2].ended, one[0])):
        if now.ended or then.ended:
            rates, before = now.rates(), then.rates()
            both = ((rates[rate], before[rate]) for rate in ("on_time", "compression"))
            yield name, now.ended, then.ended, *(value for pair in both for value in pair)


def _each(held: Mapping[str, float], name: str, cases: int) -> float | None:
    return held.get(name, 0.0) / cases if cases else None


def _others(others: Mapping[str, list[str]]) -> tuple[str, str]:
    return "; ".join(others), "; ".join(", ".join(regions) for regions in others.values())


def _asked(question: Question, wiring: Wiring) -> Asked:
    regions = wiring.directory.regions
    if question.region and question.region not in regions:
        raise ProblemsError(Problem(question.region, "no region has this code", "Look it up in directory/regions.csv."))
    inside = frozenset(code for code in regions if any(one.code == question.region for one in wiring.directory.path(code)))
    below = inside if question.region else None
    return Asked(question.item, below, question.department, look.window(wiring, question.at, question.known))


def _period(question: Question, wiring: Wiring, view: View) -> Period:
    """What was named; else the month up to now."""
    month = month_of(wiring.now(view)(), wiring.deployment.zone)
    last = _day(question.last) if question.last else month.last
    return Period(_day(question.first) if question.first else last.replace(day=1), last)


def _today(wiring: Wiring, view: View) -> date:
    return month_of(wiring.now(view)(), wiring.deployment.zone).last


def _day(text: str) -> date:
    try:
        found = datetime.fromisoformat(text).date()
    except ValueError as error:
        raise ProblemsError(Problem(text, "this is no day", "Write it as 2026-06-30.")) from error
    if found.year not in YEARS:
        raise ProblemsError(Problem(text, "no case is of this year", f"Write a day from {YEARS[0]} to {YEARS[-1]}."))
    return found
