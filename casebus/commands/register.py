"""`casebus figures register`: a register of cases that an office keeps, held against what came over the bus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import RenderableType
from sqlalchemy import select

from bus.errors import ConfigurationError
from casebus.commands import look, output
from casebus.commands.open_view import opened
from casebus.registers import Content, Register
from casebus.wiring import Wiring
from monitor import tables
from monitor.rows import department
from monitor.statistics import ask
from monitor.statistics.ask import Asked
from monitor.statistics.context import Measuring
from monitor.statistics.register import Judging, RegisterFigures, Seen, against
from monitor.statistics.source import Window
from monitor.times import iso, shown
from monitor.view import Snapshot, View
from schemas.problem import Problem, ProblemsError

#: Lines of each list for people; JSON has all.
TOP = 15


class Which(NamedTuple):
    """Which register (empty: the only one), as of when, as known when."""

    name: str
    at: str | None
    known: str | None


def register(folder: Path, which: Which, *, as_json: bool) -> int:
    with opened(folder) as (wiring, view):
        one = _chosen(wiring, which.name)
        window = look.window(wiring, which.at, which.known)
        content = one.read()
        measuring = Measuring(wiring.deployment.zone, wiring.calendar)
        judging = Judging(measuring, wiring.now(view)(), window.at)
        found = against(*_named_alike(content, one, wiring, view, window), judging)
    if as_json:
        output.as_json(_plain(found, content, one, wiring))
        return 0
    for part in _shown(found, content, one, wiring):
        output.console().print(part)
    return 0


def _chosen(wiring: Wiring, name: str) -> Register:
    there = wiring.registers
    if not there:
        raise ConfigurationError(
            f"{wiring.settings.name} has no register. Describe one in registers/<name>.yaml (docs/view.md says how)."
        )
    if name in there:
        return there[name]
    if name or len(there) > 1:
        found = "there is no register of this name" if name else "there are several registers"
        raise ProblemsError(Problem(name or "--register", found, f"Write one of {', '.join(there)}."))
    return next(iter(there.values()))


def _named_alike(
    content: Content, one: Register, wiring: Wiring, view: View, window: Window
) -> tuple[Iterable[Any], dict[str, Seen]]:
    """The register's entries under the keys that the bus counts them by, and what the bus saw of that namespace."""
    with view.snapshot() as snapshot:
        names = _other_names(snapshot)
        inputs = look.inputs(wiring)
        seen = {
            known.trace.case: Seen(
                number=known.trace.case.partition(":")[2],
                region=known.case.region,
                department=department(known.case.authority),
                first=known.trace.first,
                last=known.trace.last,
            )
            for known in ask.cases(snapshot, inputs, Asked(window=window))
            if known.case is not None and known.trace.rows and known.trace.case.startswith(f"{one.settings.namespace}:")
        }
    return [entry._replace(key=names.get(entry.key, entry.key)) for entry in content.entries], seen


def _other_names(snapshot: Snapshot) -> dict[str, str]:
    """Keys that are another name of a case, and the case's own."""
    table = tables.cases.c
    query = select(table.case_key, table.forwards_to).where(table.forwards_to != "")
    return {row.case_key: row.forwards_to for row in snapshot.all(query)}


def _plain(found: RegisterFigures, content: Content, one: Register, wiring: Wiring) -> dict[str, Any]:
    zone = wiring.deployment.zone
    plain: dict[str, Any] = msgspec.to_builtins(found)
    for late in plain["late"]:
        late |= {name: iso(late[name], zone) for name in ("deadline", "end")}
    unread = [row._asdict() for row in content.unread]
    return {"register": one.name, **plain, "as_of": iso(found.as_of, zone), "doubled": content.doubled, "unread": unread}


def _shown(found: RegisterFigures, content: Content, one: Register, wiring: Wiring) -> Iterator[RenderableType | str]:
    about = one.settings.about or one.name
    yield f"{about}, as of {shown(found.as_of, wiring.deployment.zone)}"
    yield output.table("", ("", ">cases"), _counts(found))
    yield output.table("From start to end", ("", ">mean", ">50 %", ">90 %", ">95 %", ">longest"), _durations(found))
    limits = list(found.exceeding.start_to_end_workdays)
    over = [
        ("ended, calendar days", *found.exceeding.start_to_end_calendar_days.values()),
        ("ended, working days", *found.exceeding.start_to_end_workdays.values()),
        ("open, calendar days", *found.open_at.open_longer_than_calendar_days.values()),
        ("open, working days", *found.open_at.open_longer_than_workdays.values()),
    ]
    yield output.table("Longer than so many days", ("", *(f">{limit}" for limit in limits)), over)
    yield from _late(found, wiring)
    yield from _differences(found, content)


def _counts(found: RegisterFigures) -> Iterator[tuple[str, int]]:
    yield "in the register", found.cases
    yield "of them on the bus", found.on_the_bus
    yield "never came over the bus", len(found.never_came)
    yield "on the bus, not in the register", len(found.unregistered)
    yield "closed in time", found.deadlines.closed_in_time
    yield "closed after the deadline", found.deadlines.closed_after
    yield "open", found.open_at.open
    yield "open past the deadline", found.deadlines.open_past


def _durations(found: RegisterFigures) -> Iterator[tuple[Any, ...]]:
    each = found.durations
    for name, one in (("calendar days", each.start_to_end_calendar_days), ("working days", each.start_to_end_workdays)):
        yield name, one.mean, *(part and part.linear for part in (one.p50, one.p90, one.p95)), one.max


def _late(found: RegisterFigures, wiring: Wiring) -> Iterator[RenderableType]:
    zone = wiring.deployment.zone
    rows = [
        (one.number, one.region, one.department, shown(one.deadline, zone), shown(one.end, zone) or "open", one.days_over)
        for one in found.late[:TOP]
    ]
    columns = ("case", "region", "department", "deadline", "end", ">days over")
    if rows:
        yield output.table(f"Past the deadline: {len(found.late):,}, the open ones first", columns, rows)


def _differences(found: RegisterFigures, content: Content) -> Iterator[RenderableType]:
    """What register and bus, or the register and itself, cannot both be right about."""
    doubts = found.doubts
    named = {
        "never came over the bus": found.never_came,
        "on the bus, not in the register": found.unregistered,
        "no start": doubts.without_start,
        "no deadline": doubts.without_deadline,
        "no end": doubts.without_end,
        "ended before they started": doubts.end_before_start,
        "first event before the registered start": doubts.first_event_before_start,
        "last event after the registered end": doubts.last_event_after_end,
        "twice in the register (the last row counts)": content.doubled,
    }
    rows = [(name, len(numbers), _some(numbers)) for name, numbers in named.items() if numbers]
    if rows:
        yield output.table("To look into", ("", ">cases", "such as"), rows)
    if content.unread:
        unread = [(row.position, row.text) for row in content.unread[:TOP]]
        yield output.table(f"Rows left out: {len(content.unread):,}", ("row", "why"), unread)


def _some(numbers: list[str]) -> str:
    return ", ".join(numbers[:3]) + (" ..." if len(numbers) > 3 else "")
