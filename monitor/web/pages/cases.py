"""`/cases`: the list, filtered, sorted, saved, taken out."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Request
from nicegui import ui

from monitor.web.access import Right, within
from monitor.web.frame import Visit, frame, live, may, visit
from monitor.web.glance import LIGHTS
from monitor.web.listing import page_of
from monitor.web.models.listing import Filter, asked
from monitor.web.picture import Picture
from monitor.web.site import Site


def add(site: Site) -> None:
    @ui.page("/cases")
    def page(request: Request) -> None:
        seen = visit(site, request)
        wanted = wanted_of(seen)
        frame(seen, "/cases", seen.view.words("nav.cases"), urlencode(wanted.parts))
        if not may(seen, Right.CASES):
            return
        with ui.element("main").classes("page"), ui.element("section").classes("panel"):
            ui.html(seen.render("filters.html", **_choices(seen, wanted)), sanitize=False)
            rows, pager = ui.html("", sanitize=False), ui.html("", sanitize=False)

        def draw(picture: Picture) -> tuple[str, str]:
            model = {"listed": page_of(site, picture, wanted), "wanted": wanted, "parts": wanted.parts}
            return seen.render("list.html", **model), seen.render("pager.html", **model)

        def show(made: tuple[str, str]) -> None:
            rows.set_content(made[0])
            pager.set_content(made[1])

        live(seen, draw, show)


def wanted_of(seen: Visit) -> Filter:
    return asked(seen.parts, seen.site.items_named, seen.scope)


def _choices(seen: Visit, wanted: Filter) -> dict[str, object]:
    view, site = seen.view, seen.site
    regions = [(code, view.region(code)) for code in site.names.regions if within(code, seen.scope)]
    return {
        "wanted": wanted,
        "query": urlencode(wanted.parts),
        "saved": site.accounts.saved_filters(view.user.name),
        "lights": [(light, view.words.of("light", light)) for light in LIGHTS],
        "regions": regions,
        "departments": sorted((code, view.department(code)) for code in site.names.departments),
        "items": sorted((code, view.item(code)) for code in site.items),
    }
