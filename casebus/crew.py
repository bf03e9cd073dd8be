"""The processes of `casebus up`: started, watched, started again with growing pauses, and ended together.

Each child holds the reading end of a pipe whose other end only we have: when we die, however we die, the pipe closes
and the child ends itself (`follow_parent`). So no process is ever left behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from bus.errors import BusError, ConfigurationError

CASEBUS = (sys.executable, "-P", "-m", "casebus")
SAYS = "casebus: "  # what a sentence for people begins with on standard error
SUPERVISED = "CASEBUS_SUPERVISED"
#: What is for one process alone: where it tells its health, and to which systemd.
OWN = frozenset({"CASEBUS_HEALTH", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
USAGE = 2  # the exit code for settings somebody must change: starting again cannot help
PAUSES = (0.2, 0.5, 1, 2, 5, 10, 20)  # seconds before the next start, by crashes in a row
STEADY = 30.0  # seconds a process must live to be trusted again
GRACE = 15.0  # seconds between SIGTERM and SIGKILL


class ChildError(BusError):
    """A process of ours crashed again and again. Read its log, mend the cause, start again."""


@dataclass
class Child:
    """One process with its log. `crashes` counts those in a row; `begun` and `due` are `time.monotonic` seconds."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    crashes: int = 0
    begun: float = 0.0
    due: float = 0.0
    code: int | None = None

    def start(self, environment: dict[str, str]) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  what we were told to run: our own command
                self.arguments,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        self.begun = time.monotonic()

    def last_words(self) -> list[str]:
        """The sentences that its log ends with, without our own prefix."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        said = list(takewhile(lambda line: line.startswith(SAYS), reversed(lines))) or lines[-1:] or ["it said nothing"]
        return [line.removeprefix(SAYS) for line in reversed(said)]


class Crew:
    """Children by name. `tend` must be called every moment or so; it starts crashed ones again."""

    def __init__(self, logs: Path, tell: Callable[[str], None], command: Sequence[str] = CASEBUS) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._tell = tell
        self._command = tuple(command)
        inherited = {name: value for name, value in os.environ.items() if name not in OWN}
        self._environment = {**inherited, SUPERVISED: "1", "PYTHONUNBUFFERED": "1"}
        self._children: dict[str, Child] = {}

    def hire(self, name: str, *arguments: str) -> None:
        child = self._children[name] = Child(name, (*self._command, *arguments), self._logs / f"{name}.log")
        child.start(self._environment)

    def tend(self) -> None:
        """Raises ConfigurationError when a child says its settings are wrong, ChildError when one will not stay up."""
        for child in self._children.values():
            if child.code is None:
                self._look(child)

    def code(self, name: str) -> int | None:
        """How a child ended: 0 or 2; None while it works."""
        return self._children[name].code

    def pid(self, name: str) -> int | None:
        """None while it waits to be started again, and when it has ended for good."""
        process = self._children[name].process
        return process.pid if process and process.poll() is None else None

    def last_words(self, name: str) -> list[str]:
        return self._children[name].last_words()

    def _look(self, child: Child) -> None:
        if child.process is None:
            if time.monotonic() >= child.due:
                child.start(self._environment)
        elif (code := child.process.poll()) is not None:
            self._ended(child, code)

    def _ended(self, child: Child, code: int) -> None:
        if code in {0, USAGE}:
            child.code = code
            return
        child.crashes = 0 if time.monotonic() - child.begun > STEADY else child.crashes
        if child.crashes >= len(PAUSES):
            raise ChildError(
                f"{child.name} crashed {child.crashes + 1} times in a row: {' '.join(child.last_words())} Its log: {child.log}"
            )
        pause = PAUSES[child.crashes]
        child.crashes, child.process, child.due = child.crashes + 1, None, time.monotonic() + pause
        self._tell(f"{child.name} ended with {_cause(code)}; starting it again in {pause:g} s. Its log: {child.log}")

    def demand(self, names: Iterable[str]) -> None:
        """Raise ConfigurationError with its own words when one of these gave up for its settings."""
        for name in names:
            if self.code(name) == USAGE:
                raise ConfigurationError("\n".join(self.last_words(name)))

    def dismiss(self, *names: str) -> None:
        """End these cleanly, all at once; those that do not listen are killed after a grace."""
        processes = {name: child.process for name in names if (child := self._children.get(name)) and child.process}
        for process in processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for name, process in processes.items():
            _bury(process, deadline)
            del self._children[name]  # not before: whoever is interrupted here must still find it
        for name in names:
            self._children.pop(name, None)  # and what waits to be started again

    def dismiss_all(self) -> None:
        """End all, the first hired last: what others depend on goes when they are gone."""
        first, *others = [*self._children] or [""]
        self.dismiss(*others)
        self.dismiss(first)


def _bury(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def _cause(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def follow_parent() -> None:
    """In a child of `up`: end as on SIGTERM when the parent is gone, and at once when that does not help."""
    if os.environ.get(SUPERVISED):
        threading.Thread(target=_wait_for_parent, name="casebus-parent", daemon=True).start()


def _wait_for_parent() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
