"""What each side tells: the sources read again from the start, and the topics read through. Nothing is published."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple, Protocol

from bus.ports import Client, Partition, Record
from casebus.audit.compare import Told
from casebus.audit.facts import Fact, Refused, digest, fact_of, mark_of, place
from connectors.deadletters import id_of
from connectors.mapping import Rejection, Translator
from connectors.sealed import SealedRows
from connectors.source import Source, SourceRecord
from monitor.rows import Reader
from schemas.envelope import Event
from schemas.handled import Act

_ROWS = 1_000
#: The reason of a connector for an event that its schema does not take.
UNFIT = "does_not_fit"


class System(Protocol):
    """The part of `connectors.config.Connector` that the audit uses."""

    @property
    def name(self) -> str: ...
    @property
    def mapping(self) -> Translator: ...
    @property
    def standing(self) -> bool: ...
    @property
    def once(self) -> abc.Collection[str]: ...
    def open(self, cluster: Client | None = None) -> Source: ...


class Reading(NamedTuple):
    """How sources are read again: as if received at `now`; with `replay` at the source's own report.

    `fact` is what an event says to the audit (`casebus.audit.sealed`).
    """

    now: int
    replay: bool
    zone: tzinfo
    fact: Callable[[Event, tzinfo], Fact] = fact_of


def told_by(system: System, how: Reading, cluster: Client) -> Iterator[Fact | Refused]:
    """Everything a system has, from position zero, translated and not published."""
    source = system.open(cluster)
    try:
        for batch in source.fetch(None, _ROWS):
            for row in batch.records:
                yield from _told(system, row, how)
    finally:
        source.close()


def _told(system: System, row: SourceRecord, how: Reading) -> Iterator[Fact | Refused]:
    mapping = system.mapping
    clear = mapping.inner if isinstance(mapping, SealedRows) else mapping
    found = clear.translate(row, how.now, how.replay)
    if isinstance(found, Rejection):
        yield Refused(system.name, found.position, found.reason)
    elif isinstance(mapping, SealedRows):
        for event, before in mapping.pairs(found):
            yield how.fact(event, how.zone)._replace(before=before.header["body_hash"])
    else:
        yield from (how.fact(event, how.zone) for event in found)


def read_through(client: Client, topic: str) -> Iterator[Record]:
    """Every record of a topic that is committed now."""
    places = dict.fromkeys(client.ends([topic]), 0)
    return (record for batch in client.read(places, until_end=True) for record in batch)


class Letters(NamedTuple):
    """What the dead letters tell of: source rows, events, raw records (as hashes)."""

    rows: set[int]
    events: set[str]
    raws: set[int]
    places: Told


def letters(records: Iterable[Record], reader: Reader, acts: abc.Mapping[str, Sequence[Act]]) -> Letters:
    """`acts` are those on each letter: one that was refused again tells of its row with the new reason too."""
    refused: set[int] = set()
    unfit: set[int] = set()
    found = Letters(set(), set(), set(), Told(refused, unfit))
    for record in records:
        _, letter = reader.decode_record(record.value or b"")
        found.rows.add(Refused(letter["system"], letter["position"], letter["reason"]).mark)
        found.raws.add(raw_digest(letter["raw"]))
        if letter["stage"] == "CONNECTOR":
            (unfit if letter["reason"] == UNFIT else refused).add(place(letter["system"], letter["position"]))
            found.rows.update(_refused_again(letter, acts.get(id_of(record.partition, record.offset), ())))
        if letter["event_id"]:
            found.events.add(letter["event_id"])
    return found


def _refused_again(letter: abc.Mapping[str, Any], acts: Iterable[Act]) -> Iterator[int]:
    return (Refused(letter["system"], letter["position"], act.reason).mark for act in acts if act.reason)


def replayed(acts: abc.Mapping[str, Sequence[Act]]) -> Iterator[int]:
    """Marks of the events that were published for letters: of a row that was mended here, its source knows nothing."""
    return (mark_of(told.id, told.body_hash) for done in acts.values() for act in done for told in act.events)


def raw_digest(raw: bytes) -> int:
    return digest(raw.hex())


def is_marker(record: Record) -> bool:
    """An end-of-input marker: it has no key and says its type in a header."""
    return record.key is None and ("type", b"InputEnded") in record.headers


def last_of_each(records: Iterable[Record], before: abc.Mapping[Partition, int] | None = None) -> dict[bytes, tuple[int, int]]:
    """Where the last record of each key stands (partition, offset), as far as `before`."""
    found: dict[bytes, tuple[int, int]] = {}
    for record in records:
        place = Partition(record.topic, record.partition)
        if before is None or record.offset < before.get(place, 0):
            found[record.key or b""] = record.partition, record.offset
    return found
