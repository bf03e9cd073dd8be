"""The envelopes of change data capture: Debezium's, as its documentation has it ("Data change events").

https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
"""

from __future__ import annotations

from typing import Any

#: Where the row is, by what happened to it (`op`): created, read in the snapshot, updated; deleted.
_HELD = {"c": "after", "r": "after", "u": "after", "d": "before"}
#: A whole table was emptied, a message was written beside all tables: no row is told of.
_NO_ROW = ("t", "m")


class EnvelopeError(ValueError):
    """A value that is no envelope."""


def row(value: Any) -> dict[str, Any] | None:
    """The row that an envelope tells of; None for a tombstone, a heartbeat or what tells of no row.

    What stands around the row is read by `../`: `../op`, `../ts_ms`, `../source.table` (the table's true name: the topic's
    has `_` for each sign that is not ASCII). Of a deleted row it is what it was. Raises EnvelopeError for anything else.
    """
    payload = value.get("payload", value) if isinstance(value, dict) else value
    if payload is None or (isinstance(payload, dict) and _silent(payload)):
        return None
    op = payload.get("op") if isinstance(payload, dict) else None
    held = payload.get(_HELD[op]) if isinstance(op, str) and op in _HELD else None
    if not isinstance(held, dict):
        raise EnvelopeError(f"no envelope with a row, its op is {op!r}; write value: json where the topic holds no envelopes")
    return {**held, "..": payload}


def _silent(payload: dict[str, Any]) -> bool:
    return payload.get("op") in _NO_ROW or set(payload) == {"ts_ms"}
