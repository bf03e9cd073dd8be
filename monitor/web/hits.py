"""What the indicators find now, for the desk: looked for beside the pages, in pauses that grow with the work.

Alerts are what was said at its time, on the bus. These are what holds now, also where no alert is raised: in a replay, or
while history was loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sqlalchemy import func, select

from monitor import tables
from monitor.gather import all_now, lines, standing
from monitor.indicator import Found, Panel
from monitor.lights import ORDER, Clockwork
from monitor.sight import Seen
from monitor.view import Snapshot, View
from monitor.web.poller import Poller

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

    def _cases(self, snapshot: Snapshot, now: int, cases: int) -> Iterator[Seen]:
        gather = all_now if cases <= MANY else standing
        return gather(snapshot, self._clockwork, now)

    def _of_case(self, one: Seen) -> Iterator[Spotted]:
        case = one.case
        for hit in self._panel.of_case(one):
            yield Spotted(hit, case.region, case.item, case.supervisions[-1] if case.supervisions else "")
