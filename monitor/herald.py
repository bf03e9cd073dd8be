"""Alerts to people: posted to a webhook, at least once, in a thread of its own that holds nobody up.

The body is `{"alerts": [...]}`, each with its id and type: a receiver that remembers (`alert`, `type`) sees nothing twice.
Any answer of 2xx is a receipt. Otherwise it is tried again after growing pauses, in the same order.
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Self

import structlog
from sqlalchemy import select, update

from bus.errors import BusError, RetryError
from bus.hidden import origin
from monitor import tables
from monitor.outbox import mark
from monitor.settings import Webhook
from monitor.times import DAY
from monitor.view import View

#: Seconds between two looks, and the pauses after failures in a row.
EVERY, PAUSES = 2.0, (2.0, 5.0, 15.0, 60.0, 300.0)
#: Most alerts in one message.
AT_ONCE = 100
#: What is older than this when it could be told is no news: it stands on the page.
NEWS = DAY
_FIELDS = ("alert", "type", "case_key", "indicator", "light", "who", "text", "raised_at")
_UNHEARD = (urllib.error.URLError, http.client.HTTPException, OSError)


class Herald:
    """`with Herald(view, webhook, now):` tells what is raised meanwhile."""

    def __init__(self, view: View, webhook: Webhook, now: Callable[[], int]) -> None:
        self._view, self._webhook, self._now = view, webhook, now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="casebus-herald", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(self._webhook.timeout + 1)

    def tell(self) -> int:
        """One message of what waits; returns how many alerts. Raises RetryError when nobody took it."""
        table = tables.alerts.c
        self._forget()
        waiting = select(tables.alerts).where(~table.told).order_by(table.raised_at, table.alert, table.type).limit(AT_ONCE)
        rows = self._view.all(waiting)
        if rows:
            post(self._webhook, {"alerts": [{name: getattr(row, name) for name in _FIELDS} for row in rows]})
            with self._view.writing() as connection:
                mark(connection, rows, "told")
        return len(rows)

    def _forget(self) -> None:
        table = tables.alerts.c
        old = ~table.told & (table.raised_at < self._now() - NEWS)
        if self._view.all(select(table.alert).where(old).limit(1)):
            with self._view.writing() as connection:
                connection.execute(update(tables.alerts).where(old).values(told=True))

    def _run(self) -> None:
        failures = 0
        while not self._stop.wait(PAUSES[min(failures, len(PAUSES)) - 1] if failures else EVERY):
            try:
                while self.tell() == AT_ONCE and not self._stop.is_set():
                    pass
                failures = 0
            except BusError as error:
                failures += 1
                structlog.get_logger("casebus.herald").warning("alerts wait to be told", reason=str(error), failures=failures)


def post(webhook: Webhook, body: dict[str, Any]) -> None:
    """Raises RetryError unless it was taken."""
    own = {name: value.get_secret_value() for name, value in webhook.headers.items()}
    headers = {"Content-Type": "application/json; charset=utf-8", **own}
    data = json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(webhook.url, data, headers)  # noqa: S310  the settings allow http and https only
    try:
        with urllib.request.urlopen(request, timeout=webhook.timeout):  # noqa: S310  see above
            return
    except _UNHEARD as error:
        raise RetryError(f"The webhook at {origin(webhook.url)} took no alerts: {error}. They wait until it does.") from error
