"""How a command learns that it is to end: a service by an event, anything else by being left, in order, wherever it is."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

TERMINATED = 128 + signal.SIGTERM


def stop_on_signals() -> threading.Event:
    """Set by SIGINT or SIGTERM, so that all is ended in order."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def leave_on_term() -> None:
    """SIGTERM unwinds whatever runs, as Ctrl+C does: children and broker are stopped. Exit code 143, as shells have it."""

    def leave(*_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # told twice, it must not leave the leaving
        sys.stderr.write("casebus: Stopped.\n")
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, leave)
