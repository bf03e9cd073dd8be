"""`/process`: the way the cases of an item really go; all of them, as somebody may see them, as of any moment."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from nicegui import ui

from monitor.statistics import ask
from monitor.statistics.ask import Asked
from monitor.statistics.processmap import BY, ProcessMap
from monitor.web.access import within
from monitor.web.frame import Visit, counting, frame, visit
from monitor.web.models.figures import runs
from monitor.web.models.process import charted, graph
from monitor.web.pages.statistics import asked_of
from monitor.web.site import Site

SHARES = (0.8, 0.9, 0.95, 1.0)


def add(site: Site) -> None:
    @ui.page("/process")
    def page(request: Request) -> None:
        seen = visit(site, request)
        asked = asked_of(seen, seen.parts)
        by, share = _by(seen), _share(seen.parts.get("share", ""))
        frame(seen, "/process", seen.view.words("nav.process"), seen.parts.get("item", ""))
        with ui.element("main").classes("page"):
            ui.html(seen.render("process.html", **_choices(seen), by=by, share=share), sanitize=False, tag="section").classes(
                "panel"
            )
            shown = ui.html(seen.render("counting.html"), sanitize=False)

        def show(found: ProcessMap) -> None:
            made = graph(found, share)
            naming = named(seen)
            model = {"found": found, "graph": made, "d": charted(made), "naming": naming, "runs": runs}
            shown.set_content(seen.render("map.html", **model, item=seen.parts.get("item", "")))

        counting(seen, lambda: counted(seen, asked, by), show)


def counted(seen: Visit, asked: Asked, by: str) -> ProcessMap:
    """By a pass over the cases, unless somebody has asked the same just now."""
    site = seen.site
    return site.counted.of(("map", by, asked), site.state(seen.view.when), lambda: ask.map_of(site.view, site.inputs, asked, by))


def named(seen: Visit) -> Callable[[str], str]:
    """Event types in words; what a department calls its steps is shown as it is."""
    words = seen.view.words
    return lambda name: words.of("event", name) if words.knows(f"event.{name}") else name


def _choices(seen: Visit) -> dict[str, object]:
    view, site = seen.view, seen.site
    return {
        "items": sorted((code, view.item(code)) for code in site.items),
        "regions": [(code, view.region(code)) for code in site.names.regions if within(code, seen.scope)],
        "item": seen.parts.get("item", ""),
        "region": seen.parts.get("region", ""),
        "shares": SHARES,
        "ways": BY,
    }


def _by(seen: Visit) -> str:
    return next((one for one in BY if one == seen.parts.get("by")), BY[0])


def _share(text: str) -> float:
    return next((share for share in SHARES if f"{share:g}" == text), 0.95)
