"""The supervision of a replay: it speaks about what stands at the replayed moment, once the records have stopped coming.

Before that half a life would be judged as if it were all of it, and the receivers told of alerts that are withdrawn
a moment later.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import select

from bus.errors import RetryError
from monitor import tables
from monitor.alerts import Judge
from monitor.rows import Rows
from monitor.service import Watcher
from monitor.view import View

#: Seconds without a record after which what has come counts as all there is.
QUIET = 5.0


class Afterwards:
    """A `watcher` for `monitor.service.Service`: `speaker` has its turn when it was quiet, and no sooner.

    The cases that changed meanwhile are judged first, so that what proves wrong is withdrawn; at the beginning those about
    which something was said before.
    """

    def __init__(self, view: View, judge: Judge, speaker: Watcher, tick: Callable[[], float] = time.monotonic) -> None:
        self._view, self._judge, self._speaker, self._tick = view, judge, speaker, tick
        table = tables.alerts.c.case_key
        self._changed = {row.case_key for row in view.all(select(table).where(table != "").distinct())}
        self._since = tick()

    def __call__(self, rows: Rows) -> None:
        if rows.inserts or rows.replaced:
            self._changed.update(rows.replaced)
            self._since = self._tick()
        elif self._tick() - self._since >= QUIET:
            self._settle()
            self._speaker(rows)

    def _settle(self) -> None:
        if not self._changed:
            return
        try:
            with self._view.writing() as connection:
                self._judge.after_batch(connection, Rows({}, sorted(self._changed)))
        except RetryError:  # another thread was writing: the same cases come again
            return
        self._changed.clear()
