"""Work that is done again and again beside the pages, without ever taking more than a share of one core."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from bus.errors import RetryError

#: Seconds to wait after a fault.
FAULT = 5.0


class Poller:
    """Calls `work` every `every` seconds; after a round that took t seconds of a core it rests for at least `rest` times t.

    What else a round took it waited, for a database or a machine that is behind: that long it rests, too.
    """

    def __init__(self, name: str, work: Callable[[], object], every: float, rest: float) -> None:
        self._name, self._work, self._every, self._rest = name, work, every, rest
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"casebus-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        pause = self._every
        while not self._stop.wait(pause):
            began, worked = time.monotonic(), time.thread_time()
            self._round()
            core = time.thread_time() - worked
            pause = max(self._every, self._rest * core, time.monotonic() - began - core)

    def _round(self) -> None:
        log = structlog.get_logger("casebus.page")
        try:
            self._work()
        except RetryError as error:
            log.warning("the view did not answer; trying again", work=self._name, reason=str(error))
        except Exception:
            # a thread that dies would leave a page that looks alive
            log.exception("failed in the background; trying again", work=self._name)
            self._stop.wait(FAULT)
