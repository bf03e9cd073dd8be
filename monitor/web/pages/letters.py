"""`/letters`: the connectors, and what was refused on the way in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import Request
from nicegui import run, ui
from sqlalchemy import Select, func, select

from monitor import tables
from monitor.clockmode import wall
from monitor.opened import Calm
from monitor.view import Snapshot
from monitor.web.access import Right
from monitor.web.fleet import Answer, Fleet, Told, ago, may_order, watches
from monitor.web.frame import Visit, counting, frame, live, may, visit
from monitor.web.orders import Ordering
from monitor.web.picture import Picture
from monitor.web.site import Site
from schemas.sealing import revealed

PAGE = 50
#: Seconds between two looks at how the connectors stand.
WATCHED = 2.0
#: Lamps in the order of what has to be looked at.
FIRST = ("red", "yellow", "none", "green")
#: Newest events in which a system's last one is looked for.
NEWEST = 20_000
_TABLE = tables.dead_letters.c
_REASONS = select(_TABLE.reason, func.count().label("number")).group_by(_TABLE.reason).order_by(_TABLE.reason)
#: Bytes of a refused record that are shown.
SHOWN = 4000


class System(NamedTuple):
    """One source system: its newest event (microseconds UTC), how many of the newest are its, how many were refused."""

    name: str
    about: str
    kind: str
    last: int | None
    events: int
    refused: int


def add(site: Site) -> None:
    fleet = Fleet(site.operators)

    @ui.page("/letters")
    def page(request: Request) -> None:
        seen = visit(site, request)
        frame(seen, "/letters", seen.view.words("nav.letters"), seen.parts.get("reason", ""))
        if not may(seen, Right.LETTERS):
            return
        with ui.element("main").classes("page"):
            standing = ui.html("", sanitize=False)
            shown = ui.html("", sanitize=False)
        known = Known(seen)

        def draw(_: Picture) -> tuple[str, Sequence[System]]:
            found = model(seen)
            return seen.render("letters.html", **found), found["systems"]

        def show(made: tuple[str, Sequence[System]]) -> None:
            shown.set_content(made[0])
            standing.set_content(known.drawn(systems=made[1]))

        def stand(answer: Answer) -> None:
            standing.set_content(known.drawn(answer=answer))

        live(seen, draw, show)
        if watches(seen):
            counting(seen, fleet.look, stand, WATCHED)
        if may_order(seen):

            async def again() -> None:
                answer: Answer | None = await run.io_bound(fleet.look, True)
                if answer is not None:  # else the page is being closed
                    stand(answer)

            Ordering(seen, again)


class Known:
    """What one open page knows of the connectors: what came from them, and how they stand."""

    def __init__(self, seen: Visit) -> None:
        self._seen = seen
        self._systems: Sequence[System] = ()
        self._answer = Answer()

    def drawn(self, systems: Sequence[System] | None = None, answer: Answer | None = None) -> str:
        """The table with what is new of the two."""
        self._systems = self._systems if systems is None else systems
        self._answer = self._answer if answer is None else answer
        seen, now = self._seen, wall()
        return seen.render(
            "connectors.html",
            lines=lines(self._systems, self._answer),
            watched=watches(seen),
            ordering=may_order(seen),
            fault=seen.view.words("fleet.away") if self._answer.away else self._answer.fault,
            ago=lambda at: ago(now, at, seen.view.words),
        )


def lines(systems: Sequence[System], answer: Answer) -> list[tuple[System, Told | None]]:
    """Each system with how its connector stands; those that stand still come first, the failed before all."""
    names = {one.name for one in systems}
    new = [System(one.name, one.about, one.kind, None, 0, 0) for one in answer.told.values() if one.name not in names]
    found = [(one, answer.told.get(one.name)) for one in (*systems, *new)]
    return sorted(found, key=lambda line: (line[1] is None, FIRST.index(line[1].lamp) if line[1] else 0, line[0].name))


def model(seen: Visit) -> dict[str, Any]:
    """Refused records have no region that could be relied on: who sees but a part of it all sees their counts only."""
    reason, system = seen.parts.get("reason", ""), seen.parts.get("system", "")
    whole = seen.scope is None
    until = seen.view.when.window.known
    with seen.site.view.snapshot() as snapshot:
        letters = snapshot.all(_then(_letters(reason, system), until)) if whole else []
        reasons = snapshot.all(_then(_REASONS, until))
        systems = _systems(snapshot, seen)
    raw = whole and seen.view.user.may(Right.RAW)
    return {
        "systems": systems,
        "reasons": [(row.reason, row.number) for row in reasons],
        "letters": [(row, text(revealed(row.raw, Calm(seen.site.ring))) if raw else "") for row in letters],
        "whole": whole,
        "reason": reason,
        "system": system,
        "names": [name for name, _, _ in seen.site.connectors],
    }


def text(raw: bytes) -> str:
    """Bytes as somebody can read them; what is no UTF-8 is tried as GB18030, then shown byte by byte."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw[:SHOWN].decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw[:SHOWN].decode("latin-1")


def _then(query: Select[Any], until: int | None) -> Select[Any]:
    """What had been received by then."""
    return query if until is None else query.where(_TABLE.received_at <= until)


def _letters(reason: str, system: str) -> Select[Any]:
    query = select(tables.dead_letters).order_by(_TABLE.received_at.desc(), _TABLE.partition, _TABLE.offset.desc()).limit(PAGE)
    query = query.where(_TABLE.reason == reason) if reason else query
    return query.where(_TABLE.system == system) if system else query


def _systems(snapshot: Snapshot, seen: Visit) -> list[System]:
    e = tables.events.c
    until = seen.view.when.window.known
    newest = select(e.system, e.received_at)
    newest = newest if until is None else newest.where(e.received_at <= until)
    recent = newest.order_by(e.received_at.desc()).limit(NEWEST).subquery().c
    last = select(recent.system, func.max(recent.received_at).label("last"), func.count().label("events")).group_by(recent.system)
    events = {row.system: row for row in snapshot.all(last)}
    refused = _then(select(_TABLE.system, func.count().label("number")).group_by(_TABLE.system), until)
    letters = {row.system: row.number for row in snapshot.all(refused)}
    known = {name: (about, kind) for name, about, kind in seen.site.connectors}
    return [_system(name, known, events, letters) for name in sorted({*known, *events, *letters})]


def _system(name: str, known: dict[str, tuple[str, str]], events: dict[str, Any], letters: dict[str, int]) -> System:
    about, kind = known.get(name, ("", ""))
    row = events.get(name)
    return System(name, about, kind, row.last if row else None, row.events if row else 0, letters.get(name, 0))
