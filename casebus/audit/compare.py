"""Sets in, differences out: source against bus, bus against journal. Pure.

Marks (64 bits an event) say whether two sides agree; only the facts behind marks that one side lacks are looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from casebus.audit.facts import Difference, Fact, Refused, Side

LOST = "the source holds this event, the bus does not: run casebus connect; if it stays so, a position ran ahead of its events"
ANOTHER = "the source and the bus say different things under one event id: the row was changed without a new version"
REFUSED = "a dead letter tells that this row could not be used, and now it could be: let the connector read it again"
GONE = "the bus holds this event, its source no longer does: the row was deleted or rewritten there"
UNTOLD = "row {position} of {system} cannot be used ({reason}), and no dead letter tells of it"
UNRECORDED = "the bus holds this event, the journal does not, and no dead letter tells of it: the router lost it"


class Told(NamedTuple):
    """What the dead letters say of rows, by the place of the row: refused by the mapping, or unfit for the bus."""

    refused: Collection[int] = ()
    unfit: Collection[int] = ()


def sent(missing: Iterable[Fact], on_bus: Collection[str], letters: Told = Told()) -> Iterator[Difference]:  # noqa: B008  immutable
    """Facts of the sources whose marks the bus lacks; `on_bus` are the event ids it has of these."""
    for fact in missing:
        if fact.event_id in on_bus:
            yield _difference(fact, Side.BUS, ANOTHER)
        elif fact.place not in letters.unfit:
            yield _difference(fact, Side.BUS, REFUSED if fact.place in letters.refused else LOST)


def vanished(extra: Iterable[Fact], versions: Mapping[str, int], in_source: Collection[str]) -> Iterator[Difference]:
    """Facts of the bus that no source tells any more, unless the source now holds a higher version of the row.

    `versions` is the highest version of each row in the sources. An event id that a source still has was told by `sent`.
    """
    for fact in extra:
        if fact.event_id not in in_source and versions.get(fact.origin, 0) <= fact.version:
            yield _difference(fact, Side.BUS, GONE)


def refused(rows: Iterable[Refused], letters: Collection[int]) -> Iterator[Difference]:
    """Rows of the sources that cannot be used and have no dead letter."""
    for row in rows:
        if row.mark not in letters:
            yield Difference("", "", Side.DEAD_LETTERS, UNTOLD.format(**row._asdict()))


def recorded(missing: Iterable[Fact], refused_ids: Collection[str]) -> Iterator[Difference]:
    """Facts of the bus whose marks the journal lacks, unless a dead letter tells of them."""
    for fact in missing:
        if fact.event_id not in refused_ids:
            yield _difference(fact, Side.JOURNAL, UNRECORDED)


def _difference(fact: Fact, side: Side, cause: str) -> Difference:
    return Difference(fact.case, fact.day, side, cause, fact.event_id)
