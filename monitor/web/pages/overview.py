"""`/`: where everything stands, at one look."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

from fastapi import Request
from nicegui import ui

from monitor.web.frame import Visit, frame, live, visit
from monitor.web.models.overview import overview
from monitor.web.models.trend import trend_options
from monitor.web.picture import Picture
from monitor.web.site import Site


def add(site: Site) -> None:
    @ui.page("/")
    def page(request: Request) -> None:
        seen = visit(site, request)
        frame(seen, "/", seen.view.words("overview.title"))
        parts = _Parts(seen)
        live(seen, lambda picture: drawn(seen, picture), parts.show)


class Drawn(NamedTuple):
    """The page's pieces, as they are sent; `trend` are options of a chart, which are never changed."""

    lights: str
    heat: str
    worst: str
    trend: dict[str, Any]


def drawn(seen: Visit, picture: Picture) -> Drawn:
    model = overview(picture, seen.scope, seen.view.names.regions)
    return Drawn(
        lights=seen.render("overview.html", model=model),
        heat=seen.render("heat.html", heat=model.heat),
        worst=seen.render("worst.html", worst=model.worst),
        trend=trend_options(picture.days(seen.view.zone, seen.scope), seen.view.words),
    )


class _Parts:
    """The page's pieces, filled again with each new picture; what is as before is not sent."""

    def __init__(self, seen: Visit) -> None:
        self._shown: dict[str, Any] = {}
        with ui.element("main").classes("page"):
            self._lights = ui.html("", sanitize=False)
            with ui.element("div").classes("split"):
                with ui.element("div").classes("stack"):
                    self._heat = ui.html("", sanitize=False, tag="section").classes("panel")
                    with ui.element("section").classes("panel"):
                        ui.html(seen.render("trend.html"), sanitize=False)
                        self._trend = ui.echart({}, renderer="svg").classes("chart")
                self._worst = ui.html("", sanitize=False, tag="section").classes("panel")

    def show(self, made: Drawn) -> None:
        self._lights.set_content(made.lights)
        self._heat.set_content(made.heat)
        self._worst.set_content(made.worst)
        if made.trend != self._shown:
            self._shown = made.trend
            self._trend.options.clear()
            self._trend.options.update(deepcopy(made.trend))
            self._trend.update()
