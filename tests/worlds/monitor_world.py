"""A small made-up world for the monitor's tests: events, journal entries and states as the router would write them."""

from __future__ import annotations

import hashlib
from typing import Any

from bus.ports import Record
from bus.topics import DEADLETTERS, JOURNAL, STATE
from schemas import codec
from schemas.case import Case, CaseState, Entry, encode_state
from schemas.envelope import Event, body_hash, event_id

CODEC = codec.default()
KEY = "city:0001"


def at(hour: int) -> int:
    """Microseconds of the hour after 2025-03-03T00:00 in Shanghai, a Monday."""
    return (1740931200 + hour * 3600) * 1_000_000


def event(kind: str, hour: int, key: str = KEY, **said: Any) -> Event:
    """An event at that hour; what is no field of the header goes into the body."""
    source_key = said.pop("source_key", f"{key}-{kind}-{hour}")
    fields = {"actor", "authority", "region", "item", "activity", "version", "reported_at", "received_at", "step", "level"}
    header = {name: said.pop(name) for name in fields & said.keys()}
    version = header.get("version", 1)
    header = {
        "event_id": event_id("hall", "t", source_key, kind, version),
        "body_hash": "",
        "case": key,
        "sequence": hour,
        "occurred_at": {"at": at(hour), "precision": "SECOND", "zone": "Asia/Shanghai"},
        "received_at": at(hour) + 60_000_000,
        "source": {"system": "hall", "table": "t", "key": source_key, "position": str(hour)},
    } | header
    full, body = CODEC.complete(kind, header, said)
    full["body_hash"] = body_hash(kind, full, body)
    return Event(kind, full, body, CODEC.encode(kind, full, body))


def chain(events: list[Event], kind: str = "EVENT") -> list[dict[str, Any]]:
    """Journal entries over these events, linked by some hash."""
    entries: list[dict[str, Any]] = []
    previous = b""
    for sequence, one in enumerate(events, 1):
        link = hashlib.blake2b(previous + one.raw, digest_size=32).digest()
        entries.append(
            {
                "case": one.case,
                "sequence": sequence,
                "previous": previous,
                "hash": link,
                "kind": kind,
                "recorded_at": one.received_at,
                "event_id": one.id,
                "event": one.raw,
                "rule": None,
                "target": None,
                "facts": {},
            }
        )
        previous = link
    return entries


def ledger(events: list[Event], standings: dict[str, str] | None = None) -> list[Entry]:
    known = standings or {}
    return [
        Entry(
            one.id,
            one.header["body_hash"],
            one.origin,
            one.header["version"],
            one.reported_at,
            one.order,
            n,
            known.get(one.id, "effective"),
        )
        for n, one in enumerate(events, 1)
    ]


def journal_record(entry: dict[str, Any], offset: int, partition: int = 0) -> Record:
    value = CODEC.encode_record("JournalEntry", entry)
    return Record(JOURNAL.name, partition, offset, entry["case"].encode(), value, 0)


def state_record(state: CaseState, offset: int, partition: int = 0) -> Record:
    return Record(STATE.name, partition, offset, state.case.key.encode(), encode_state(state), 0)


def ended_record(run: str, hop: int, offset: int, partition: int = 0) -> Record:
    value = CODEC.encode_record("InputEnded", {"run": run, "hop": hop, "sender": partition})
    return Record(JOURNAL.name, partition, offset, None, value, 0, (("type", b"InputEnded"),))


def letter_record(offset: int, **said: Any) -> Record:
    letter = {
        "reason": "missing_time",
        "text": "The row has no time. Fill column 发生时间.",
        "stage": "CONNECTOR",
        "system": "hall",
        "table": "t",
        "key": None,
        "position": "row 7",
        "field": "发生时间",
        "found": "",
        "mapping_line": "hall.yaml:12",
        "event_id": None,
        "case": None,
        "raw": b"7,,",
        "received_at": at(1),
    } | said
    return Record(DEADLETTERS.name, 0, offset, None, CODEC.encode_record("DeadLetter", letter), 0)


def state(events: list[Event], case: Case | None = None, **fields: Any) -> CaseState:
    entries = chain(events)
    head = entries[-1]["hash"] if entries else b""
    return CaseState(case or Case(KEY), ledger(events, fields.pop("standings", None)), len(entries), head, **fields)
