"""Records of the journal and of the dead letters as rows: only the fields that a column keeps are read.

Rows are tuples in the order of the table's columns: a view is built from millions of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Table

from bus.ports import Record
from monitor import tables
from monitor.columns import department, facts, text
from monitor.mask import SEALED
from schemas.envelope import Event
from schemas.projection import Read, compiled, values

#: The hop of the end-of-input marker that the router writes to the journal when nothing more can come.
LAST_HOP = 2
#: Events by which a supervision speaks.
ALERTS = frozenset({"AlertRaised", "AlertWithdrawn"})
#: Bytes by which records are told apart by their schema: both framings fit into them.
_SINGLE_OBJECT, _CONFLUENT = 10, 5

Values = tuple[Any, ...]

_ENTRY = ("case", "sequence", "kind", "recorded_at", "previous", "hash", "event_id", "rule", "target", "facts", "event")
_EVENT = (
    "header.event_id",
    "header.activity",
    "header.authority",
    "header.region",
    "header.actor.value",
    "header.actor.key",
    "header.occurred_at.at",
    "header.reported_at.at",
    "header.received_at",
    "header.step",
    "header.source.system",
    "header.sequence",
    "header.source.table",
    "header.source.key",
    "header.version",
)


class Reader(Protocol):
    """The part of `schemas.codec.Codec` that is needed here."""

    def decode(self, data: bytes) -> Event: ...
    def decode_record(self, data: bytes) -> tuple[str, dict[str, Any]]: ...
    def written(self, data: bytes) -> tuple[str, dict[str, Any] | None, int]: ...
    def __hash__(self) -> int: ...


class Fields:
    """Reads the same few fields of many records, of every version; `kinds` holds the types that have them, all if empty."""

    def __init__(self, reader: Reader, paths: tuple[str, ...], whole: Callable[[bytes], Any], kinds: frozenset[str]) -> None:
        self._reader, self._paths, self._whole, self._kinds = reader, paths, whole, kinds
        self._known: dict[bytes, tuple[str, Read, int]] = {}

    def read(self, data: bytes) -> tuple[str, Values]:
        """Type and values; () of another type. Raises what the reader raises."""
        known = self._known.get(data[:_SINGLE_OBJECT]) or self._known.get(data[:_CONFLUENT]) or self._learnt(data)
        name, read, start = known
        try:
            return name, read(data, start)
        except (ValueError, LookupError):
            self._whole(data)  # says better what is wrong with it
            raise

    def _learnt(self, data: bytes) -> tuple[str, Read, int]:
        name, schema, start = self._reader.written(data)
        if self._kinds and name not in self._kinds:
            read: Read = _nothing
        else:
            read = self._resolved if schema is None else compiled(schema, self._paths)
        self._known[data[:start]] = name, read, start
        return name, read, start

    def _resolved(self, data: bytes, _: int) -> Values:
        """Of another version of the schema: what it lacks has a default, so it is decoded as a whole."""
        return tuple(values(self._whole(data), self._paths))


def _nothing(_data: bytes, _start: int) -> Values:
    return ()


class Recorder:
    """Makes rows of records and puts them where they belong."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        journal = frozenset({"JournalEntry"})
        self._entries = Fields(reader, _ENTRY, lambda data: reader.decode_record(data)[1], journal)
        self._events = Fields(reader, _EVENT, lambda data: {"header": reader.decode(data).header}, frozenset())

    def journal(self, record: Record, rows: Mapping[str, list[Values]]) -> None:
        """An entry with its event, or the marker of a run's end."""
        data = record.value or b""
        _, found = self._entries.read(data)
        if not found:
            self._ended(record, rows)
            return
        case, sequence, kind, recorded_at, previous, link, event_id, rule, target, said, event = found
        put = rows["entries"].append
        put((case, sequence, kind, recorded_at, previous, link, event_id or "", rule or "", target or "", facts(said)))
        if event:
            self._event(case, sequence, event, rows)

    def letter(self, record: Record, rows: Mapping[str, list[Values]]) -> None:
        _, value = self._reader.decode_record(record.value or b"")
        rows["dead_letters"].append(ordered(tables.dead_letters, letter_row(record, value)))

    def _event(self, case: str, sequence: int, raw: bytes, rows: Mapping[str, list[Values]]) -> None:
        kind, found = self._events.read(raw)
        event_id, activity, authority, region, clear, sealed, occurred_at, *others = found
        reported_at, received_at, step, system, source_sequence, table, key, version = others
        authority = authority or ""
        actor = f"{SEALED}{sealed}" if clear is None and sealed is not None else clear or ""
        rows["events"].append((
            case, sequence, event_id, kind, text(activity or kind), authority, department(authority), region or "", text(actor),
            occurred_at, reported_at, received_at, -1 if step is None else step, system, source_sequence,
            text(f"{system}/{table}/{key}"), version, raw,
        ))  # fmt: skip
        if kind in ALERTS:
            rows["alerts"].append(ordered(tables.alerts, alert_row(self._reader.decode(raw))))

    def _ended(self, record: Record, rows: Mapping[str, list[Values]]) -> None:
        _, value = self._reader.decode_record(record.value or b"")
        if value["hop"] == LAST_HOP:
            rows["input_ends"].append((value["run"], record.partition))


@lru_cache(maxsize=8)
def recorder(reader: Reader) -> Recorder:
    """One for each reader: it learns the schemas it meets."""
    return Recorder(reader)


def alert_row(event: Event) -> dict[str, Any]:
    """An alert that the journal brings: said already, by us or by another supervision."""
    body = event.body
    return {
        "alert": text(body["alert"]),
        "type": event.type,
        "case_key": event.case,
        "indicator": text(body.get("indicator") or ""),
        "light": body.get("light") or "NONE",
        "who": text(body.get("who") or ""),
        "about": text(body.get("about") or ""),
        "text": text(body.get("text") or body.get("reason") or ""),
        "judged_sequence": body["judged_sequence"],
        "raised_at": event.occurred_at,
        "attempt": event.header["version"],
        "sent": True,
        "told": True,
    }


def letter_row(record: Record, letter: Mapping[str, Any]) -> dict[str, Any]:
    texts = ("reason", "text", "stage", "system", "position", "field", "found", "mapping_line", "event_id")
    return {name: text(letter[name] or "") for name in texts} | {
        "partition": record.partition,
        "offset": record.offset,
        "source_table": text(letter["table"]),
        "source_key": text(letter["key"] or ""),
        "case_key": text(letter["case"] or ""),
        "raw": letter["raw"],
        "received_at": letter["received_at"],
    }


def ordered(table: Table, row: Mapping[str, Any]) -> Values:
    """In the order of the table's columns."""
    return tuple(row[column.name] for column in table.columns)
