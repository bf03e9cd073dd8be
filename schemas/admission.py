"""Whose events a system may publish: Kafka's rights end at the topic, and all departments' events share one.

A system is known by the name in the event's header, which its connector writes. So this keeps honest connectors from speaking
for others by a wrong mapping or a forged row; a connector's process that was taken over writes what it likes into the header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from schemas.directory import named_by
from schemas.envelope import Event

#: Systems of the bus itself.
OURS = frozenset({"casebus-page", "casebus-deliveries", "casebus-monitor"})
#: What only the bus may say to the router: an alert can end a case that waits for its application.
RESERVED = frozenset({"AlertRaised", "AlertWithdrawn"})
_CACHED = 65_536


class Refused(NamedTuple):
    """Why an event is not admitted: which field of the header says so, what stands there, what to do."""

    field: str
    value: str
    text: str


class Admission:
    """`systems`: the authorities of each, `*` standing for any department or region, `""` for none at all."""

    def __init__(self, systems: Mapping[str, Sequence[str]]) -> None:
        self._systems = systems
        self._stranger = lru_cache(maxsize=_CACHED)(self._judged)

    def refusal(self, event: Event) -> Refused | None:
        """None where the event may stand."""
        system = event.header["source"]["system"]
        if system in OURS:
            return None
        if event.type in RESERVED:
            text = f"Only the bus's own supervision raises alerts, and this one comes from {system}. Find out who wrote it."
            return Refused("source.system", system, text)
        return self._stranger(system, event.header["authority"] or "")

    def _judged(self, system: str, authority: str) -> Refused | None:
        patterns = self._systems.get(system)
        if patterns is None:
            text = f"No system {system} is declared. Find out who wrote it; if it is one of yours, add it to access.connectors."
            return Refused("source.system", system, text)
        if named_by(patterns, authority):
            return None
        named = f"for {authority}" if authority else "without naming an authority"
        text = f"{system} may not speak {named}, only for {', '.join(patterns) or 'nobody'}. Correct its mapping"
        return Refused("authority", authority, f"{text}, or access.connectors.{system}.authorities, and send it again.")
