"""When the supervision speaks: after each batch about the cases in it, and every minute about what time alone has changed."""

from __future__ import annotations

import time

from bus.ports import Client
from casebus.wiring import Wiring
from monitor.alerts import Judge, publish
from monitor.indicator import indicators
from monitor.rows import Rows
from monitor.view import View

SWEEP = 60.0  # seconds between two looks at all open cases


class Alarm:
    """For `monitor.service.Service`: `judge.after_batch` writes with each batch, `look` follows it."""

    def __init__(self, wiring: Wiring, view: View, client: Client) -> None:
        self.judge = Judge(tuple(indicators().values()), wiring.clockwork, wiring.now(view))
        self._view = view
        self._client = client
        self._codec = wiring.codec
        self._next = 0.0

    def look(self, _: Rows) -> None:
        """Sweep when it is time, then send what waits."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SWEEP
            self.judge.sweep(self._view)
        publish(self._view, self._client, self._codec)
