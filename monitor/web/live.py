"""One poller for all watchers: it looks whether the view has moved, and keeps the picture of the open cases at hand.

Every watcher is shown the same picture, so a second watcher costs nothing. A round takes at most a third of one core:
after one that took t seconds it rests for 2 t.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from math import ceil
from typing import Any

from sqlalchemy import Select, select

from bus.topics import STATE
from monitor import tables
from monitor.chunks import chunks
from monitor.lights import Clockwork
from monitor.times import local_date
from monitor.view import Snapshot, View
from monitor.web.counts import COUNTED, NOTHING, counts
from monitor.web.glance import glances, is_open, open_glances
from monitor.web.picture import Picture
from monitor.web.poller import Poller
from monitor.web.standing import Standing

#: Seconds between two looks whether the view has moved.
EVERY = 0.15
#: A round that took t seconds is followed by a rest of so many t.
REST = 2
#: Seconds between two counts of the trend and the like; after one of t seconds at least so many t.
COUNT, COUNT_REST = 2.0, 20
#: Seconds in which everything is read again, a few cases at a time, because clocks move without any event.
ANEW = 600
_AT_ONCE = 500
_EMPTY = Picture(0, 0, ())

#: How far the view has read: next offset by topic and partition.
Positions = dict[tuple[str, int], int]


class Live:
    """`picture` is the newest; its `version` grows by one with every change."""

    def __init__(self, view: View, clockwork: Clockwork, now: Callable[[], int]) -> None:
        self._view, self._clockwork, self._now = view, clockwork, now
        self._open = Standing()
        self._due: list[str] = []
        self._positions: Positions | None = None
        self._day: date | None = None
        self._renewed = self._count_again = 0.0
        self._counts = NOTHING
        self._counted: tuple[Positions, date | None] | None = None
        self._poller = Poller("poller", self.look, EVERY, REST)
        self.picture: Picture = _EMPTY
        #: When the view was last looked at, in seconds since 1970.
        self.looked = 0.0

    def start(self) -> None:
        """The first picture is there when this returns."""
        self.look()
        self._poller.start()

    def stop(self) -> None:
        self._poller.stop()

    def look(self) -> bool:
        """Make a new picture if the view has moved or the day has changed; returns whether it did."""
        with self._view.snapshot() as snapshot:
            positions, now = _positions(snapshot), self._now()
            self.looked = time.time()
            moved = self._follow(snapshot, positions, now)
            counted = self._count(snapshot, positions, now)
            if moved or counted:
                self.picture = self._made(now)
        return moved or counted

    def _follow(self, snapshot: Snapshot, positions: Positions, now: int) -> bool:
        """Bring the open cases up to these positions; returns whether anything came, or a clock has moved."""
        if self._positions is None or local_date(now, self._clockwork.zone) != self._day:
            self._open = Standing(open_glances(snapshot, self._clockwork, now))
            self._day, self._renewed = local_date(now, self._clockwork.zone), time.monotonic()
            self._positions, self._due = positions, self._open.keys
            return True
        moved = self._renew(snapshot, now)
        if positions != self._positions:
            since = {place: self._positions.get(place, 0) for place in positions}
            self._take(snapshot, _changed(snapshot, since), now)
            self._positions, moved = positions, True
        return moved

    def _renew(self, snapshot: Snapshot, now: int) -> bool:
        """Read the next few again, because clocks move without any event; all of them have had their turn after ANEW."""
        elapsed, self._renewed = time.monotonic() - self._renewed, time.monotonic()
        self._due = self._due or self._open.keys
        few = ceil(len(self._due) and len(self._open.ordered) * elapsed / ANEW)
        keys, self._due = self._due[:few], self._due[few:]
        return self._take(snapshot, keys, now)

    def _take(self, snapshot: Snapshot, changed: Iterable[str], now: int) -> bool:
        moved = False
        for keys in chunks(changed, _AT_ONCE):
            found = glances(snapshot.all(_states(keys)), self._clockwork, now)
            moved |= self._open.change(keys, [one for one in found if is_open(one, now)])
        return moved

    def _count(self, snapshot: Snapshot, positions: Positions, now: int) -> bool:
        """The counts may lag behind the cases: at once would cost more than it is worth."""
        began = time.monotonic()
        if (positions, self._day) == self._counted or began < self._count_again:
            return False
        self._counts = counts(snapshot, self._clockwork.zone, now)
        self._counted = positions, self._day
        self._count_again = time.monotonic() + max(COUNT, COUNT_REST * (time.monotonic() - began))
        return True

    def _made(self, now: int) -> Picture:
        opened = self._open
        return Picture(now, self.picture.version + 1, opened.ordered, False, *self._counts, opened.tallies, opened.taken)


def _positions(snapshot: Snapshot) -> Positions:
    table = tables.offsets.c
    return {
        (row.topic, row.partition): row.next_offset
        for row in snapshot.all(select(table.topic, table.partition, table.next_offset))
    }


def _changed(snapshot: Snapshot, since: Positions) -> Iterator[str]:
    """Keys of cases whose state stands at or behind these positions of its topic."""
    table = tables.cases.c
    for (topic, partition), offset in since.items():
        if topic == STATE.name:
            query = select(table.case_key).where(table.state_partition == partition, table.state_offset >= offset)
            yield from (row.case_key for row in snapshot.all(query))


def _states(keys: Iterable[str]) -> Select[Any]:
    return select(tables.cases.c.state).where(tables.cases.c.case_key.in_(list(keys)), *COUNTED)
