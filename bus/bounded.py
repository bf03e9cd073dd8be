"""Calls that a library may never come back from, given up after a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Bounded(Generic[T]):
    """One thread that makes the calls, one after the other. Once a call was given up there is nothing but `close`.

    A call that hangs keeps its thread, and what it refers to, until it returns: so this is for calls that hang seldom,
    in a process that ends when it happens too often (`bus.transaction.Limits.failures`). A call costs about 50
    microseconds more than without: twice in a transaction.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], T] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
        threading.Thread(target=self._serve, name="casebus-bounded", daemon=True).start()

    def call(self, ask: Callable[[], T], seconds: float) -> T | None:
        """What `ask` returns or raises. Raises TimeoutError when it has not done so within `seconds`."""
        self._calls.put(ask)
        try:
            answer, error = self._answers.get(timeout=seconds)
        except Empty:
            raise TimeoutError from None
        if error is not None:
            raise error
        return answer

    def close(self) -> None:
        """The thread ends, now or when its call comes back. Waits for nothing."""
        self._calls.put(None)

    def _serve(self) -> None:
        while (ask := self._calls.get()) is not None:
            answer = _answer(ask)
            del ask  # what it refers to is not kept until the next call
            self._answers.put(answer)


def _answer(ask: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    try:
        return ask(), None
    except BaseException as error:  # noqa: BLE001  raised where the call was asked for
        return None, error
