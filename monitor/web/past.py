"""Pictures of past moments: every case folded as of then, kept for the next one who asks."""

from __future__ import annotations

import threading
from collections import OrderedDict

from monitor.statistics.compute import Inputs
from monitor.statistics.source import Window, known
from monitor.view import View
from monitor.web.glance import glance
from monitor.web.picture import Picture, counted_days, worst_first

#: Pictures kept; the one not asked for the longest goes first.
KEPT = 8


class Past:
    """One picture is made at a time, and made anew when what it rests on has changed."""

    def __init__(self, view: View, inputs: Inputs) -> None:
        self._view, self._inputs = view, inputs
        self._kept: OrderedDict[tuple[Window, int], Picture] = OrderedDict()
        self._lock = threading.Lock()

    def picture(self, window: Window, at: int, state: int) -> Picture:
        """As of `at`; takes about a minute for a million events that lie beyond it. `state` changes with what it rests on."""
        with self._lock:
            key = (window, state)
            if key not in self._kept:
                self._kept[key] = self._made(window, at)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _made(self, window: Window, at: int) -> Picture:
        inputs = self._inputs
        with self._view.snapshot() as snapshot:
            cases = (one.case for one in known(snapshot, inputs.reader, inputs.folding, window))
            found = [glance(case, inputs.clockwork, at) for case in cases if case is not None and case.opened]
        came, went = counted_days(found, inputs.clockwork.zone)
        return Picture(at, 1, worst_first(found), whole=True, applied=came, ended=went)
