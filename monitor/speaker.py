"""Publishes what is to be said, and looks over all cases now and then, because limits pass without any event.

The look is done a few cases at a time, between the batches that come: whoever waits for an event to be shown does not
wait for it. Departments take a pass over many rows, which the database makes in a thread beside.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from bus.errors import RetryError
from bus.ports import Client
from monitor.alerts import Judge
from monitor.indicator import Found
from monitor.outbox import Writer, publish
from monitor.rows import Rows
from monitor.view import View

#: Seconds from the end of one look over all cases to the next; and how long a look goes on before a batch has its turn.
SWEEP, TURN = 60, 0.03


class Speaker:
    """A `watcher` for `monitor.service.Service`; `tick` says what time it is for pauses, in seconds."""

    def __init__(
        self, view: View, client: Client, writer: Writer, judge: Judge, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._view, self._client, self._writer, self._judge = view, client, writer, judge
        self._tick = tick
        self._next = 0.0
        self._after: str | None = None
        self._beside = ThreadPoolExecutor(1, "casebus-departments")
        self._about: Future[list[Found]] | None = None

    def __call__(self, _: Rows) -> None:
        began = self._tick()
        if self._after is None and began >= self._next:
            self._after = ""
            self._about = self._about or self._beside.submit(self._judge.about, self._view)
        try:
            self._go_on(began)
            self._departments()
        except RetryError:  # another thread was writing (the webhook's): the same cases come again
            return
        publish(self._view, self._client, self._writer)

    def _go_on(self, began: float) -> None:
        while self._after is not None:
            _, self._after = self._judge.part(self._view, self._after)
            if self._after is None:
                self._next = self._tick() + SWEEP
            elif self._tick() >= began + TURN:
                return

    def _departments(self) -> None:
        if self._about and self._about.done():
            about, self._about = self._about, None
            self._judge.departments(self._view, about.result())
