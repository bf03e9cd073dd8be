"""`/places`: regions and departments, and each of them by itself."""

from __future__ import annotations

from itertools import islice

from fastapi import Request
from nicegui import ui

from monitor.web.frame import Visit, frame, live, visit
from monitor.web.glance import Glance
from monitor.web.listing import all_of
from monitor.web.models.listing import Filter
from monitor.web.models.place import Place, place
from monitor.web.picture import Picture
from monitor.web.site import Site

#: Ended cases whose pace is told: the newest.
NEWEST = 200
#: Open cases among which the worst are shown.
WORST = 10


def add(site: Site) -> None:
    @ui.page("/places")
    def page(request: Request) -> None:
        seen = visit(site, request)
        region, department = seen.parts.get("region", ""), seen.parts.get("department", "")
        frame(seen, "/places", title(seen, region, department), f"{region} {department}".strip())
        with ui.element("main").classes("page"):
            shown = ui.html("", sanitize=False).classes("stack")

        def draw(picture: Picture) -> str:
            model = place_of(seen, picture, region, department)
            return seen.render("places.html", model=model, region=region, department=department)

        live(seen, draw, shown.set_content)


def title(seen: Visit, region: str, department: str) -> str:
    named = [seen.view.region(region)] if region else []
    named += [seen.view.department(department)] if department else []
    return ", ".join(named) or seen.view.words("nav.places")


def place_of(seen: Visit, picture: Picture, region: str, department: str) -> Place:
    open_ = {key: one for key, one in picture.tally(seen.scope).items() if region in ("", key[0]) and department in ("", key[1])}
    here = (one for one in picture.each(seen.scope) if region in ("", one.region) and department in ("", one.department))
    return place(open_, list(islice(here, WORST)), ended_of(seen, picture, region, department))


def ended_of(seen: Visit, picture: Picture, region: str, department: str) -> list[Glance]:
    wanted = Filter(state="ended", region=region, department=department, sort="ended", allowed=seen.scope)
    return list(all_of(seen.site, picture, wanted, NEWEST))
