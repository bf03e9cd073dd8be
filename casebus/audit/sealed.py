"""What sealed events say to the audit: with their words where it may read them, and without where nobody may any more."""

from __future__ import annotations

from datetime import tzinfo

from casebus.audit.facts import Fact, fact_of
from schemas.envelope import Event, without_seals
from schemas.sealing import Ring, keys_of


class Seals:
    """By the keys that the audit's process may use. Each is asked for once."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._lost: dict[str, bool] = {}

    def fact(self, event: Event, zone: tzinfo) -> Fact:
        """Without the key the same row gives other seals, or none: what they hide is left out on both sides."""
        found = fact_of(event, zone)
        lost = any(map(self._is_lost, keys_of(event)))
        return found._replace(body_hash=without_seals(found.body_hash)) if lost else found

    def _is_lost(self, name: str) -> bool:
        if name not in self._lost:
            self._lost[name] = self._ring.known(name).key is None
        return self._lost[name]
