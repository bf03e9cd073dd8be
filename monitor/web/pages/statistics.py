"""`/statistics`: how well people were served in a period, held against an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fastapi import Request
from nicegui import ui

from monitor.statistics import ask
from monitor.statistics.ask import Asked, Figures
from monitor.statistics.slimming import Slimming, slimming
from monitor.statistics.standard import Listing
from monitor.times import local_date
from monitor.web.access import inside, within
from monitor.web.frame import Visit, counting, frame, visit
from monitor.web.models import figures
from monitor.web.models.span import AGAINST, NAMED, Chosen, chosen
from monitor.web.site import Site

#: What is counted, and what the catalogue changed.
Answer = tuple[Figures, Slimming]


def add(site: Site) -> None:
    @ui.page("/statistics")
    def page(request: Request) -> None:
        seen = visit(site, request)
        wanted, asked = period_of(seen, seen.parts), asked_of(seen, seen.parts)
        frame(seen, "/statistics", seen.view.words("nav.statistics"), request.url.query)
        with ui.element("main").classes("page"):
            ui.html(seen.render("period.html", **_choices(seen, wanted)), sanitize=False, tag="section").classes("panel")
            shown = ui.html(seen.render("counting.html"), sanitize=False).classes("stack")

        def show(found: Answer) -> None:
            model = {"model": figures.shown(*found), "span": wanted.span, "m": figures, "runs": figures.runs}
            shown.set_content(seen.render("statistics.html", **model, **_places(seen)))

        counting(seen, lambda: counted(seen, wanted, asked), show)


def period_of(seen: Visit, parts: Mapping[str, str]) -> Chosen:
    """The period that an address names, up to the day somebody looks at."""
    return chosen(parts, local_date(seen.site.until(seen.view.when), seen.view.zone))


def catalogue_days(wanted: Chosen) -> tuple[date, date]:
    """The catalogue changes by the year: it is held against that of a year before, or of the earlier period."""
    last = wanted.span.period.last
    year = wanted.span.period.year_before().last
    return min(year, wanted.span.before.last), last


def counted(seen: Visit, wanted: Chosen, asked: Asked) -> Answer:
    """Counted by a pass over the cases, unless somebody has asked the same just now."""
    site, span = seen.site, wanted.span
    listing = Listing(site.items, sorted(site.names.regions), span.period.last)

    def count() -> Answer:
        found = ask.figures(site.view, site.inputs, site.level, span, listing, asked)
        return found, slimming(site.items, *catalogue_days(wanted))

    return site.counted.of(("figures", span, asked), site.state(seen.view.when), count)


def asked_of(seen: Visit, parts: Mapping[str, str]) -> Asked:
    """Of the item, region (and what lies in it) and department that an address names, as far as somebody may see them."""
    regions = seen.site.names.regions
    chosen_region = inside(parts["region"], regions) if parts.get("region") else None
    allowed = [one for one in (chosen_region, seen.scope) if one is not None]
    together = frozenset.intersection(*allowed) if allowed else None
    return Asked(parts.get("item", ""), together, parts.get("department", ""), seen.view.when.window)


def _places(seen: Visit) -> dict[str, str]:
    return {name: seen.parts.get(name, "") for name in ("region", "department", "item")}


def _choices(seen: Visit, wanted: Chosen) -> dict[str, object]:
    view, site = seen.view, seen.site
    kept = {name: value for name, value in _places(seen).items() if value}
    return {
        "wanted": wanted,
        "kept": kept,
        "named": NAMED,
        "against": AGAINST,
        "regions": [(code, view.region(code)) for code in site.names.regions if within(code, seen.scope)],
        "departments": sorted((code, view.department(code)) for code in site.names.departments),
        "items": sorted((code, view.item(code)) for code in site.items),
        **_places(seen),
    }
