"""Orders to connectors, from the button to the bus: a question, a thread that sends, a word when it stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import run, ui

from bus.errors import BusError
from monitor.clockmode import wall
from monitor.web.accounts import Look
from monitor.web.fleet import may_order
from monitor.web.frame import Visit, renewed

KINDS = ("pause", "resume", "restart")


class Ordering:
    """Listens to the buttons of the page (`data-act`, `data-connector`), asks whether it is meant, sends, tells the result."""

    def __init__(self, seen: Visit, then: Callable[[], Awaitable[None]]) -> None:
        self._seen, self._then = seen, then
        self._kind = self._name = ""
        words = seen.view.words
        with ui.dialog() as self._dialog, ui.element("div").classes("panel ask"):
            self._title = ui.label().classes("ask-title")
            self._text = ui.label().classes("ask-about")
            with ui.element("div").classes("row end"):
                ui.button(words("desk.cancel"), on_click=self._dialog.close, color=None).props("flat no-caps dense")
                self._go = ui.button("", on_click=self._send, color=None).props("unelevated no-caps dense").classes("send")
        ui.on("act", self._asked)

    def _asked(self, event: Any) -> None:
        said: dict[str, str] = event.args
        words = self._seen.view.words
        self._kind, self._name = said.get("act", ""), said.get("connector", "")
        if self._kind not in KINDS or not self._name:
            return
        self._title.set_text(f"{words('fleet.' + self._kind)} · {self._name}")
        self._text.set_text(words(f"fleet.means_{self._kind}"))
        self._go.set_text(words(f"fleet.{self._kind}"))
        self._dialog.open()

    async def _send(self) -> None:
        words = self._seen.view.words
        self._dialog.close()
        try:
            await run.io_bound(order, self._seen, self._name, self._kind)
        except (BusError, LookupError) as error:
            ui.notify(words("fleet.failed", cause=str(error.args[0])), type="negative", timeout=0, close_button=True)
        else:
            ui.notify(words(f"fleet.done_{self._kind}", name=self._name), position="bottom-right", color="dark")
        await self._then()


def order(seen: Visit, name: str, word: str) -> None:
    """Raises BusError when it did not reach the bus, LookupError for a connector that is none; who may not, sends nothing."""
    operators, now = seen.site.operators, renewed(seen)
    if operators is None or now is None or not may_order(now):
        raise BusError(seen.view.words("fleet.no_right"))
    by = seen.view.user.name
    operators.order(name, word, by)
    seen.site.accounts.looked(Look(wall(), by, f"connector:{word}", name))
