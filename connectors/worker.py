"""Connectors side by side to the end of what there is, and one attempt of any of them: one that fails never stops the others.

(Those that stay up are a `connectors.fleet`.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import structlog

from bus.errors import BusError, RetryError
from connectors.positions import Progress
from connectors.runner import Runner
from schemas.problem import ProblemsError

log = structlog.get_logger(__name__)


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
    error: Exception | None = None


class Worker:
    """Runs many connectors. `told` hears of each pass that read something, and of each failure."""

    def __init__(
        self, runners: Sequence[Runner], told: Callable[[Outcome], None] | None = None, pauses: Pauses | None = None
    ) -> None:
        self._runners = runners
        self._told = told or logged
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

    def _attempt(self, runner: Runner) -> Outcome:
        outcome = attempt(runner.name, runner.run_once)
        if outcome.fault or outcome.progress.records:
            self._told(outcome)
        return outcome


def attempt(name: str, work: Callable[[], Progress]) -> Outcome:
    """One pass. What its department or we wrote wrongly, or what the network lost, is this connector's fault alone."""
    try:
        return Outcome(name, work())
    except (BusError, ProblemsError) as error:
        return Outcome(name, Progress(), str(error), not isinstance(error, RetryError), error)
    except Exception as error:
        log.exception("connector failed", connector=name)  # a fault of one kind of system must not stop the fleet
        return Outcome(name, Progress(), _unforeseen(name, error), True, error)


def _unforeseen(name: str, error: Exception) -> str:
    return f"The connector {name} failed unforeseen ({type(error).__name__}: {error}). Report it with the log of this process."


def logged(outcome: Outcome) -> None:
    if outcome.fault:
        log.warning("connector stopped", connector=outcome.name, reason=outcome.fault)
    else:
        log.info("read", connector=outcome.name, **outcome.progress._asdict())
