"""What time it is for the supervision: the wall's, the replayed stream's, or one that somebody fixed.

The router has no clock; only here does "now" enter, so that last year can be watched as if it were today.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import func, select

from monitor import tables
from monitor.view import View


def clock(mode: str, at: int | None, view: View) -> Callable[[], int]:
    """A function that says what time it is, in microseconds since 1970-01-01 UTC.

    `wall` is this machine's time; `frozen` is `at`; `replay` is `at` where it is given, else the newest receipt.
    """
    if mode == "wall":
        return wall
    if at is not None:
        return lambda: at
    return lambda: replayed(view)


def wall() -> int:
    return time.time_ns() // 1000


def replayed(view: View) -> int:
    """The newest receipt the view knows; 1970 while it is empty."""
    ((newest,),) = view.all(select(func.max(tables.events.c.received_at)))
    return newest or 0
