"""Sealed personal fields for people's eyes: opened for who may see names and where the process has the key, else masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import or_, select

from bus.errors import BusError
from monitor import tables
from monitor.recorded import Reader
from monitor.view import Snapshot
from schemas.case import Case
from schemas.envelope import Event
from schemas.sealing import Known, Ring, keys_of, unsealed


class Shut(NamedTuple):
    """A ring for who may not see names: it tells what was destroyed, and opens nothing."""

    ring: Ring

    def known(self, name: str) -> Known:
        return Known(destroyed=self.ring.known(name).destroyed)


class Calm:
    """A ring that is asked once for each key, and knows nothing where keys cannot be reached: a case is shown all the same."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._known: dict[str, Known] = {}

    def known(self, name: str) -> Known:
        if name not in self._known:
            try:
                self._known[name] = self._ring.known(name)
            except BusError:
                self._known[name] = Known()
        return self._known[name]


def opened(case: Case, events: Sequence[Event], ring: Ring, *, clear: bool) -> tuple[Case, list[Event]]:
    """A case and its events. What the case says of its applicant was sealed in one of the events, and opens there alone."""
    calm: Ring = Calm(ring)
    told = [unsealed(event, calm if clear else Shut(calm)) for event in events]
    said = (after.body["applicant"] for before, after in zip(events, told, strict=True) if _opens(case, before))
    applicant = next(said, case.applicant)
    return (case if applicant is case.applicant else replace(case, applicant=applicant)), told


def _opens(case: Case, event: Event) -> bool:
    return bool(case.applicant) and event.body.get("applicant") == case.applicant


class Personal(msgspec.Struct, frozen=True):
    """A key by which personal fields of a case are sealed, and whether it was destroyed."""

    key: str
    destroyed: bool


def personal(snapshot: Snapshot, reader: Reader, key: str, ring: Ring) -> list[Personal]:
    """The keys that seal something of a case, by name."""
    calm = Calm(ring)
    names = {name for event in recorded(snapshot, reader, key) for name in keys_of(event)}
    return [Personal(name, calm.known(name).destroyed) for name in sorted(names)]


def recorded(snapshot: Snapshot, reader: Reader, key: str) -> list[Event]:
    """All that was recorded of a case, under its other names too, counted or not."""
    e, cases = tables.events.c, tables.cases.c
    names = select(cases.case_key).where(or_(cases.case_key == key, cases.forwards_to == key))
    return [reader.decode(row.raw) for row in snapshot.all(select(e.raw).where(e.case_key.in_(names)))]
