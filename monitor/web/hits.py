"""What the indicators find now, for the desk: looked for beside the pages, in pauses that grow with the work.

Alerts are what was said at its time, on the bus. These are what holds now, also where no alert is raised: in a replay, or
while history was loaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import select

from monitor import tables
from monitor.chunks import chunks
from monitor.gather import LATELY, RATED, all_now, lines, standing, standing_keys, told_of
from monitor.indicator import Found, Panel
from monitor.lights import ORDER, Clockwork
from monitor.sight import BAD, Seen, Told, seen
from monitor.statistics.compute import Inputs
from monitor.statistics.source import CHUNK, Window, known
from monitor.times import DAY
from monitor.view import Snapshot, View
from monitor.web.poller import Poller
from schemas.case import Case

#: Seconds between two looks; a look of t seconds is followed by a rest of so many t.
EVERY, REST = 0.5, 4
#: Seconds of one look over many cases, and how many of them are asked for at once.
TURN, _FEW = 0.1, 50
#: With more cases than this only what the passing of time changes is looked for.
MANY = 20_000


class Spotted(NamedTuple):
    """A hit, with what is needed to list it; `region` is empty for one about a department."""

    found: Found
    region: str
    item: str
    supervision: str

    @property
    def urgency(self) -> tuple[int, str, float, str]:
        hit = self.found.hit
        return ORDER.index(hit.light), self.found.indicator.name, -hit.value, self.found.case


class Hits:
    """`spotted` are the newest, the worst first; `version` grows with each look."""

    def __init__(self, view: View, clockwork: Clockwork, now: Callable[[], int], panel: Panel) -> None:
        self._view, self._clockwork, self._now, self._panel = view, clockwork, now, panel
        self._poller = Poller("indicators", self.look, EVERY, REST)
        #: By case: what the last round over all cases found, what this one has found, and how far it is.
        self._round: dict[str, tuple[Spotted, ...]] = {}
        self._fresh: dict[str, tuple[Spotted, ...]] = {}
        self._after = ""
        self._about: list[Found] = []
        self.spotted: tuple[Spotted, ...] = ()
        self.version = 0

    def start(self) -> None:
        """The first look is under way when this returns."""
        self._poller.start()

    def stop(self) -> None:
        self._poller.stop()

    def look(self) -> None:
        """Of few cases all at once; of many as long as it is this look's turn, and further at the next one."""
        now = self._now()
        with self._view.snapshot() as snapshot:
            many = snapshot.all(select(tables.cases.c.case_key).limit(1).offset(MANY))
            if many:
                ended = self._some(snapshot, now)
            else:
                self._fresh, ended = self._spots(all_now(snapshot, self._clockwork, now)), True
            if ended:
                self._round, self._fresh, self._after = self._fresh, {}, ""
                self._about = [hit for line in lines(snapshot, self._clockwork, now) for hit in self._panel.of_department(line)]
        found = [spot for spots in (self._round | self._fresh).values() for spot in spots]
        found += [Spotted(hit, "", "", "") for hit in self._about]
        self.spotted = tuple(sorted(found, key=lambda one: one.urgency))
        self.version += 1

    def _some(self, snapshot: Snapshot, now: int) -> bool:
        """The next cases that the passing of time changes; True when there are no more. An event changes one at its turn."""
        until = time.monotonic() + TURN
        while True:
            keys = standing_keys(snapshot, now, self._after, _FEW)
            self._fresh |= dict.fromkeys(keys, ()) | self._spots(standing(snapshot, self._clockwork, now, keys))
            if len(keys) < _FEW:
                return True
            self._after = keys[-1]
            if time.monotonic() >= until:
                return False

    def _spots(self, cases: Iterable[Seen]) -> dict[str, tuple[Spotted, ...]]:
        return {one.case.key: tuple(self._of_case(one)) for one in cases}

    def at(self, inputs: Inputs, window: Window) -> tuple[Spotted, ...]:
        """What they would have found at a past moment, judged by what `window` knows: the worst first.

        Departments are judged only by all that is known today: their history is not kept as it was known.
        """
        now = window.at if window.at is not None else self._now()
        with self._view.snapshot() as snapshot:
            found = [spot for one in _past(snapshot, inputs, window, now) for spot in self._of_case(one)]
            if window.known is None:
                about = (hit for line in lines(snapshot, self._clockwork, now) for hit in self._panel.of_department(line))
                found += [Spotted(hit, "", "", "") for hit in about]
        return tuple(sorted(found, key=lambda one: one.urgency))

    def _of_case(self, one: Seen) -> Iterator[Spotted]:
        case = one.case
        for hit in self._panel.of_case(one):
            yield Spotted(hit, case.region, case.item, case.supervisions[-1] if case.supervisions else "")


def _past(snapshot: Snapshot, inputs: Inputs, window: Window, now: int) -> Iterator[Seen]:
    """Cases that were open then, or had ended lately, with what had been told of them."""
    cases = (one.case for one in known(snapshot, inputs.reader, inputs.folding, window) if one.case is not None)
    for part in chunks((case for case in cases if _of_interest(case, now)), CHUNK):
        told = told_of(snapshot, [case.key for case in part])
        for case in part:
            yield seen(case, [one for one in told.get(case.key, ()) if _known(one, window)], inputs.clockwork, now)


def _of_interest(case: Case, now: int) -> bool:
    """As `monitor.gather.all_now` has it: open, ended lately, or rated badly."""
    bad = case.rating is not None and case.rating >= BAD
    return case.ended_at is None or case.ended_at >= now - (RATED if bad else LATELY) * DAY


def _known(one: Told, window: Window) -> bool:
    return window.known is None or one.received_at <= window.known
