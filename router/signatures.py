"""Signatures as the router looks at them: refused where they are required, else told in the log.

Pure but for the log: whether a key held is judged at the record's receipt, so that a replay judges the same.
"""

from __future__ import annotations

from collections import Counter

import structlog

from bus.ports import Record
from router.outbox import Letter
from schemas.envelope import Event
from schemas.signing import KEY, Fault, Keys, of_headers

log = structlog.get_logger(__name__)


class Signatures:
    """`required`: what is not signed as it must be does not count."""

    def __init__(self, keys: Keys, *, required: bool) -> None:
        self._keys = keys
        self._required = required
        self._told: Counter[tuple[str, str, str]] = Counter()

    def letter(self, record: Record, event: Event) -> Letter | None:
        """None where the event may stand."""
        headers = dict(record.headers)
        fault = self._keys.fault(of_headers(headers, event.raw, event.header["authority"], record.timestamp * 1000))
        if fault is None:
            return None
        key = headers.get(KEY, b"").decode("utf-8", "replace")
        if self._required:
            return Letter(f"signature_{fault.reason}", fault.text, "signature", key or None)
        self._tell(event, fault, key)
        return None

    def _tell(self, event: Event, fault: Fault, key: str) -> None:
        """The first of its kind, the tenth, the hundredth: a department that signs nothing must not fill the disk."""
        kind = (event.header["source"]["system"], fault.reason, key)
        self._told[kind] += 1
        if _round(self._told[kind]):
            said = {"system": kind[0], "reason": fault.reason, "key": key, "so_far": self._told[kind]}
            log.warning("signature does not hold", case=event.case, event_id=event.id, **said)


def _round(number: int) -> bool:
    return set(str(number)[1:]) <= {"0"} and str(number)[0] == "1"
