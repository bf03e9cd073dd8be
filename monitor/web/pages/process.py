"""`/process`: the way the cases of an item really go."""

from __future__ import annotations

from collections import defaultdict

from fastapi import Request
from nicegui import ui
from sqlalchemy import and_, select

from monitor import tables
from monitor.web.frame import Visit, frame, visit
from monitor.web.models.process import graph, height, options
from monitor.web.site import Site

#: Newest cases that the map is made of.
CASES = 500
SHARES = (0.8, 0.9, 0.95, 1.0)
_AT_ONCE = 500


def add(site: Site) -> None:
    @ui.page("/process")
    def page(request: Request) -> None:
        seen = visit(site, request)
        item = seen.parts.get("item") or next(iter(sorted(site.items)), "")
        share = _share(seen.parts.get("share", ""))
        frame(seen, "/process", seen.view.words("nav.process"), item)
        found = graph(paths(seen, item), share)
        items = sorted((code, seen.view.item(code)) for code in site.items)
        with ui.element("main").classes("page"), ui.element("section").classes("panel"):
            ui.html(seen.render("process.html", graph=found, items=items, item=item, share=share, shares=SHARES), sanitize=False)
            if found.nodes:
                words = seen.view.words
                chart = ui.echart(options(found, lambda name: words.of("event", name)), renderer="svg")
                chart.classes("map").style(f"height: {height(found)}px")


def paths(seen: Visit, item: str) -> list[list[str]]:
    """Event types of each case in business order, of the newest cases of the item that somebody may see."""
    e, aside, cases = tables.events.c, tables.set_aside.c, tables.cases.c
    newest = select(cases.case_key).where(cases.item == item, cases.opened, cases.forwards_to == "", ~cases.expired)
    newest = newest.where(cases.region.in_(sorted(seen.scope))) if seen.scope is not None else newest
    newest = newest.where(cases.applied_at <= seen.view.when.at) if seen.view.when.at is not None else newest
    newest = newest.order_by(cases.applied_at.desc()).limit(CASES)
    joined = tables.events.outerjoin(tables.set_aside, and_(aside.case_key == e.case_key, aside.sequence == e.sequence))
    order = (e.case_key, e.occurred_at, e.step, e.system, e.source_sequence, e.event_id)
    found: dict[str, list[str]] = defaultdict(list)
    with seen.site.view.snapshot() as snapshot:
        keys = [row.case_key for row in snapshot.all(newest)]
        for start in range(0, len(keys), _AT_ONCE):
            query = select(*order, e.type).select_from(joined).where(e.case_key.in_(keys[start : start + _AT_ONCE]))
            query = query.where(aside.standing.is_(None), e.type.not_in(seen.site.inputs.folding.uncounted))
            query = query.where(e.occurred_at <= seen.view.when.at) if seen.view.when.at is not None else query
            for row in snapshot.all(query.order_by(*order)):
                found[row.case_key].append(row.type)
    return list(found.values())


def _share(text: str) -> float:
    return next((share for share in SHARES if f"{share:g}" == text), 0.95)
