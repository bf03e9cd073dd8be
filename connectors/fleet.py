"""The connectors that stay up in one worker: who is its own, what is wanted of each, and the threads that work for them.

`step` is one look of the main thread: who shares with whom, what people ordered, which files changed. It brings what runs to
what should run; whatever it missed, the next one does. Files are read, and standings written, in threads of their own, so that
neither a slow database behind a code table nor a slow broker keeps this worker from answering its group.
"""

from __future__ import annotations

import socket
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog

from bus.errors import RetryError
from bus.ports import Client, Clock
from bus.pulse import Beat, Pulse
from connectors.config import Connector
from connectors.fleet_files import Folder, Found
from connectors.fleet_schedule import Hands, Schedule
from connectors.fleet_share import Share
from connectors.fleet_status import Reporter, Standing, State
from connectors.fleet_unit import Unit, Ways, Wish
from connectors.positions import Ledger
from connectors.runner import Codec, Runner
from connectors.worker import Outcome, Pauses, logged

log = structlog.get_logger(__name__)
LOOK = 1.0  # seconds between two looks at the files, between two reports, and for news of the group
_UNSHARED = "It has no part of the connectors: it has just begun, or there are more workers than parts."
GRACE = 10.0  # seconds for the batches at work when all is to end


class Plant(NamedTuple):
    """What a connector runs with: the cluster, the codec, the clock of receipts, whether history is being replayed."""

    client: Client
    codec: Codec
    clock: Clock
    replay: bool = False


class Parts(NamedTuple):
    """What a fleet is made of."""

    share: Share
    folder: Folder
    reporter: Reporter
    schedule: Schedule
    told: Callable[[Outcome], None] = logged
    pauses: Pauses = Pauses()


def worker_id() -> str:
    """Says to people where it runs, and is nobody else's."""
    return f"{socket.gethostname()}-{uuid.uuid4().hex[:6]}"


class Fleet:
    """`run` until told to stop; or, step by step in a test: `step`, then `turn` for each name that the schedule gives out."""

    def __init__(self, plant: Plant, parts: Parts) -> None:
        self._plant = plant
        self._parts = parts
        self._ledger = Ledger(plant.client)
        self._hands = Hands(parts.schedule, self.turn)
        self._ways = Ways(
            runner=self._runner,
            tell=parts.reporter.tell,
            told=parts.told,
            now=_now,
            pressed=lambda: self._hands.pressed,
            wake=parts.schedule.wake,
            pauses=parts.pauses,
        )
        self._units: dict[str, Unit] = {}
        self._lock = threading.Lock()
        self._failures = 0
        self._beat = Beat(_UNSHARED)
        self._told: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        """The connectors that this worker has now."""
        return sorted(name for name, unit in self._units.items() if not (unit.wish.gone or unit.wish.held))

    def pulse(self) -> Pulse:
        """Ready when it has its part of the connectors. From any thread."""
        states = self._parts.reporter.states()
        return self._beat.pulse(**{f"connectors_{state.name.lower()}": float(states[state]) for state in State})

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then batches at work are ended, and the others of the group take over at once."""
        background = [
            threading.Thread(target=_repeat, args=(stop, work), name=name, daemon=True)
            for name, work in (("connector-files", self._parts.folder.look), ("connector-status", self._report))
        ]
        self._parts.folder.look(at_once=True)
        for thread in background:
            thread.start()
        try:
            while not stop.is_set():
                self.step(LOOK)
                self._hands.tend()
        finally:
            self._end()
            for thread in background:
                thread.join(LOOK)
            self._parts.reporter.close(_now())

    def step(self, timeout: float = 0.0) -> None:
        """One look at everything that can change."""
        self._beat.turn()
        try:
            if self._parts.share.step(timeout):
                self._ledger.all()  # the former owners of what came to us may have gone on meanwhile
                log.info("connectors shared anew", worker=self._parts.reporter.worker)
            self._failures = 0
            self._beat.missing = "" if self._parts.share.joined else _UNSHARED
        except RetryError as error:
            self._alone(error)
            time.sleep(min(timeout, LOOK))
            return
        self._arrange(self._parts.folder.found)

    def turn(self, name: str) -> float | None:
        """One turn of a connector, in whatever thread."""
        unit = self._units.get(name)
        if unit is None:
            return None
        after = unit.turn()
        with self._lock:
            if unit.wish.gone:
                self._units.pop(name, None)
                return None
        return after

    def _runner(self, connector: Connector) -> Runner:
        plant = self._plant
        return Runner(connector, plant.client, plant.codec, plant.clock, plant.replay, self._ledger)

    def _report(self) -> None:
        self._parts.reporter.flush(_now())

    # -- from what should be to what is

    def _alone(self, error: RetryError) -> None:
        """The group cannot be asked: others may have our connectors by now, so nobody begins anything."""
        self._failures += 1
        self._beat.missing = f"Its group cannot be asked: {error}"
        log.warning("group not reached", failures=self._failures, reason=str(error))
        for name, unit in list(self._units.items()):
            self._wish(name, unit.wish._replace(held=True))

    def _arrange(self, found: Found) -> None:
        share = self._parts.share
        ours = {name: one for name, one in found.connectors.items() if share.has(name)}
        for name in [name for name in list(self._units) if name not in ours]:
            self._give_up(name, name in found.connectors)
        for name, connector in ours.items():
            self._wish(name, Wish(connector, share.book.of(name), found.faults.get(name, "")))
        self._tell_faults(found.faults, ours)

    def _give_up(self, name: str, exists: bool) -> None:
        """To another worker, or for good."""
        unit = self._units[name]
        if unit.wish.gone:
            return
        self._wish(name, unit.wish._replace(gone=True, held=False))
        reporter = self._parts.reporter
        (reporter.forget if exists else reporter.remove)(name)

    def _wish(self, name: str, wish: Wish) -> None:
        """A new one begins within a second, each at a moment of its own; a change takes effect at once."""
        with self._lock:
            unit = self._units.get(name)
            if unit is None:
                self._units[name] = Unit(wish, self._ways)
                after = zlib.crc32(name.encode()) / 2**32
            elif unit.wish == wish:
                return
            else:
                unit.wish, after = wish, 0.0
        self._parts.schedule.wake(name, after)

    def _tell_faults(self, faults: Mapping[str, str], running: Mapping[str, Connector]) -> None:
        """Of files that never gave a connector: the worker that would have it tells."""
        ours = {name: fault for name, fault in faults.items() if name not in running and self._parts.share.has(name)}
        for name in set(self._told) - set(ours):
            if name not in running:
                self._parts.reporter.remove(name)
        for name, fault in ours.items():
            self._parts.reporter.tell(Standing(name, State.FAILED, file=f"{name}.yaml", passed=_now(), error=fault))
        for name, fault in faults.items():
            if self._told.get(name) != fault and (name in ours or name in running):
                log.warning("file with errors", connector=name, reason=fault)
        self._told = ours

    def _end(self) -> None:
        with self._lock:
            units = list(self._units.values())
            for unit in units:
                unit.wish = unit.wish._replace(gone=True)
        self._hands.close(GRACE)
        for unit in units:
            unit.close()
        self._parts.share.close()


def _repeat(stop: threading.Event, work: Callable[[], object]) -> None:
    """Now and then; what goes wrong is told, and the next time comes."""
    while not stop.wait(LOOK):
        try:
            work()
        except Exception:
            log.exception("failed in the background", work=getattr(work, "__name__", "?"))


def _now() -> int:
    return time.time_ns() // 1000
