"""How a service is, told from inside its main loop: whether it still turns, what it waits for, what it has done."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from bus.ports import Partition

#: Seconds without a turn after which a loop is taken for dead: twice what a transaction may last before its own watchdog ends it.
DEAD = 120.0


class Pulse(NamedTuple):
    """`silent` are the seconds since the loop last turned; `missing` says what it waits for, and is empty when it is ready.

    `figures` are numbers by name; those whose name ends with `_total` only grow.
    """

    silent: float
    missing: str = ""
    figures: Mapping[str, float] = {}

    @property
    def alive(self) -> bool:
        return self.silent < DEAD

    @property
    def ready(self) -> bool:
        return self.alive and not self.missing


Asked = Callable[[], Pulse]


def unread(positions: Mapping[Partition, int], ends: Mapping[Partition, int]) -> float:
    """Records between what has been read and the end. One alone is the mark that ends a transaction: it is no record, and nobody
    who reads a partition to its last record stands behind it.
    """
    rests = (end - positions.get(place, 0) for place, end in ends.items())
    return float(sum(rest for rest in rests if rest > 1))


class Beat:
    """Kept by a loop: `turn` at each turn, `busy` around what may take minutes, such as a store that catches up."""

    def __init__(self, missing: str) -> None:
        self.missing = missing
        self._clock = time.monotonic
        self._at = self._clock()
        self._busy = ""
        self._done: Counter[str] = Counter()
        self._lock = threading.Lock()

    def turn(self) -> None:
        self._at = self._clock()

    def count(self, **figures: int) -> None:
        with self._lock:  # asked from another thread, which must not meet a counter that grows
            self._done.update(figures)

    @contextmanager
    def busy(self, missing: str) -> Iterator[None]:
        """It is alive however long this lasts, and not ready."""
        self._busy = missing
        try:
            yield
        finally:
            self._busy = ""
            self.turn()

    def pulse(self, **figures: float) -> Pulse:
        """As it is now, with these figures beside what was counted."""
        busy = self._busy
        silent = 0.0 if busy else self._clock() - self._at
        with self._lock:
            counted = {f"{name}_total": float(number) for name, number in self._done.items()}
        return Pulse(silent, busy or self.missing, counted | figures)
