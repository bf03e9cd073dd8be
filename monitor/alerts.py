"""The supervision speaks: what indicators find becomes an alert on the bus, once, and never while history is loaded.

An alert is first a row of the outbox, in the database transaction of the tables it was judged from; then it is published
and marked. Its id says what was judged (case, indicator, light, about what), so that a second monitor, a restart or a
rebuilt view make the same alert again, and the router drops it as a duplicate.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, bindparam, insert, select, update

from bus.partition import partition_of
from bus.ports import Client, Message
from bus.topics import ALERTS
from monitor import tables
from monitor.chunks import chunks
from monitor.indicator import Hit, Indicator, Sight, sight, standing
from monitor.lights import Clockwork
from monitor.rows import Rows
from monitor.view import Snapshot, View
from schemas.clock import Light
from schemas.envelope import body_hash, event_id

SYSTEM, TABLE = "casebus-monitor", "alerts"
#: Seconds between two looks over all cases.
SWEEP = 60
_AT_ONCE = 500


class Writer(Protocol):
    """The part of `schemas.codec.Codec` that alerts need."""

    def complete(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def encode(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> bytes: ...


class Judge(NamedTuple):
    """Who judges: the indicators that may speak, by which clock.

    Findings and late entries speak when they come; a sweep does not bring up those of history.
    """

    indicators: Iterable[Indicator]
    clockwork: Clockwork
    now: Callable[[], int]

    def after_batch(self, connection: Connection, rows: Rows) -> None:
        """For `View.apply_batch`: judge the cases that a batch has changed, in its transaction."""
        for keys in chunks(rows.replaced, _AT_ONCE):
            now = self.now()
            self._speak(connection, sight(Snapshot(connection), self.clockwork, now, keys), now)

    def sweep(self, view: View) -> int:
        """Judge what the passing of time has changed in any case; returns how many alerts are new."""
        now = self.now()
        with view.writing() as connection:
            return self._speak(connection, standing(Snapshot(connection), self.clockwork, now), now)

    def _speak(self, connection: Connection, seen: Sight, now: int) -> int:
        """Put what is found into the outbox, in the caller's transaction."""
        found = [(one.name, hit) for one in self.indicators for hit in one.read(seen, now) if hit.light is not Light.NONE]
        rows = {alert_id(name, hit): (name, hit) for name, hit in found}
        new = {key: rows[key] for key in rows.keys() - _known(connection, list(rows))}
        sequences = _sequences(connection, [hit.case for _, hit in new.values()])
        if new:
            connection.execute(insert(tables.outbox), [_row(key, *said, sequences, now) for key, said in sorted(new.items())])
        return len(new)


class Speaker:
    """Publishes what waits, and looks over all cases now and then, because limits pass without any event.

    A `watcher` for `monitor.service.Service`; `tick` says what time it is for the pauses between two looks, in seconds.
    """

    def __init__(
        self, view: View, client: Client, writer: Writer, judge: Judge, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._view, self._client, self._writer, self._judge = view, client, writer, judge
        self._tick = tick
        self._next = 0.0

    def __call__(self, _: Rows) -> None:
        if self._tick() >= self._next:
            self._next = self._tick() + SWEEP
            self._judge.sweep(self._view)
        publish(self._view, self._client, self._writer)


def alert_id(indicator: str, hit: Hit) -> str:
    said = "\x1f".join((hit.case, indicator, hit.light, hit.about))
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def publish(view: View, client: Client, writer: Writer) -> int:
    """Send what waits in the outbox, then mark it. A crash in between sends it again, with the same id."""
    rows = view.all(select(tables.outbox).where(~tables.outbox.c.sent).order_by(tables.outbox.c.alert))
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
    mark = update(tables.outbox).where(tables.outbox.c.alert == bindparam("key")).values(sent=True)
    with view.writing() as connection:
        connection.execute(mark, [{"key": row.alert} for row in rows])
    return len(rows)


def message(row: Any, writer: Writer, partitions: int) -> Message:
    """The alert as an event: everything in it comes from the outbox, so it is the same each time it is sent."""
    header, body = writer.complete("AlertRaised", _header(row), _body(row))
    header["body_hash"] = body_hash("AlertRaised", header, body)
    key = row.case_key.encode()
    value = writer.encode("AlertRaised", header, body)
    return Message(ALERTS.name, partition_of(key, partitions), key, value, row.raised_at // 1000)


def _header(row: Any) -> dict[str, Any]:
    return {
        "event_id": event_id(SYSTEM, TABLE, row.alert, "AlertRaised", 1),
        "body_hash": "",
        "case": row.case_key,
        "sequence": row.judged_sequence,
        "occurred_at": {"at": row.raised_at, "precision": "MICROSECOND", "zone": "UTC"},
        "received_at": row.raised_at,
        "source": {"system": SYSTEM, "table": TABLE, "key": row.alert, "position": row.alert},
    }


def _body(row: Any) -> dict[str, Any]:
    names = ("alert", "indicator", "light", "text", "judged_sequence")
    return {name: getattr(row, name) for name in names}


def _known(connection: Connection, ids: list[str]) -> set[str]:
    table = tables.outbox.c
    asked = (select(table.alert).where(table.alert.in_(part)) for part in chunks(ids, _AT_ONCE))
    return {row.alert for query in asked for row in connection.execute(query)}


def _sequences(connection: Connection, keys: list[str]) -> dict[str, int]:
    """How far the journal of these cases had been seen when they were judged."""
    table = tables.cases.c
    asked = (select(table.case_key, table.sequence).where(table.case_key.in_(part)) for part in chunks(keys, _AT_ONCE))
    return {row.case_key: row.sequence for query in asked for row in connection.execute(query)}


def _row(key: str, indicator: str, hit: Hit, sequences: dict[str, int], now: int) -> dict[str, Any]:
    return {
        "alert": key,
        "case_key": hit.case,
        "indicator": indicator,
        "light": str(hit.light).upper(),
        "text": hit.text,
        "judged_sequence": sequences.get(hit.case, 0),
        "raised_at": now,
        "sent": False,
    }
