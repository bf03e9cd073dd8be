"""What is drawn or written out once for all who see the same: the parts of an open page, the answers of the API.

A question must name whatever an answer rests on beside the state: whose regions, which role, which language (`Visit.sight`).

An answer holds for a moment although the state has moved on: one that took t seconds of a core for at least `REST` times t,
and, where the machine is behind, for as long as it took. So no question takes more than a sixth of a core, however often
the view moves and however many ask, and a machine that is behind is asked less.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, NamedTuple, TypeVar

#: Questions kept; the one not asked for the longest goes first.
KEPT = 256
#: How long an answer holds, in times of what it took of a core, and at most, in seconds.
REST, MOST = 5, 1.0
#: Seconds for which an answer is good enough to begin with: an open page looks again at once.
LATELY = 2.0

T = TypeVar("T")
_NONE = object()


class Made(NamedTuple, Generic[T]):
    """An answer, and the state it is of."""

    value: T
    state: Hashable


class Took(NamedTuple):
    """What the time is now, in seconds: on the machine's monotonic clock, and of a core by this thread."""

    wall: float
    core: float

    @classmethod
    def now(cls) -> Took:
        return cls(time.monotonic(), time.thread_time())


class _Answer:
    """`lock` is held by who makes it: who asks the same meanwhile waits for that one, and nobody else does."""

    __slots__ = ("at", "holds_until", "lock", "made")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: Made[Any] = Made(None, _NONE)
        self.at = self.holds_until = 0.0

    def good(self, state: Hashable, now: float) -> bool:
        return self.made.state == state or now < self.holds_until

    def make(self, state: Hashable, make: Callable[[], Any], clock: Callable[[], Took]) -> None:
        began = clock()
        self.made = Made(make(), state)
        end = clock()
        self.at = end.wall
        self.holds_until = end.wall + min(MOST, max(REST * (end.core - began.core), end.wall - began.wall))


class Shared:
    """The newest answer to each question. `clock` is another one in tests."""

    def __init__(self, kept: int = KEPT, clock: Callable[[], Took] = Took.now) -> None:
        self._most, self._clock = kept, clock
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[Any]] = {}
        self._lock = threading.Lock()

    def of(self, question: Hashable, state: Hashable, make: Callable[[], T]) -> Made[T]:
        """The answer in this state, or one that still holds; made by the first who asks."""
        answer = self._place(question)
        with answer.lock:
            if not answer.good(state, self._clock().wall):
                answer.make(state, make, self._clock)
            return answer.made

    async def soon(
        self, question: Hashable, state: Hashable, beside: Callable[[], Coroutine[Any, Any, Made[T] | None]]
    ) -> Made[T] | None:
        """As `of`, which `beside` asks in a thread of its own; all who ask meanwhile wait for that one, in no thread."""
        if found := self.ready(question, state):
            return found
        under_way = self._making.get(question)
        if under_way is None:
            under_way = self._making[question] = asyncio.ensure_future(beside())
            under_way.add_done_callback(lambda _: self._making.pop(question, None))
        made: Made[T] | None = await asyncio.shield(under_way)
        return made

    def ready(self, question: Hashable, state: Hashable) -> Made[Any] | None:
        """The answer in this state, or one that still holds, if somebody has made it."""
        found = self._answers.get(question)
        if found is None or found.lock.locked() or not found.good(state, self._clock().wall):
            return None
        return found.made

    def latest(self, question: Hashable) -> Made[Any] | None:
        """An answer of the last moment, whatever has moved since then."""
        found = self._answers.get(question)
        return found.made if found and found.at and self._clock().wall - found.at < LATELY else None

    def _place(self, question: Hashable) -> _Answer:
        with self._lock:
            found = self._answers.setdefault(question, _Answer())
            self._answers.move_to_end(question)
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return found
