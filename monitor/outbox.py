"""Alerts on their way out: rows of the table `alerts`, written with the tables they were judged from, then published.

An alert's id says what was judged and its event's id follows from it, so what is sent again after a crash is the same
event, which the router drops. The journal brings every alert back: a view built anew knows what has been said already.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from bus.partition import partition_of
from bus.ports import Client, Message
from bus.topics import ALERTS
from monitor import tables
from monitor.view import View
from schemas.envelope import body_hash, event_id

SYSTEM, TABLE = "casebus-monitor", "alerts"
RAISED, WITHDRAWN = "AlertRaised", "AlertWithdrawn"
#: Most alerts published in one transaction.
AT_ONCE = 500

Row = dict[str, Any]
_table = tables.alerts.c


class Writer(Protocol):
    """The part of `schemas.codec.Codec` that alerts need."""

    def complete(self, type_name: str, header: Row, body: Row) -> tuple[Row, Row]: ...
    def encode(self, type_name: str, header: Row, body: Row) -> bytes: ...


def publish(view: View, client: Client, writer: Writer) -> int:
    """Send what waits, then mark it. A crash in between sends it again, with the same id."""
    waiting = select(tables.alerts).where(~_table.sent, _table.case_key != "")
    rows = view.all(waiting.order_by(_table.raised_at, _table.alert, _table.type).limit(AT_ONCE))
    if not rows:
        return 0
    partitions = len(client.ends([ALERTS.name]))
    producer = client.producer(SYSTEM)
    try:
        producer.begin()
        producer.send([message(row, writer, partitions) for row in rows])
        producer.commit()
    finally:
        producer.close()
    with view.writing() as connection:
        mark(connection, rows, "sent")
    return len(rows)


def standing(at: int | None = None) -> ColumnElement[bool]:
    """A condition on `alerts`: raised, and not withdrawn, by then (microseconds UTC; None: now)."""
    again = tables.alerts.alias()
    gone = select(again.c.alert).where(again.c.alert == _table.alert, again.c.type == WITHDRAWN)
    if at is None:
        return (_table.type == RAISED) & ~gone.exists()
    return (_table.type == RAISED) & (_table.raised_at <= at) & ~gone.where(again.c.raised_at <= at).exists()


def mark(connection: Connection, rows: Iterable[Any], column: str) -> None:
    """Set `sent` or `told`, unless the row has been judged again meanwhile."""
    here = (_table.alert == bindparam("a")) & (_table.type == bindparam("t")) & (_table.attempt == bindparam("n"))
    keys = [{"a": row.alert, "t": row.type, "n": row.attempt} for row in rows]
    connection.execute(update(tables.alerts).where(here).values({column: True}), keys)


def message(row: Any, writer: Writer, partitions: int) -> Message:
    """The alert as an event: everything in it comes from the row, so it is the same each time it is sent."""
    header, body = writer.complete(row.type, _header(row), _body(row))
    header["body_hash"] = body_hash(row.type, header, body)
    key = row.case_key.encode()
    value = writer.encode(row.type, header, body)
    return Message(ALERTS.name, partition_of(key, partitions), key, value, row.raised_at // 1000)


def identity(alert: str, kind: str, attempt: int) -> str:
    """The id of the event that says it."""
    return event_id(SYSTEM, TABLE, _key(alert, kind), kind, attempt)


def _key(alert: str, kind: str) -> str:
    """Raising and withdrawing are two rows of ours: a version of one does not replace the other."""
    return alert if kind == RAISED else f"{alert}/withdrawn"


def _header(row: Any) -> Row:
    key = _key(row.alert, row.type)
    return {
        "event_id": identity(row.alert, row.type, row.attempt),
        "body_hash": "",
        "case": row.case_key,
        "sequence": row.judged_sequence,
        "occurred_at": {"at": row.raised_at, "precision": "MICROSECOND", "zone": "UTC"},
        "received_at": row.raised_at,
        "source": {"system": SYSTEM, "table": TABLE, "key": key, "position": key},
        "version": row.attempt,
    }


def _body(row: Any) -> Row:
    if row.type == WITHDRAWN:
        return {"alert": row.alert, "reason": row.text, "judged_sequence": row.judged_sequence}
    names = ("alert", "indicator", "light", "text", "judged_sequence", "who", "about")
    return {name: getattr(row, name) for name in names}
