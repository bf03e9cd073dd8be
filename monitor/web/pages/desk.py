"""`/desk`: alerts, and the cases that supervisors have taken up."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from nicegui import ui
from sqlalchemy import select

from monitor import tables
from monitor.outbox import standing
from monitor.web.access import Right
from monitor.web.acts import Acting, may_act
from monitor.web.frame import Visit, frame, live, may, visit
from monitor.web.models.desk import Alert, desk, within_scope
from monitor.web.picture import Picture
from monitor.web.site import Site

#: Newest alerts that are looked at.
NEWEST = 200


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
        acts = may_act(seen)
        if acts:
            Acting(seen)

        def show(picture: Picture) -> None:
            spotted = within_scope(site.hits.spotted, seen.scope) if seen.view.when.at is None else []
            model = desk(picture.open(seen.scope), spotted, alerts(seen), chosen)
            shown.set_content(seen.render("desk.html", desk=model, acts=acts, chosen=chosen))

        live(seen, show, lambda: site.hits.version)


def alerts(seen: Visit) -> list[Alert]:
    """Alerts raised, newest first, in the regions somebody sees and by the moment they look at."""
    table, cases = tables.alerts.c, tables.cases.c
    joined = tables.alerts.outerjoin(tables.cases, cases.case_key == table.case_key)
    columns = (table.alert, table.type, table.case_key, table.indicator, table.light, table.text, table.raised_at, table.sent)
    query: Any = select(*columns).select_from(joined).order_by(table.raised_at.desc()).limit(NEWEST)
    query = query.where(cases.region.in_(sorted(seen.scope))) if seen.scope is not None else query
    query = query.where(standing(seen.view.when.at))
    return [Alert(*row)._replace(light=row.light.lower()) for row in seen.site.view.all(query)]
