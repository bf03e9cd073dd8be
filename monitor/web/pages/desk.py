"""`/desk`: alerts, and the cases that supervisors have taken up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from fastapi import Request
from nicegui import ui
from sqlalchemy import select

from monitor import tables
from monitor.outbox import standing
from monitor.web.access import Right
from monitor.web.acts import Acting, may_act
from monitor.web.frame import Visit, counting, frame, live, may, visit
from monitor.web.hits import Spotted
from monitor.web.models.desk import MOST, Acted, Alert, Desk, desk, within_scope
from monitor.web.site import Site

#: Newest alerts that are looked at.
NEWEST = 200
_ACTS = ("SupervisionOpened", "SupervisionClosed")


def add(site: Site) -> None:
    @ui.page("/desk")
    def page(request: Request) -> None:
        seen = visit(site, request)
        chosen = seen.parts.get("indicator", "")
        frame(seen, "/desk", seen.view.words("nav.desk"), chosen)
        if not may(seen, Right.CASES):
            return
        with ui.element("main").classes("page"):
            shown = ui.html("", sanitize=False).classes("stack")
            raised = ui.html("", sanitize=False)
        acts = may_act(seen)
        if acts:
            Acting(seen)

        def draw(spotted: Sequence[Spotted]) -> tuple[str, str]:
            desk = seen.render("desk.html", desk=desk_of(seen, spotted, chosen), acts=acts, chosen=chosen)
            return desk, seen.render("alerts.html", alerts=alerts(seen)[:MOST])

        def show(made: tuple[str, str]) -> None:
            shown.set_content(made[0])
            raised.set_content(made[1])

        if seen.view.when.at is None:
            live(seen, lambda _: draw(site.hits.spotted), show, lambda: site.hits.version)
        else:
            shown.set_content(seen.render("counting.html"))
            counting(seen, lambda: draw(spotted_at(seen)), show)


def spotted_at(seen: Visit) -> Sequence[Spotted]:
    """What the indicators would have found at the moment somebody looks at; by a pass over the cases."""
    site, window = seen.site, seen.view.when.window
    seen.picture()  # of the past, which is made beside the page here, and then kept
    return site.counted.of(("hits", window), site.state(seen.view.when), lambda: site.hits.at(site.inputs, window))


def desk_of(seen: Visit, spotted: Sequence[Spotted], chosen: str) -> Desk:
    taken = seen.picture().supervised(seen.scope)[:MOST]
    return desk(taken, acted(seen, [one.key for one in taken]), within_scope(spotted, seen.scope), chosen)


def acted(seen: Visit, keys: Sequence[str]) -> dict[str, Acted]:
    """The newest act on each of these cases, by the moment somebody looks at."""
    e, window = tables.events.c, seen.view.when.window
    query: Any = select(e.case_key, e.actor, e.activity, e.occurred_at, e.raw).where(e.case_key.in_(keys), e.type.in_(_ACTS))
    query = query.where(e.occurred_at <= window.at) if window.at is not None else query
    query = query.where(e.received_at <= window.known) if window.known is not None else query
    rows = seen.site.view.all(query.order_by(e.case_key, e.occurred_at, e.source_sequence))
    return {key: _acted(seen, list(some)) for key, some in groupby(rows, key=attrgetter("case_key"))}


def _acted(seen: Visit, rows: Sequence[Any]) -> Acted:
    """Supervisors are named: they act in their office."""
    last = rows[-1]
    body = seen.site.inputs.reader.decode(last.raw).body
    return Acted(last.activity, last.actor, str(body.get("reason") or body.get("result") or ""), last.occurred_at, len(rows))


def alerts(seen: Visit) -> list[Alert]:
    """Alerts raised, newest first, in the regions somebody sees and by the moment they look at."""
    table, cases = tables.alerts.c, tables.cases.c
    joined = tables.alerts.outerjoin(tables.cases, cases.case_key == table.case_key)
    columns = (table.alert, table.type, table.case_key, table.indicator, table.light, table.text, table.raised_at, table.sent)
    query: Any = select(*columns).select_from(joined).order_by(table.raised_at.desc()).limit(NEWEST)
    query = query.where(cases.region.in_(sorted(seen.scope))) if seen.scope is not None else query
    query = query.where(standing(seen.view.when.at))
    return [Alert(*row)._replace(light=row.light.lower()) for row in seen.site.view.all(query)]
