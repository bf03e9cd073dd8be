"""Records of the topics as rows of the tables. Pure: the audit builds the same rows again to compare them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Table

from bus.errors import CorruptionError
from bus.ports import Record
from bus.topics import DEADLETTERS, JOURNAL, STATE
from monitor import tables
from monitor.mask import person
from schemas.case import Case, CaseState, decode_state
from schemas.envelope import Event

#: One row of a table, by column.
Row = dict[str, Any]
TOPICS = (JOURNAL.name, STATE.name, DEADLETTERS.name)
#: The hop of the end-of-input marker that the router writes to the journal when nothing more can come.
LAST_HOP = 2
#: Events by which a supervision speaks.
ALERTS = frozenset({"AlertRaised", "AlertWithdrawn"})


class Reader(Protocol):
    """The part of `schemas.codec.Codec` that is needed here."""

    def decode(self, data: bytes) -> Event: ...
    def decode_record(self, data: bytes) -> tuple[str, dict[str, Any]]: ...


class Rows(NamedTuple):
    """What a batch of records puts into the tables. Rows of `replaced` cases that a state wrote before go first."""

    inserts: dict[str, list[Row]]
    replaced: list[str]

    def of(self, table: Table) -> list[Row]:
        return self.inserts.get(table.name, [])


def rows_of(records: Iterable[Record], reader: Reader) -> Rows:
    """Rows of records in the order of their partitions. Of several states of one case only the last is decoded.

    Raises CorruptionError naming topic, partition and offset when a record is not what its topic promises.
    """
    rows: dict[str, list[Row]] = {table.name: [] for table in tables.metadata.sorted_tables}
    states: dict[bytes, Record] = {}
    for record in records:
        if record.topic == STATE.name:
            states[record.key or b""] = record
        else:
            _checked(record, lambda one: _recorded(rows, one, reader))
    for record in states.values():
        _checked(record, lambda one: _stated(rows, one))
    return Rows(rows, [key.decode() for key in states])


def _checked(record: Record, work: Callable[[Record], None]) -> None:
    try:
        work(record)
    except Exception as error:
        where = f"{record.topic}, partition {record.partition}, offset {record.offset}"
        raise CorruptionError(
            f"{where} holds something that cannot be read ({error}). Run casebus audit; nothing after it was shown."
        ) from error


def _recorded(rows: dict[str, list[Row]], record: Record, reader: Reader) -> None:
    """A record of the journal or of the dead letters."""
    name, value = reader.decode_record(record.value or b"")
    if name == "InputEnded":
        if value["hop"] == LAST_HOP:
            rows["input_ends"].append({"run": value["run"], "partition": record.partition})
    elif name == "DeadLetter":
        rows["dead_letters"].append(dead_letter_row(record, value))
    else:
        rows["entries"].append(entry_row(value))
        if value["event"]:
            event = reader.decode(value["event"])
            rows["events"].append(event_row(value["case"], value["sequence"], event))
            if event.type in ALERTS:
                rows["alerts"].append(alert_row(event))


def _stated(rows: dict[str, list[Row]], record: Record) -> None:
    """What the state of a case says, in each table it feeds."""
    published = record.value or b""
    state = decode_state(published)
    key = state.case.key
    rows["cases"].append(case_row(state) | _place(record) | {"state": published})
    rows["moves"].extend(move_rows(state.case))
    rows["findings"].extend(
        {"case_key": key, "position": n, "code": one.code, "at": one.at, "event_id": one.event_id, "facts": _json(one.facts)}
        for n, one in enumerate(state.case.findings)
    )
    rows["set_aside"].extend(set_aside_rows(state))


def entry_row(entry: dict[str, Any]) -> Row:
    return {
        "case_key": entry["case"],
        "sequence": entry["sequence"],
        "kind": entry["kind"],
        "recorded_at": entry["recorded_at"],
        "previous": entry["previous"],
        "hash": entry["hash"],
        "event_id": entry["event_id"] or "",
        "rule": entry["rule"] or "",
        "target": entry["target"] or "",
        "facts": _json(entry["facts"]),
    }


def event_row(case_key: str, sequence: int, event: Event) -> Row:
    header = event.header
    authority = header["authority"] or ""
    reported = header["reported_at"]
    order = event.order
    return {
        "case_key": case_key,
        "sequence": sequence,
        "event_id": order.event_id,
        "type": event.type,
        "activity": _text(header["activity"] or event.type),
        "authority": authority,
        "department": department(authority),
        "region": header["region"] or "",
        "actor": _text(person(header["actor"])),
        "occurred_at": order.occurred_at,
        "reported_at": reported["at"] if reported else None,
        "received_at": header["received_at"],
        "step": order.step,
        "system": order.source,
        "source_sequence": order.sequence,
        "origin": _text(event.origin),
        "version": header["version"],
        "raw": event.raw,
    }


def _place(record: Record) -> Row:
    return {"state_partition": record.partition, "state_offset": record.offset}


def case_row(state: CaseState) -> Row:
    """All columns of a case but the published bytes and their place."""
    case = state.case
    copied = ("region", "item", "item_version", "authority", "level", "channel", "form", "holder", "paused", "opened", "events")
    times = (
        "applied_at",
        "received_at",
        "accepted_at",
        "stopped_at",
        "ended_at",
        "first_at",
        "last_at",
        "promised_days",
        "statutory_days",
        "rating",
    )
    return {name: getattr(case, name) for name in (*copied, *times)} | {
        "case_key": case.key,
        "number": case.key.partition(":")[2],
        "department": department(case.authority),
        "phase": str(case.phase),
        "outcome": str(case.outcome or ""),
        "provisional": provisional(case) and not (state.expired or state.forwards_to),
        "expired": state.expired,
        "forwards_to": state.forwards_to,
        "unanswered_at": unanswered(case),
        "sequence": state.sequence,
        "head": state.head,
    }


def provisional(case: Case) -> bool:
    """Work on it is known, its application is not. An appointment or a queue ticket need not become a case."""
    return bool(case.events) and not (case.opened or case.visit)


def unanswered(case: Case) -> int | None:
    """The oldest visit asked for that nobody has called back about, before the case was applied for."""
    waiting = [one.requested_at for one in case.appointments if one.requested_at is not None and one.confirmed_at is None]
    return None if case.opened else min(waiting, default=None)


def set_aside_rows(state: CaseState) -> list[Row]:
    """Events that do not count: by the ledger (superseded, conflicting, cancelled), or by the law (after the end)."""
    reasons = state.case.set_aside
    return [
        {"case_key": state.case.key, "sequence": entry.sequence, "standing": reason}
        for entry in state.ledger
        if (reason := entry.standing if entry.standing != "effective" else reasons.get(entry.event_id))
    ]


def move_rows(case: Case) -> list[Row]:
    """Hand-overs of a case; of two with the same id and part the later one stands."""
    found = {
        (move.id, move.part): {
            "case_key": case.key,
            "hand_over": move.id,
            "part": move.part,
            "kind": move.kind,
            "sender": move.sender,
            "receiver": move.receiver,
            "sent_at": move.sent_at,
            "received_at": move.received_at,
            "answered_at": move.answered_at,
            "rule": move.rule,
        }
        for move in case.hand_overs
    }
    return list(found.values())


def alert_row(event: Event) -> Row:
    """An alert that the journal brings: said already, by us or by another supervision."""
    body = event.body
    return {
        "alert": _text(body["alert"]),
        "type": event.type,
        "case_key": event.case,
        "indicator": _text(body.get("indicator") or ""),
        "light": body.get("light") or "NONE",
        "who": "",
        "about": "",
        "text": _text(body.get("text") or body.get("reason") or ""),
        "judged_sequence": body["judged_sequence"],
        "raised_at": event.occurred_at,
        "attempt": event.header["version"],
        "sent": True,
        "told": True,
    }


def dead_letter_row(record: Record, letter: dict[str, Any]) -> Row:
    texts = ("reason", "text", "stage", "system", "position", "field", "found", "mapping_line", "event_id")
    return {name: _text(letter[name] or "") for name in texts} | {
        "partition": record.partition,
        "offset": record.offset,
        "source_table": _text(letter["table"]),
        "source_key": _text(letter["key"] or ""),
        "case_key": _text(letter["case"] or ""),
        "raw": letter["raw"],
        "received_at": letter["received_at"],
    }


def department(authority: str) -> str:
    """`quality-supervision@500103` is the department quality-supervision."""
    return authority.partition("@")[0]


def _text(value: str) -> str:
    """PostgreSQL refuses NUL in text, and a department's export may hold anything."""
    return value.replace("\x00", "\ufffd")


def _json(facts: dict[str, str]) -> str:
    if not facts:
        return "{}"
    return _text(json.dumps(facts, ensure_ascii=False, sort_keys=True))
