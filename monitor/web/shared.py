"""What is drawn or written out once for all who see the same: the parts of an open page, the answers of the API.

A question must name whatever an answer rests on beside the state: whose regions, which role, which language (`Visit.sight`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

#: Questions kept; the one not asked for the longest goes first.
KEPT = 256

T = TypeVar("T")
_NONE = object()


class _Answer:
    """`lock` is held by who makes it: who asks the same meanwhile waits for that one, and nobody else does."""

    __slots__ = ("lock", "state", "value")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.state: Hashable = _NONE
        self.value: Any = None


class Shared:
    """The newest answer to each question, for as long as its state is that of the asker."""

    def __init__(self, kept: int = KEPT) -> None:
        self._most = kept
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, question: Hashable, state: Hashable, make: Callable[[], T]) -> T:
        """The answer in this state, which is not None; made by the first who asks."""
        answer = self._place(question)
        with answer.lock:
            if answer.state != state:
                answer.value, answer.state = make(), state
            value: T = answer.value
        return value

    def ready(self, question: Hashable, state: Hashable) -> Any | None:
        """The answer in this state, if somebody has made it."""
        found = self._answers.get(question)
        if found is None or found.lock.locked():
            return None
        return found.value if found.state == state else None

    def _place(self, question: Hashable) -> _Answer:
        with self._lock:
            found = self._answers.setdefault(question, _Answer())
            self._answers.move_to_end(question)
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return found
