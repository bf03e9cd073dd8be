"""What the audit holds against each other: facts, refusals, differences. Hashes stay in memory, bodies do not."""

from __future__ import annotations

import hashlib
from datetime import tzinfo
from enum import StrEnum
from typing import NamedTuple

from monitor.times import local_date
from schemas.envelope import Event


class Side(StrEnum):
    """Where the difference shows: the later of the two that are compared."""

    BUS = "bus"
    JOURNAL = "journal"
    STATE = "state"
    VIEW = "view"
    DEAD_LETTERS = "dead letters"


class Fact(NamedTuple):
    """One event as one side tells it.

    `day` is the local date it happened on, `origin` and `version` are its source row, `position` is where that row stands.
    """

    case: str
    day: str
    event_id: str
    body_hash: str
    origin: str
    version: int
    position: str = ""
    #: The body's hash as it was before the connector sealed personal fields; empty where it does not seal.
    before: str = ""

    @property
    def mark(self) -> int:
        """64 bits that stand for the event and what it says."""
        return mark_of(self.event_id, self.body_hash)

    @property
    def place(self) -> int:
        """64 bits that stand for the place of its row in its source."""
        return place(self.origin.partition("/")[0], self.position)


class Refused(NamedTuple):
    """A source row that cannot be used, by the place its dead letter must name."""

    system: str
    position: str
    reason: str

    @property
    def mark(self) -> int:
        return digest("\x1f".join(self))


class Difference(NamedTuple):
    """One difference, for people: which case, which day, between whom, and what it means."""

    case: str
    day: str
    side: Side
    cause: str
    event_id: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.case or "(no case)", self.day, f"[{self.side}]", self.cause) if part)


def mark_of(event_id: str, body_hash: str) -> int:
    return digest(event_id + body_hash)


def place(system: str, position: str) -> int:
    return digest(f"{system}\x1f{position}")


def digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def fact_of(event: Event, zone: tzinfo) -> Fact:
    header = event.header
    day = local_date(event.occurred_at, zone).isoformat()
    return Fact(event.case, day, event.id, header["body_hash"], event.origin, header["version"], header["source"]["position"])
