"""Sets in, differences out: source against bus, bus against journal. Pure.

Marks (64 bits an event) say whether two sides agree; only the facts behind marks that one side lacks are looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from casebus.audit.facts import Difference, Fact, Refused, Side

LOST = "the source holds this event, the bus does not: run casebus connect; if it stays so, a position ran ahead of its events"
ANOTHER = "the source and the bus say different things under one event id: the row was changed without a new version"
GONE = "the bus holds this event, its source no longer does: the row was deleted or rewritten there"
UNTOLD = "row {position} of {system} cannot be used ({reason}), and no dead letter tells of it"
UNRECORDED = "the bus holds this event, the journal does not, and no dead letter tells of it: the router lost it"


def sent(missing: Iterable[Fact], on_bus: Collection[str]) -> Iterator[Difference]:
    """Facts of the sources whose marks the bus lacks; `on_bus` are the event ids it has of these."""
    for fact in missing:
        yield _difference(fact, Side.BUS, ANOTHER if fact.event_id in on_bus else LOST)


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
