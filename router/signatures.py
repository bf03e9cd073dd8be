"""Signatures as the router looks at them: refused where they are required, else told in the log.

Pure but for the log: whether a key held is judged at the record's receipt, so that a replay judges the same.
"""

from __future__ import annotations

import structlog

from bus.ports import Record
from bus.rarely import Rarely
from router.outbox import Letter
from schemas.envelope import Event
from schemas.signing import KEY, Fault, Keys, of_headers

log = structlog.get_logger(__name__)


class Signatures:
    """`required`: what is not signed as it must be does not count."""

    def __init__(self, keys: Keys, *, required: bool) -> None:
        self._keys = keys
        self._required = required
        self._rarely = Rarely()

    def letter(self, record: Record, event: Event) -> Letter | None:
        """None where the event may stand."""
        headers = dict(record.headers)
        fault = self._keys.fault(of_headers(headers, event.raw, event.header["authority"], record.timestamp * 1000))
        if fault is None:
            return None
        key = headers.get(KEY, b"").decode("utf-8", "replace")
        if self._required:
            return Letter(f"signature_{fault.reason}", fault.text, "signature", key or None)
        self._tell(record, event, fault, key)
        return None

    def _tell(self, record: Record, event: Event, fault: Fault, key: str) -> None:
        """Of many of one kind only a few."""
        system = event.header["source"]["system"]
        if so_far := self._rarely.count(system, fault.reason, key):
            said = {"case": event.case, "event_id": event.id, "reason": fault.reason, "key": key, "so_far": so_far}
            place = {"partition": record.partition, "offset": record.offset}
            log.warning("signature does not hold", connector=system, **said, **place)
