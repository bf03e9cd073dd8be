"""`/case/NUMBER`: one case, and why its light is what it is."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from monitor.opened import opened
from monitor.statistics.source import case_at
from monitor.web.access import Right, within
from monitor.web.acts import Acting, may_act
from monitor.web.frame import Visit, frame, live, may, visit
from monitor.web.models.case import CasePage, Told, Viewer, case_page
from monitor.web.queries import decided, key_of, recorded
from monitor.web.site import Site


def add(site: Site) -> None:
    @ui.page("/case/{number:path}")
    def page(request: Request, number: str) -> None:
        seen = visit(site, request)
        frame(seen, "/cases", number, number)
        if not may(seen, Right.CASES):
            return
        with ui.element("main").classes("page"):
            shown = ui.html("", sanitize=False).classes("stack")
        if may_act(seen):
            Acting(seen)

        live(seen, lambda _: content(seen, number), shown.set_content)


def content(seen: Visit, number: str) -> str:
    """The page of the case; or what to do where there is none, or several."""
    with seen.site.view.snapshot() as snapshot:
        keys = key_of(snapshot, number, seen.scope)
    if len(keys) > 1:
        return seen.render("several.html", keys=keys)
    model = case_model(seen, keys[0]) if keys else None
    return seen.render("case.html", model=model, acts=may_act(seen)) if model else seen.render("missing.html")


def case_model(seen: Visit, key: str) -> CasePage | None:
    """None where nothing of it had happened by then, or it lies outside of what somebody may see."""
    site, view = seen.site, seen.view
    window, until = view.when.window, site.until(view.when)
    with site.view.snapshot() as snapshot:
        case = case_at(snapshot, site.inputs.reader, site.inputs.folding, key, window)
        told = Told(recorded(snapshot, site.inputs, key, window), decided(snapshot, key, window))
    if case is None or not within(case.region, seen.scope):
        return None
    clear = view.user.may(Right.CLEAR)
    case, events = opened(case, [one.event for one in told.events], site.ring, clear=clear)
    told = Told([one._replace(event=event) for one, event in zip(told.events, events, strict=True)], told.entries)
    viewer = Viewer(view.words, view.zone, clear, site.sentences, site.rules)
    return case_page(case, site.account(case, until, view.words.language), told, until, viewer)
