"""`/`: where everything stands, at one look."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from fastapi import Request
from nicegui import ui

from monitor.web.access import Scope
from monitor.web.frame import Visit, frame, live, visit
from monitor.web.models.overview import Overview, overview
from monitor.web.models.trend import trend_options
from monitor.web.picture import Picture
from monitor.web.site import Site


def add(site: Site) -> None:
    kept = _Kept()

    @ui.page("/")
    def page(request: Request) -> None:
        seen = visit(site, request)
        frame(seen, "/", seen.view.words("overview.title"))
        parts = _Parts(seen, kept)
        live(seen, parts.show)


class _Parts:
    """The page's pieces, filled again with each new picture."""

    def __init__(self, seen: Visit, kept: _Kept) -> None:
        self._seen, self._kept = seen, kept
        with ui.element("main").classes("page"):
            self._lights = ui.html("", sanitize=False)
            with ui.element("div").classes("split"):
                with ui.element("div").classes("stack"):
                    self._heat = ui.html("", sanitize=False, tag="section").classes("panel")
                    with ui.element("section").classes("panel"):
                        ui.html(seen.render("trend.html"), sanitize=False)
                        self._trend = ui.echart({}, renderer="svg").classes("chart")
                self._worst = ui.html("", sanitize=False, tag="section").classes("panel")

    def show(self, picture: Picture) -> None:
        seen = self._seen
        model = self._kept.overview(picture, seen)
        self._lights.set_content(seen.render("overview.html", model=model))
        self._heat.set_content(seen.render("heat.html", heat=model.heat))
        self._worst.set_content(seen.render("worst.html", worst=model.worst))
        options: dict[str, Any] = trend_options(picture.days(seen.view.zone, seen.scope), seen.view.words)
        self._trend.options.clear()
        self._trend.options.update(options)
        self._trend.update()


class _Kept:
    """The last overviews, counted once for all who watch the same regions."""

    def __init__(self, most: int = 32) -> None:
        self._kept: OrderedDict[tuple[int, Scope], tuple[Picture, Overview]] = OrderedDict()
        self._most = most

    def overview(self, picture: Picture, seen: Visit) -> Overview:
        key = (id(picture), seen.scope)
        if key not in self._kept:
            self._kept[key] = picture, overview(picture, seen.scope, seen.view.names.regions)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return self._kept[key][1]
