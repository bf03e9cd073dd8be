"""Who takes deliveries: the systems of a deployment that say `deliver:`, and the pauses between attempts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bus.ports import Client
from connectors.config import Connector
from connectors.source import Target
from schemas.directory import named_by


class Receiver(NamedTuple):
    """A system that takes deliveries for some authorities."""

    name: str
    authorities: Sequence[str]
    target: Target
    attempts: int

    def takes(self, authority: str) -> bool:
        return named_by(self.authorities, authority)


class Pauses(NamedTuple):
    """Seconds between attempts: doubled each time, up to the longest."""

    first: float = 2.0
    longest: float = 600.0

    def after(self, attempts: int) -> float:
        return float(min(self.first * 2 ** min(attempts - 1, 30), self.longest))


def receivers(connectors: Sequence[Connector], cluster: Client | None = None) -> list[Receiver]:
    """Those of a deployment's systems that take deliveries; `cluster` is its own Kafka. Raises ProblemsError."""
    found = []
    for connector in connectors:
        wanted, target = connector.settings.deliver, connector.target(cluster)
        if wanted is not None and target is not None:
            found.append(Receiver(connector.name, wanted.to, target, wanted.attempts))
    return found
