"""How the connectors stand, for the page: asked of the bus once for all who look, with the time and the fault in words."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bus.errors import BusError
from monitor.web.access import Right
from monitor.web.frame import Visit
from monitor.web.operators import Operators
from monitor.web.words import Words

#: Seconds that an answer holds.
HOLDS = 2.0
SECOND = 1_000_000
#: The lamp of each state; what nobody runs has none.
LAMPS = {"RUNNING": "green", "RESTARTING": "yellow", "FAILED": "red", "PAUSED": "none", "UNATTENDED": "none"}
#: What can be ordered in a state.
ORDERS = {"PAUSED": ("resume",)}
ALWAYS = ("pause", "restart")


class Told(NamedTuple):
    """One connector as it stands. Times are microseconds UTC, 0 where there is none; `fault`: why it stands.

    `stale` is what is wrong with its file, while the former contents run on.
    """

    name: str
    state: str
    worker: str
    since: int
    passed: int
    due: int
    rows: int
    letters: int
    fault: str
    stale: str = ""
    kind: str = ""
    about: str = ""

    @property
    def lamp(self) -> str:
        return "yellow" if self.stale and self.state == "RUNNING" else LAMPS.get(self.state, "none")

    @property
    def orders(self) -> tuple[str, ...]:
        return ORDERS.get(self.state, ALWAYS)


class Answer(NamedTuple):
    """All of them by name, or why nobody knows; `away`: no bus runs."""

    told: Mapping[str, Told] = {}
    fault: str = ""
    away: bool = False


class Fleet:
    """The connectors of a deployment; may be asked from several threads."""

    def __init__(self, operators: Operators | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._operators, self._clock = operators, clock
        self._lock = threading.Lock()
        self._answer, self._until = Answer(), 0.0

    def look(self, again: bool = False) -> Answer:
        """What was found lately, or with `again` what is found now; waits for Kafka, so it is no call for a page's own thread."""
        with self._lock:
            if again or self._clock() >= self._until:
                self._answer = self._asked()
                self._until = self._clock() + HOLDS
            return self._answer

    def _asked(self) -> Answer:
        if self._operators is None:
            return Answer()
        if not self._operators.reachable():
            return Answer(away=True)
        try:
            return Answer({one["name"]: _told(one) for one in self._operators.standings()})
        except BusError as error:
            return Answer(fault=str(error))


def _told(one: Mapping[str, Any]) -> Told:
    known = {name: one[name] for name in Told._fields if name in one}
    return Told(**known | {"state": str(one["state"]), "fault": one["error"], "stale": one["file_error"]})


def watches(seen: Visit) -> bool:
    """Connectors belong to no region, and how they stand is a matter of now."""
    return seen.site.operators is not None and seen.scope is None and seen.view.when.at is None


def may_order(seen: Visit) -> bool:
    return watches(seen) and seen.view.user.may(Right.OPERATE)


def ago(now: int, at: int, words: Words) -> str:
    """How long ago, in the largest unit that fits; empty where it never was."""
    if not at:
        return ""
    seconds = max(0, now - at) // SECOND
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= size:
            return words(f"ago.{unit}", n=seconds // size)
    return words("ago.now")
