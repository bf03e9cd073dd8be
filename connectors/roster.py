"""Who takes deliveries while a deployment's files change: `deliver:` added, changed or taken away holds without a restart."""

from __future__ import annotations

import threading
from typing import NamedTuple

import structlog

from bus.ports import Client
from connectors.config import Connector
from connectors.fleet_files import Folder
from connectors.receivers import Receiver, receivers
from schemas.problem import ProblemsError

log = structlog.get_logger(__name__)
LOOK = 1.0  # seconds between two looks at the files


class _Entry(NamedTuple):
    """A connector as its file says it, and who takes its deliveries: nobody, or one."""

    connector: Connector
    found: list[Receiver]


class Roster:
    """Call `look` every second or so, or let `follow` do it in a thread; `found` is another tuple whenever somebody changed."""

    def __init__(self, folder: Folder, cluster: Client | None) -> None:
        self._folder = folder
        self._cluster = cluster
        self._entries: dict[str, _Entry] = {}
        self._told: dict[str, str] = {}
        self._receivers: tuple[Receiver, ...] = ()
        folder.look(at_once=True)
        self._arrange()

    def found(self) -> tuple[Receiver, ...]:
        return self._receivers

    def look(self) -> None:
        """A file with errors leaves its receiver as it is, and is told once."""
        if self._folder.look():
            self._arrange()

    def follow(self, stop: threading.Event) -> None:
        """Until `stop` is set, in a thread of its own: a file may name a database that answers slowly."""
        while not stop.wait(LOOK):
            try:
                self.look()
            except Exception:
                log.exception("failed to look at the connectors' files")  # the next look comes; deliveries go on

    def _arrange(self) -> None:
        connectors, faults = self._folder.found
        faults = dict(faults)
        self._entries = {name: self._entry(name, one, faults) for name, one in connectors.items()}
        for name, fault in faults.items():
            if self._told.get(name) != fault:
                log.warning("file with errors", connector=name, reason=fault)
        self._told = faults
        receivers_now = tuple(one for entry in self._entries.values() for one in entry.found)
        if receivers_now != self._receivers:
            self._receivers = receivers_now
            log.info("receivers", names=" ".join(one.name for one in receivers_now))

    def _entry(self, name: str, connector: Connector, faults: dict[str, str]) -> _Entry:
        """One whose file is as it was keeps its target, and with it whatever that remembers."""
        known = self._entries.get(name)
        if known is not None and known.connector is connector:
            return known
        try:
            return _Entry(connector, receivers([connector], self._cluster))
        except ProblemsError as error:
            faults[name] = "\n".join(map(str, error.problems))
            return _Entry(connector, known.found if known else [])
