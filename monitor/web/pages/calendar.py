"""`/calendar`: whose due dates another calendar moves, or one in force has moved; nothing is changed by asking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from fastapi import Request
from nicegui import ui

from monitor.statistics.moving import Moving, changed_days, moving
from monitor.web.access import Right
from monitor.web.calendars import Change
from monitor.web.frame import Visit, counting, frame, may, visit
from monitor.web.models.moved import days, moved
from monitor.web.site import Site
from schemas.language import language
from schemas.problem import ProblemsError


class Wanted(NamedTuple):
    """What an address asks about: a file, or days; `problem` says what of it nobody can read."""

    file: str = ""
    off: Sequence[date] = ()
    worked: Sequence[date] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.file or self.off or self.worked)


#: The days that change, and every limit with another last day.
Answer = tuple[dict[date, bool], list[Moving]]


def add(site: Site) -> None:
    @ui.page("/calendar")
    def page(request: Request) -> None:
        seen = visit(site, request)
        wanted = wanted_of(seen)
        frame(seen, "/statistics", seen.view.words("calendar.title"), request.url.query)
        if not may(seen, Right.CASES):
            return
        change, wanted = change_of(seen, wanted)
        with ui.element("main").classes("page"):
            ui.html(seen.render("calendar.html", **choices(seen, wanted)), sanitize=False, tag="section").classes("panel")
            if change is None:
                return
            shown = ui.html(seen.render("counting.html"), sanitize=False).classes("stack")
        asked = change

        def show(found: Answer) -> None:
            shown.set_content(drawn(seen, wanted, found))

        counting(seen, lambda: counted(seen, wanted, asked), show)


def wanted_of(seen: Visit) -> Wanted:
    """A file counts before days that were typed."""
    parts, words = seen.parts, seen.view.words
    if parts.get("file"):
        return Wanted(parts["file"])
    try:
        return Wanted("", tuple(days(parts.get("off", ""))), tuple(days(parts.get("worked", ""))))
    except ValueError as error:
        return Wanted(problem=words("calendar.no_days", found=error.args[0]))


def change_of(seen: Visit, wanted: Wanted) -> tuple[Change | None, Wanted]:
    """None where nothing is asked, or where what is asked cannot be read: that is said then."""
    known = seen.site.calendars
    if known is None or not wanted:
        return None, wanted
    try:
        return known.of_file(wanted.file) if wanted.file else known.of_days(wanted.off, wanted.worked), wanted
    except LookupError:
        return None, Wanted(problem=seen.view.words("calendar.no_file", name=wanted.file))
    except ProblemsError as error:
        return None, wanted._replace(problem=str(error))


def counted(seen: Visit, wanted: Wanted, change: Change) -> Answer:
    """Of all regions, by one pass over what is open, unless somebody has asked the same just now."""
    site = seen.site
    found_days = changed_days(change.before, change.after, change.notices)
    question = ("calendar", wanted, change.before.version, change.after.version, seen.view.when.at)

    def count() -> Answer:
        clockwork = site.inputs.clockwork._replace(calendar=change.before)
        with site.view.snapshot() as snapshot:
            return found_days, list(moving(snapshot, clockwork, change.after, found_days, site.until(seen.view.when)))

    return site.counted.of(question, site.state(seen.view.when), count)


def drawn(seen: Visit, wanted: Wanted, found: Answer) -> str:
    in_force = dict(seen.site.calendars.files()).get(wanted.file, False) if seen.site.calendars else False
    kinds = language(seen.view.words.language).texts
    model = moved(*found, seen.scope)
    return seen.render("moved.html", model=model, kinds=kinds, in_force=in_force)


def choices(seen: Visit, wanted: Wanted) -> dict[str, Any]:
    known = seen.site.calendars
    return {
        "files": known.files() if known else (),
        "chosen": wanted.file,
        "off": seen.parts.get("off", ""),
        "worked": seen.parts.get("worked", ""),
        "problem": wanted.problem,
    }
