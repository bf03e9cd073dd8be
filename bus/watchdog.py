"""Ends the process when a call into a client library never returns: a supervisor starts it again.

kafka-python can hang in a commit when the transaction's coordinator dies (trap 6), and no exception ends a hang.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

EX_TEMPFAIL = 75  # sysexits.h: try again later


def end_process(sentence: str) -> None:
    """Say where each thread stands, then why, and leave without waiting for any of them. A log ends with the sentence."""
    try:
        with suppress(Exception):
            faulthandler.dump_traceback()  # the only trace of a hang: nobody sees it twice
        sys.stderr.write(f"casebus: {sentence}\n")
        sys.stderr.flush()
    finally:
        os._exit(EX_TEMPFAIL)


class Watchdog:
    """`with watchdog:` may last `seconds`; beyond that `end` (`end_process`) is told so, once, from another thread."""

    def __init__(self, seconds: float, end: Callable[[str], None] | None = None) -> None:
        self._seconds = seconds
        self._end = end or end_process
        self._deadline: float | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def __enter__(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="casebus-watchdog", daemon=True)
            self._thread.start()
        self._deadline = time.monotonic() + self._seconds

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._deadline = None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        """Looks a few times within the limit instead of being told: arming must cost nothing."""
        with self._changed:
            while not self._closed:
                self._changed.wait(self._seconds / 10)
                if self._late():
                    self._end(f"A transaction has lasted more than {self._seconds:g} s. This process ends; start it again.")
                    return

    def _late(self) -> bool:
        deadline = self._deadline
        return deadline is not None and time.monotonic() > deadline
