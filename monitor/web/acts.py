"""What a supervisor does with a case, from the button to the bus: a dialog, a thread that sends, a word when it is sent."""

from __future__ import annotations

import secrets
from typing import Any

from nicegui import run, ui

from bus.errors import BusError
from monitor.clockmode import wall
from monitor.statistics.source import case_at
from monitor.web.access import Right, within
from monitor.web.accounts import Look
from monitor.web.asked import When
from monitor.web.frame import Visit, renewed
from monitor.web.site import Act

KINDS = ("take", "note", "urge", "shut")


class Acting:
    """Listens to the buttons of a page (`data-act`), asks for the reason, publishes."""

    def __init__(self, seen: Visit) -> None:
        self._seen = seen
        self._kind = self._case = self._supervision = ""
        words = seen.view.words
        with ui.dialog() as self._dialog, ui.element("div").classes("panel ask"):
            self._title = ui.label().classes("ask-title")
            self._text = ui.textarea().props("outlined autogrow autofocus dense").classes("ask-text")
            with ui.element("div").classes("row end"):
                ui.button(words("desk.cancel"), on_click=self._dialog.close, color=None).props("flat no-caps dense")
                ui.button(words("desk.send"), on_click=self._send, color=None).props("unelevated no-caps dense").classes("send")
        ui.on("act", self._asked)

    def _asked(self, event: Any) -> None:
        said: dict[str, str] = event.args
        words = self._seen.view.words
        self._kind, self._case = said.get("act", ""), said.get("case", "")
        self._supervision = said.get("supervision", "") or f"SV-{secrets.token_hex(6)}"
        if self._kind not in KINDS:
            return
        self._title.set_text(f"{words('desk.' + self._kind)} · {self._case.partition(':')[2]}")
        self._text.props(f'label="{words("desk.why" if self._kind == "take" else "desk.why_" + self._kind)}"')
        self._text.set_value("")
        self._dialog.open()

    async def _send(self) -> None:
        seen, site, words = self._seen, self._seen.site, self._seen.view.words
        text = str(self._text.value or "").strip()
        if not text:
            return
        self._dialog.close()
        act = Act(self._case, self._kind, self._supervision, seen.view.user, text, site.now(), wall())
        try:
            await run.io_bound(publish, seen, act)
        except BusError as error:
            ui.notify(words("desk.failed", cause=str(error)), type="negative", timeout=0, close_button=True)
        else:
            ui.notify(words("desk.sent"), position="bottom-right", color="dark")


def publish(seen: Visit, act: Act) -> None:
    """Raises BusError when it did not reach the bus; who may not, sends nothing.

    The case was named by the browser, and the page may be older than its user's rights.
    """
    site, now = seen.site, renewed(seen)
    if site.publish is None or now is None or not now.view.user.may(Right.SUPERVISE):
        raise BusError(seen.view.words("desk.no_bus"))
    if not _theirs(now, act.case):
        raise BusError(seen.view.words("desk.not_yours"))
    site.publish(act)
    site.accounts.looked(Look(wall(), act.by.name, f"act:{act.kind}", act.case))


def _theirs(seen: Visit, key: str) -> bool:
    site = seen.site
    with site.view.snapshot() as snapshot:
        case = case_at(snapshot, site.inputs.reader, site.inputs.folding, key, When().window)
    return case is not None and within(case.region, seen.scope)


def may_act(seen: Visit) -> bool:
    return seen.view.when.at is None and seen.site.publish is not None and seen.view.user.may(Right.SUPERVISE)
