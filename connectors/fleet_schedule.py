"""Who is due when, and the threads that do it: few while all is quiet, more when some take long, never two for one connector."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

BASE, MOST = 4, 32  # threads: always there, and at most
PATIENCE = 1.0  # seconds that one who is due may wait before another thread is made
SPARE = 30.0  # seconds without work after which a thread beyond the base ends


class Schedule:
    """Names with the time at which each is due, for any number of threads. `now` is in seconds, on a clock of its own."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._open = True
        self._changed = threading.Condition()

    def wake(self, name: str, after: float = 0.0) -> None:
        """Due in so many seconds at the latest; one at work is due again when it is done."""
        with self._changed:
            if name in self._busy:
                self._again.add(name)
            else:
                self._put(name, self._now() + after)

    def take(self, timeout: float | None = 0.0) -> str | None:
        """Who has been due longest, now at work; None when nobody became due in so many seconds (None: ever), or it is closed."""
        until = None if timeout is None else self._now() + timeout
        with self._changed:
            while self._open:
                now = self._now()
                first = self._first()
                if first is not None and first[0] <= now:
                    return self._begin(first[1])
                if until is not None and now >= until:
                    return None
                times = [at for at in (first and first[0], until) if at is not None]
                self._changed.wait(min(times) - now if times else None)
        return None

    def done(self, name: str, after: float | None) -> None:
        """It is not at work any more, and due in so many seconds; None: when it is woken."""
        with self._changed:
            self._busy.discard(name)
            if name in self._again:
                self._again.discard(name)
                self._put(name, self._now())
            elif after is not None:
                self._put(name, self._now() + after)

    def waited(self) -> float:
        """Seconds that the first one has been due without a thread for it."""
        with self._changed:
            first = self._first()
            return 0.0 if first is None else max(0.0, self._now() - first[0])

    def close(self) -> None:
        """Nobody is given out any more."""
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _put(self, name: str, at: float) -> None:
        if at < self._due.get(name, float("inf")):
            self._due[name] = at
            heapq.heappush(self._heap, (at, name))
            self._changed.notify()

    def _first(self) -> tuple[float, str] | None:
        """Entries of the heap that were brought forward, or are at work, are passed over."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def _begin(self, name: str) -> str:
        del self._due[name]
        self._busy.add(name)
        return name


class Hands:
    """Threads that take from a schedule. `work` gets a name and returns after how many seconds it is due again."""

    def __init__(self, schedule: Schedule, work: Callable[[str], float | None], most: int = MOST) -> None:
        self._schedule = schedule
        self._work = work
        self._most = most
        self._threads: list[threading.Thread] = []

    @property
    def pressed(self) -> bool:
        """Somebody waits, and there are no more threads to be had: whoever is at work for long should make room."""
        return len(self._threads) >= self._most and self._schedule.waited() > PATIENCE

    def tend(self) -> None:
        """One thread more where somebody has waited; those that ended are forgotten."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        wanted = 1 if self._schedule.waited() > PATIENCE else 0
        number = min(self._most, max(BASE, len(self._threads) + wanted))
        for _ in range(number - len(self._threads)):
            self._add(len(self._threads) < BASE)

    def close(self, seconds: float) -> None:
        """Wait for those at work; one that hangs longer is left to the end of the process."""
        self._schedule.close()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _add(self, stays: bool) -> None:
        thread = threading.Thread(target=self._live, args=(None if stays else SPARE,), name="connectors", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _live(self, patience: float | None) -> None:
        while (name := self._schedule.take(patience)) is not None:
            after: float | None = PATIENCE
            try:
                after = self._work(name)
            except Exception:
                log.exception("turn failed", connector=name)
            finally:
                self._schedule.done(name, after)  # whatever happened: at work for ever it would never come again
