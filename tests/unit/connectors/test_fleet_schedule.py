"""Who is due when, and how many threads there are for it."""

from __future__ import annotations

import threading

import pytest
from fleet_world import Time

from connectors import fleet_schedule
from connectors.fleet_schedule import BASE, Hands, Schedule


def schedule() -> tuple[Schedule, Time]:
    time = Time()
    return Schedule(time), time


def test_who_has_been_due_longest_comes_first() -> None:
    """Nobody before his time."""
    due, time = schedule()
    due.wake("late", 5)
    due.wake("early", 2)
    assert due.take() is None
    time.at = 6
    assert [due.take(), due.take(), due.take()] == ["early", "late", None]


def test_waking_brings_forward_and_never_puts_off() -> None:
    """A source that calls is looked at now; the look it had coming is that one."""
    due, time = schedule()
    due.wake("one", 60)
    due.wake("one")
    due.wake("one", 30)
    assert due.take() == "one"
    due.done("one", None)
    time.at = 100
    assert due.take() is None


def test_one_at_work_is_given_out_once_and_comes_again_when_it_was_woken() -> None:
    """Passes of one connector never run side by side, and no call is forgotten."""
    due, time = schedule()
    due.wake("one")
    assert due.take() == "one"
    due.wake("one")
    assert due.take() is None
    due.done("one", 60)
    assert due.take() == "one"
    due.done("one", 60)
    assert due.take() is None
    time.at = 60
    assert due.take() == "one"


def test_how_long_the_first_one_has_waited() -> None:
    """That is what another thread is made for."""
    due, time = schedule()
    assert due.waited() == 0
    due.wake("one", 1)
    time.at = 4
    assert due.waited() == 3
    assert due.take() == "one"
    assert due.waited() == 0


def test_threads_come_when_somebody_waits_and_those_that_hang_stop_nobody() -> None:
    """Sources that hang take up the threads there are; the next connector gets one more, up to a limit."""
    due, time = schedule()
    hang, done = threading.Event(), threading.Event()

    def work(name: str) -> float | None:
        if name == "sound":
            done.set()
        else:
            hang.wait(10)
        return None

    hands = Hands(due, work, most=BASE + 1)
    for number in range(BASE):
        due.wake(f"hangs{number}")
    hands.tend()
    _until_taken(due)
    due.wake("sound")
    hands.tend()
    assert not done.wait(0.01)
    time.at += fleet_schedule.PATIENCE + 1
    hands.tend()
    assert done.wait(5)
    due.wake("hangs-too")
    due.wake("waits", 0.1)
    time.at += 100
    hands.tend()
    _until_taken(due, left=1)
    time.at += 100
    assert hands.pressed
    hang.set()
    hands.close(5)


def _until_taken(due: Schedule, left: int = 0) -> None:
    """Until the threads have taken what they can."""
    pause = threading.Event()
    while len(due._due) > left:
        pause.wait(0.001)


def test_a_turn_that_fails_is_not_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner that could not be closed; the thread that met it goes on too."""
    monkeypatch.setattr(fleet_schedule, "PATIENCE", 0.0)
    monkeypatch.setattr(fleet_schedule, "BASE", 1)
    due = Schedule()
    twice, turns = threading.Event(), 0

    def work(_: str) -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise OSError("the source does not close")
        twice.set()

    hands = Hands(due, work, most=1)
    due.wake("one")
    hands.tend()
    assert twice.wait(5)
    hands.close(5)
