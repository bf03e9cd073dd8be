"""The page's hand on the connectors: `monitor.web.operators.Operators` over the desk of `connectors.fleet_desk`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bus.errors import ConfigurationError
from bus.topics import standard
from casebus.wiring import CONNECTORS, Wiring
from connectors.fleet_desk import Desk
from connectors.fleet_rewind import check, lookback
from schemas.problem import ProblemsError

if TYPE_CHECKING:
    from bus.ports import Client
    from connectors.config import Connector


class Operators:
    """Connects when it is first asked: a page that is only looked at needs no bus."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._connected: tuple[Client, Desk] | None = None

    def reachable(self) -> bool:
        """No broker is started only because somebody looks at a page."""
        from bus.broker import Broker

        kafka = self._wiring.settings.kafka
        if self._connected is not None or not kafka.embedded:
            return True
        return Broker(self._wiring.deployment.data / "kafka", kafka.nodes).serves

    def standings(self) -> Sequence[Mapping[str, Any]]:
        return [one._asdict() for one in self._bus()[1].standings()]

    def order(self, name: str, word: str, by: str) -> None:
        """Raises LookupError for a connector that nobody knows, RetryError where Kafka does not answer."""
        desk = self._bus()[1]
        if desk.standing(name) is None:
            self._connector(name)
        if word == "resume":
            desk.resume(name)
        else:
            {"pause": desk.pause, "restart": desk.restart}[word](name, by)

    def rewind(self, name: str, to: str | None, by: str, *, dry: bool) -> Mapping[str, Any]:
        """Raises as `order`, and ConfigurationError for a position from which the source cannot be read."""
        client, desk = self._bus()
        connector = self._connector(name)
        now = desk.position(name).position
        if dry:
            return lookback(connector, client, now, to)._asdict() | {"order": None}
        check(connector, client, now, to)
        return {"now": now, "then": to, "rows": None, "order": desk.rewind(name, to, by)}

    def close(self) -> None:
        self._stack.close()

    def _bus(self) -> tuple[Client, Desk]:
        with self._lock:
            if self._connected is None:
                client = self._stack.enter_context(self._wiring.client())
                client.create(standard(self._wiring.settings.kafka.partitions))
                self._connected = (client, Desk(client))
            return self._connected

    def _connector(self, name: str) -> Connector:
        """As its file says now: the page lives longer than a connector's file stays as it is."""
        from connectors import config

        try:
            found = (config.read(path, self._wiring.settings.zone) for path in self._files(name))
            connector = next((one for one in found if one.name == name), None)
        except ProblemsError as error:
            raise ConfigurationError("\n".join(map(str, error.problems))) from error
        if connector is None:
            raise LookupError(f"There is no connector {name}.")
        return connector

    def _files(self, name: str) -> list[Path]:
        """Most likely first: a file is mostly named as its system is."""
        from connectors import config

        return sorted(config.paths(self._wiring.deployment.path(CONNECTORS)), key=lambda path: path.stem != name)
