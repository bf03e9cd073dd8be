"""Answers that take a pass over the whole view: counted once for all who ask, one at a time, and kept.

An answer of the present is counted anew when the view has moved and some time has gone by: after one that took t seconds at
least `REST` times t, so that figures never take more than a share of one core.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

#: Seconds that an answer of the present holds at least, and rest after one that took its time.
EVERY, REST = 5.0, 20
#: Answers kept; the one not asked for the longest goes first.
KEPT = 64

T = TypeVar("T")


class _Answer(NamedTuple):
    value: Any
    state: int
    #: On the machine's monotonic clock, in seconds.
    holds_until: float


class Counted:
    """Kept answers, by question."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, kept: int = KEPT) -> None:
        self._clock, self._most = clock, kept
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, question: Hashable, state: int, count: Callable[[], T]) -> T:
        """The answer; `state` grows with whatever the view reads, and is always the same where nothing can change it."""
        known = self._known(question, state)
        if known is None:
            with self._lock:
                known = self._known(question, state) or self._count(question, state, count)
        value: T = known.value
        return value

    def _known(self, question: Hashable, state: int) -> _Answer | None:
        found = self._answers.get(question)
        return found if found and (found.state == state or self._clock() < found.holds_until) else None

    def _count(self, question: Hashable, state: int, count: Callable[[], Any]) -> _Answer:
        began = self._clock()
        value, end = count(), self._clock()
        made = _Answer(value, state, end + max(EVERY, REST * (end - began)))
        self._answers[question] = made
        self._answers.move_to_end(question)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return made
