"""The figures as one value, and as JSON."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import msgspec

from monitor.mask import masked
from monitor.statistics.cases import CaseFigures
from monitor.statistics.handover import People
from monitor.statistics.log import LogFigures
from monitor.times import iso


class Statistics(msgspec.Struct, frozen=True):
    """`as_of` and `known` are microseconds since 1970-01-01 UTC; `known` None: all that was received."""

    as_of: int
    known: int | None
    cases: CaseFigures
    log: LogFigures
    #: Records refused on the way, by reason.
    dead_letters: dict[str, int]

    def to_json(self, zone: tzinfo, *, clear: bool = False) -> dict[str, Any]:
        """For programs. People are masked unless `clear`."""
        log = msgspec.to_builtins(self.log)
        diary = log["diary"]
        diary.update({name: iso(diary[name], zone) for name in ("first_event", "last_event")})
        if not clear:
            log["passing"]["by_resource"] = msgspec.to_builtins(disguised(self.log.passing.by_resource))
        log["flow"]["by_activity"] = log["flow"].pop("activities")
        return {
            "as_of": iso(self.as_of, zone),
            "known": iso(self.known, zone),
            "cases": self.log.cases,
            "provisional": len(self.cases.provisional),
            "events": self.log.events,
            "activities": len(self.log.flow.activities),
            "departments": len(self.log.passing.by_department),
            "resources": self.log.passing.by_resource.number,
            "clocks": msgspec.to_builtins(self.cases),
            **{name: value for part in ("throughput", "flow", "passing", "diary") for name, value in log[part].items()},
            "quality": log["quality"],
            "at": log["open_at"],
            "dead_letters": self.dead_letters,
        }


def disguised(people: People) -> People:
    """The same figures under masked names; a number keeps apart two people whose masked names are equal."""
    names = {name: f"{masked(name)} {number}" for number, name in enumerate(people.events, 1)}
    return People(
        number=people.number,
        events={names[name]: count for name, count in people.events.items()},
        events_without=people.events_without,
        handovers=[
            msgspec.structs.replace(pair, source=names[pair.source], target=names[pair.target]) for pair in people.handovers
        ],
    )
