"""Calls that may never come back."""

from __future__ import annotations

import threading
import weakref

import pytest

from bus.bounded import Bounded


def test_what_a_call_returns_or_raises_comes_out_where_it_was_asked():
    calls: Bounded[int] = Bounded()
    assert calls.call(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        calls.call(lambda: 1 // 0, 5)
    assert calls.call(lambda: 8, 5) == 8
    calls.close()


def test_a_call_that_hangs_is_given_up():
    """Its thread ends when it comes back."""
    hang, ended = threading.Event(), threading.Event()
    calls: Bounded[bool] = Bounded()

    def ask() -> bool:
        thread.append(threading.current_thread())
        return hang.wait(30) and not ended.set()

    thread: list[threading.Thread] = []
    with pytest.raises(TimeoutError):
        calls.call(ask, 0.02)
    calls.close()
    hang.set()
    thread[0].join(5)
    assert ended.is_set()
    assert not thread[0].is_alive()


def test_nothing_of_a_call_is_kept():
    """librdkafka's producer is freed when it is closed, not with the next call."""

    class Held:
        def ask(self) -> None:
            """Nothing."""

    calls: Bounded[None] = Bounded()
    held = Held()
    seen = weakref.ref(held)
    calls.call(held.ask, 5)
    del held
    assert seen() is None
    calls.close()
