"""`/looks`: who looked at what; for auditors."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from monitor.web.access import Right
from monitor.web.frame import frame, may, visit
from monitor.web.site import Site


def add(site: Site) -> None:
    @ui.page("/looks")
    def page(request: Request) -> None:
        seen = visit(site, request)
        name = seen.parts.get("name", "")
        frame(seen, "/looks", seen.view.words("nav.looks"), name)
        if seen.scope is not None:  # who looked at what names cases of all regions
            ui.html(seen.render("refused.html"), sanitize=False).classes("page")
        elif may(seen, Right.LOOKS):
            with ui.element("main").classes("page"), ui.element("section").classes("panel"):
                looks = site.accounts.looks(name=name, about=seen.parts.get("about", ""))
                ui.html(seen.render("looks.html", looks=looks, name=name), sanitize=False)
