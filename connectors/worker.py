"""A fleet of connectors in one process: each in a thread of its own, and one that fails never stops its neighbours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import structlog

from bus.errors import BusError, RetryError
from connectors.positions import Progress
from connectors.runner import Runner
from schemas.problem import ProblemsError

log = structlog.get_logger(__name__)
LOOK = 0.5  # seconds between two looks whether all is to end


class Pauses(NamedTuple):
    """Seconds: the first pause after a failure, doubled up to the longest; `attempts` in a row, where there is an end."""

    first: float = 0.5
    longest: float = 60.0
    attempts: int = 8

    def after(self, failures: int) -> float:
        return float(min(self.first * 2 ** min(failures - 1, 30), self.longest))


class Outcome(NamedTuple):
    """One pass of a connector: what it read, and why it stopped. `lasting` says that waiting will not mend it."""

    name: str
    progress: Progress
    fault: str = ""
    lasting: bool = False


class Worker:
    """Runs many connectors. `told` hears of each pass that read something, and of each failure."""

    def __init__(
        self, runners: Sequence[Runner], told: Callable[[Outcome], None] | None = None, pauses: Pauses | None = None
    ) -> None:
        self._runners = runners
        self._told = told or _logged
        self._pauses = pauses or Pauses()

    def run_to_end(self, side_by_side: int = 8) -> list[Outcome]:
        """What there is now, then stop. One that cannot go on ends with a fault; the others end their work."""
        if not self._runners:
            return []
        stop = threading.Event()
        with ThreadPoolExecutor(min(side_by_side, len(self._runners)), "connector") as pool:
            work = [pool.submit(self._to_end, runner, stop) for runner in self._runners]
            try:
                return [one.result() for one in work]
            except BaseException:
                stop.set()
                raise

    def run(self, stop: threading.Event, every: Callable[[str], float]) -> None:
        """All of them until `stop` is set; each looks for more after `every` seconds (by its name)."""
        threads = [threading.Thread(target=self._live, args=(one, stop, every(one.name)), name=one.name) for one in self._runners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _to_end(self, runner: Runner, stop: threading.Event) -> Outcome:
        outcome = Outcome(runner.name, Progress(), "It was stopped before it began.")
        try:
            for failures in range(1, self._pauses.attempts + 1):
                outcome = self._attempt(runner)
                if not outcome.fault or outcome.lasting or stop.wait(self._pauses.after(failures)):
                    break
        finally:
            runner.close()
        return outcome

    def _live(self, runner: Runner, stop: threading.Event, every: float) -> None:
        failures, woken = 0, threading.Event()
        runner.wake = woken.set
        try:
            while not stop.is_set():
                woken.clear()
                outcome = self._attempt(runner)
                failures = failures + 1 if outcome.fault else 0
                if failures:
                    stop.wait(self._pauses.after(failures))
                else:
                    _wait(woken, every, stop)
        finally:
            runner.close()

    def _attempt(self, runner: Runner) -> Outcome:
        """One pass. What its department or we wrote wrongly, or what the network lost, is this connector's fault alone."""
        try:
            outcome = Outcome(runner.name, runner.run_once())
        except (BusError, ProblemsError) as error:
            outcome = Outcome(runner.name, Progress(), str(error), not isinstance(error, RetryError))
        except Exception as error:
            log.exception("connector failed", connector=runner.name)  # a fault of one kind of system must not stop the fleet
            outcome = Outcome(runner.name, Progress(), _unforeseen(runner.name, error), True)
        if outcome.fault or outcome.progress.records:
            self._told(outcome)
        return outcome


def _wait(woken: threading.Event, seconds: float, stop: threading.Event) -> None:
    """Until a source calls, the time is over, or all is to end."""
    until = time.monotonic() + seconds
    while not stop.is_set() and (left := until - time.monotonic()) > 0:
        if woken.wait(min(left, LOOK)):
            return


def _unforeseen(name: str, error: Exception) -> str:
    return f"The connector {name} failed unforeseen ({type(error).__name__}: {error}). Report it with the log of this process."


def _logged(outcome: Outcome) -> None:
    if outcome.fault:
        log.warning("connector stopped", connector=outcome.name, reason=outcome.fault)
    else:
        log.info("read", connector=outcome.name, **outcome.progress._asdict())
