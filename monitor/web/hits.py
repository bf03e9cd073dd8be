"""What the indicators find now, for the desk: looked for beside the pages, in pauses that grow with the work.

Alerts are what was said at its time, on the bus. These are what holds now, also where no alert is raised: in a replay, or
while history was loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sqlalchemy import func, select

from monitor import tables
from monitor.chunks import chunks
from monitor.gather import LATELY, RATED, all_now, lines, standing, told_of
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
EVERY, REST = 5.0, 10
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
        self.spotted: tuple[Spotted, ...] = ()
        self.version = 0

    def start(self) -> None:
        """The first look is under way when this returns."""
        self._poller.start()

    def stop(self) -> None:
        self._poller.stop()

    def look(self) -> None:
        now = self._now()
        with self._view.snapshot() as snapshot:
            cases = int(snapshot.all(select(func.count()).select_from(tables.cases))[0][0])
            found = [spot for one in self._cases(snapshot, now, cases) for spot in self._of_case(one)]
            about = [hit for line in lines(snapshot, self._clockwork, now) for hit in self._panel.of_department(line)]
        found += [Spotted(hit, "", "", "") for hit in about]
        self.spotted = tuple(sorted(found, key=lambda one: one.urgency))
        self.version += 1

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

    def _cases(self, snapshot: Snapshot, now: int, cases: int) -> Iterator[Seen]:
        gather = all_now if cases <= MANY else standing
        return gather(snapshot, self._clockwork, now)

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
