"""Rows beside what they give, read from the source and published nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from itertools import islice
from typing import Any, NamedTuple

from bus.errors import ConfigurationError
from bus.ports import Client
from connectors.config import Connector
from connectors.integrate import bodies
from connectors.mapping import Rejection
from connectors.source import SourceRecord
from schemas.envelope import Event
from schemas.instants import local


class Shown(NamedTuple):
    """One row of the source: its events, or why it is refused."""

    record: SourceRecord
    found: list[Event] | Rejection


def rows(connector: Connector, limit: int, now: int, cluster: Client | None = None) -> Iterator[Shown]:
    """The first `limit` rows of each table, translated as if received at `now` (microseconds). Raises BusError.

    `cluster` is the deployment's own Kafka, where the source lies in it.
    """
    if any(part.kind.body is not None for part in connector.parts.values()):
        raise ConfigurationError(f"{connector.name} is called by its department. Show it a body that would be sent: --body FILE.")
    for name, part in connector.parts.items():
        source = part.open(connector.base, connector.path.name, cluster)
        try:
            records = (record for batch in source.fetch(None, limit) for record in batch.records)
            for record in islice(records, limit):
                yield Shown(record._replace(table=name), part.mapping.translate(record, now))
        finally:
            source.close()


def of_body(connector: Connector, body: bytes, limit: int, now: int) -> Iterator[Shown]:
    """The first `limit` rows of a body, as if a department had sent it. Raises ConfigurationError."""
    for name, part in connector.parts.items():
        for record in bodies.rows(part, connector, body)[:limit]:
            yield Shown(record._replace(table=name), part.mapping.translate(record, now))


def said(event: Event) -> dict[str, Any]:
    """What the event says, for people: its header's and its body's fields that are not empty, times in words."""
    header = {name: event.header[name] for name in ("case", "occurred_at", "authority", "item", "region", "activity", "actor")}
    both = {"type": event.type, **header, **event.body}
    return {name: _plain(value) for name, value in both.items() if value not in (None, [], {})}


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and "precision" in value:
        return local(value["at"], UTC).isoformat()
    if isinstance(value, dict):
        return (
            value["value"] if set(value) == {"value"} else {name: _plain(one) for name, one in value.items() if one is not None}
        )
    return value


def as_dict(shown: Shown) -> dict[str, Any]:
    """One row for programs."""
    table = {"table": shown.record.table} if shown.record.table else {}
    row = {**table, "position": shown.record.position, "row": dict(shown.record.row)}
    if isinstance(shown.found, Rejection):
        refusal = shown.found
        return {**row, "refused": {"reason": refusal.reason, "text": refusal.text, "where": refusal.where}}
    return {**row, "gives": [said(event) for event in shown.found]}
