"""Events, journal entries and states for the audit's tests, chained as the router chains them."""

from __future__ import annotations

from typing import Any

from router.journal import chained
from schemas import codec
from schemas.case import Case, CaseState, Entry, encode_state
from schemas.envelope import Event, body_hash, event_id

CODEC = codec.default()


def at(hour: int) -> int:
    """Microseconds of the hour after 2025-03-03T00:00 in Shanghai."""
    return (1740931200 + hour * 3600) * 1_000_000


def event(kind: str, hour: int, key: str, version: int = 1, source_key: str = "", **body: Any) -> Event:
    source_key = source_key or f"{key}-{kind}-{hour}"
    header = {
        "event_id": event_id("hall", "t", source_key, kind, version),
        "body_hash": "",
        "case": key,
        "version": version,
        "sequence": hour,
        "occurred_at": {"at": at(hour), "precision": "SECOND", "zone": "Asia/Shanghai"},
        "received_at": at(hour),
        "source": {"system": "hall", "table": "t", "key": source_key, "position": str(hour)},
    }
    full, said = CODEC.complete(kind, header, body)
    full["body_hash"] = body_hash(kind, full, said)
    return Event(kind, full, said, CODEC.encode(kind, full, said))


def events(key: str) -> list[Event]:
    return [event("Applied", 1, key), event("Accepted", 3, key), event("Decided", 7, key, result="GRANTED")]


def chain(recorded: list[Event]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for sequence, one in enumerate(recorded, 1):
        entry = {
            "case": one.case,
            "sequence": sequence,
            "kind": "EVENT",
            "recorded_at": one.received_at,
            "event_id": one.id,
            "event": one.raw,
            "rule": None,
            "target": None,
            "facts": {},
        }
        entries.append(chained(entry, entries[-1]["hash"] if entries else b""))
    return entries


def state(key: str, recorded: list[Event], entries: list[dict[str, Any]]) -> CaseState:
    ledger = [
        Entry(one.id, one.header["body_hash"], one.origin, one.header["version"], one.reported_at, one.order, n)
        for n, one in enumerate(recorded, 1)
    ]
    head = entries[-1]["hash"] if entries else b""
    return CaseState(Case(key, applied_at=recorded[0].occurred_at), ledger, len(entries), head)


def encoded(entry: dict[str, Any]) -> bytes:
    return CODEC.encode_record("JournalEntry", entry)


def state_bytes(one: CaseState) -> bytes:
    return encode_state(one)


def letter_bytes(said: dict[str, Any]) -> bytes:
    letter = {
        "reason": "unreadable",
        "text": "The record cannot be read. Send Avro.",
        "stage": "CONNECTOR",
        "system": "hall",
        "table": "t",
        "key": None,
        "position": "0",
        "field": None,
        "found": None,
        "mapping_line": None,
        "event_id": None,
        "case": None,
        "raw": b"",
        "received_at": at(1),
    }
    return CODEC.encode_record("DeadLetter", letter | said)
