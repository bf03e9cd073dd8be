"""How a service learns that it is to end: SIGINT (Ctrl+C) and SIGTERM set an event, and it ends in order."""

from __future__ import annotations

import signal
import threading


def stop_on_signals() -> threading.Event:
    """Set by SIGINT or SIGTERM, so that all is ended in order."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
