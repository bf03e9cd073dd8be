"""What every page has around it: the bar, the moment, the language, the theme; and the look that is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

from fastapi import Request
from nicegui import run, ui
from nicegui.events import GenericEventArguments

from monitor.clockmode import wall
from monitor.times import local
from monitor.web.access import Right, Scope
from monitor.web.accounts import Look
from monitor.web.asked import AT, KNOWN, link, when
from monitor.web.gate import COOKIE, language_of, theme_of, user_of
from monitor.web.picture import Picture
from monitor.web.render import View, rendered
from monitor.web.shared import Made
from monitor.web.site import Site
from monitor.web.words import words

#: The tabs: path, word, and the right it takes.
TABS: tuple[tuple[str, str, Right | None], ...] = (
    ("/", "overview", None),
    ("/cases", "cases", Right.CASES),
    ("/places", "places", None),
    ("/statistics", "statistics", None),
    ("/process", "process", None),
    ("/desk", "desk", Right.CASES),
    ("/letters", "letters", Right.LETTERS),
)
#: Seconds between two looks of an open page at the shared picture, and at what is counted by a pass over the view.
TICK, COUNTED = 0.6, 3.0
#: Seconds between two looks whether somebody may still see an open page.
ALLOWED = 10.0

T = TypeVar("T")


class Visit(NamedTuple):
    """One request for a page: who, what they see, as of when."""

    site: Site
    request: Request
    view: View
    scope: Scope

    @property
    def parts(self) -> dict[str, str]:
        return dict(self.request.query_params)

    def sight(self, asked: Hashable) -> Hashable:
        """All that an answer to what is asked rests on beside the state of the view: whoever has the same is shown the same.

        Nobody's name is in it: nothing that is shared may hold one.
        """
        return self.view.path, asked, self.scope, self.view.user.role, self.view.words.language

    def picture(self) -> Picture:
        return self.site.picture(self.view.when)

    def render(self, template: str, **model: object) -> str:
        return rendered(template, self.view, **model)


def visit(site: Site, request: Request) -> Visit:
    user = user_of(request)
    said = words(language_of(request, site.settings))
    asked = when(dict(request.query_params), site.zone)
    return Visit(site, request, View(user, said, site.names, site.zone, asked, request.url.path), site.scope(user))


def renewed(seen: Visit) -> Visit | None:
    """The visit with the rights that its user has now; None where the session was ended. A page may stand open for days."""
    user = seen.site.accounts.holder(seen.request.cookies.get(COOKIE))
    return user and seen._replace(view=seen.view._replace(user=user), scope=seen.site.scope(user))


def _while_allowed(seen: Visit) -> None:
    """Ends the page when somebody is signed out, removed, or given other rights; it is then asked for anew."""
    client = ui.context.client

    async def look() -> None:
        now = await run.io_bound(renewed, seen)
        if now is None or now.view.user != seen.view.user:
            timer.deactivate()
            ui.navigate.reload()
            await asyncio.sleep(1)  # for the word to go out; a browser that does not listen is sent nothing more
            client.delete()

    timer = ui.timer(ALLOWED, look)


def frame(seen: Visit, tab: str, title: str, about: str = "") -> None:
    """Draw the bar, set the title, write the look down."""
    view, site, request = seen.view, seen.site, seen.request
    site.accounts.looked(Look(wall(), view.user.name, tab, about))
    ui.add_head_html(_head(view.words.language))
    ui.page_title(f"{title} · {site.name}")
    theme = theme_of(request)
    ui.dark_mode({"dark": True, "light": False}.get(theme))
    ui.html(seen.render("frame.html", **_bar(seen, tab, theme)), sanitize=False)
    _while_allowed(seen)


def may(seen: Visit, right: Right) -> bool:
    """Say so where somebody's role does not include it."""
    if not seen.view.user.may(right):
        ui.html(seen.render("refused.html"), sanitize=False).classes("page")
        return False
    return True


def live(seen: Visit, draw: Callable[[Picture], T], show: Callable[[T], object], more: Callable[[], int] = lambda: 0) -> None:
    """Show the picture now, and again whenever it, or what `more` counts, has changed; a past one stays as it is.

    `draw` is called once for all who see the same, beside the pages where one is open already; `show` once for each of them.
    """
    if seen.view.when.at is not None:
        show(draw(seen.picture()))
        return
    sight, shared = seen.sight(tuple(sorted(seen.parts.items()))), seen.site.shared
    first, at = _moment(seen, more)
    begun: Made[T] = shared.latest(sight) or shared.of(sight, at, lambda: draw(first))
    show(begun.value)
    last = [begun.state]

    async def look() -> None:
        picture, state = _moment(seen, more)
        if state == last[0]:
            return
        made = await shared.soon(sight, state, lambda: run.io_bound(shared.of, sight, state, lambda: draw(picture)))
        if made is not None and made.state != last[0]:  # None where the page is being closed
            last[0] = made.state
            show(made.value)

    _while_seen(ui.timer(TICK, look), look)


def _while_seen(timer: ui.timer, look: Callable[[], Awaitable[None]]) -> None:
    """Nothing is sent to a tab that lies behind others; it is brought up to date when somebody turns to it again."""

    async def turned(event: GenericEventArguments) -> None:
        timer.active = not event.args["hidden"]
        if timer.active:
            await look()

    ui.on("hidden", turned)


def _moment(seen: Visit, more: Callable[[], int]) -> tuple[Picture, Hashable]:
    """The live picture, and a state that changes with whatever is drawn."""
    picture = seen.site.live.picture
    return picture, seen.site.state_of(picture, more())


def counting(seen: Visit, count: Callable[[], T], show: Callable[[T], None], every: float = COUNTED) -> None:
    """Show what takes its time as soon as it is counted, and, of the present, again when it was counted anew."""
    last: list[T] = []
    busy: list[bool] = []

    async def look() -> None:
        if busy:
            return
        busy.append(True)
        try:
            found = await run.io_bound(count)
        finally:
            busy.clear()
        if found is not None and not any(found is one for one in last):
            last[:] = [found]
            show(found)

    past = seen.view.when.at is not None
    ui.timer(0 if past else every, look, once=past)


def _bar(seen: Visit, tab: str, theme: str) -> dict[str, object]:
    view, site = seen.view, seen.site
    kept = {name: value for name, value in seen.parts.items() if name not in (AT, KNOWN)}
    here = f"{view.path}?{urlencode(seen.parts)}" if seen.parts else view.path
    other = "en" if view.words.language == "zh" else "zh"
    now = local(site.now(), view.zone)
    at = local(view.when.at, view.zone) if view.when.at is not None else now
    return {
        "site": site.name,
        "tabs": [(path, word) for path, word, right in TABS if right is None or view.user.may(right)],
        "here": tab,
        "kept": kept,
        "at": at.strftime("%Y-%m-%dT%H:%M"),
        "latest": now.strftime("%Y-%m-%dT%H:%M"),
        "back": link(view.path, kept),
        "other_language": link("/settings", {"language": other, "back": here}),
        "other_theme": link("/settings", {"theme": "light" if theme == "dark" else "dark", "back": here}),
    }


def _head(language: str) -> str:
    return "".join(
        (
            f"<script>document.documentElement.lang = '{language}'</script>",
            f'<link rel="stylesheet" href="/static/page.css?{_version("page.css")}">',
            f'<script defer src="/static/keys.js?{_version("keys.js")}"></script>',
            '<link rel="icon" href="/static/icon.svg">',
        )
    )


def _version(name: str) -> str:
    """What makes a browser fetch a changed file anew."""
    if name not in _versions:
        _versions[name] = sha256(files("monitor.web").joinpath("static", name).read_bytes()).hexdigest()[:10]
    return _versions[name]


_versions: dict[str, str] = {}
