"""Values of a database as a position keeps them, and rows as the dead letters do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

Row = dict[str, Any]
#: Values of the ordering columns of one row.
Key = tuple[Any, ...]


def stored(key: Sequence[Any] | None) -> list[Any] | None:
    """As JSON keeps it, with each value's type: text and times compare differently."""
    return None if key is None else [_stored(value) for value in key]


def restored(key: Sequence[Any] | None) -> Key | None:
    return None if key is None else tuple(_restored(value) for value in key)


def _stored(value: Any) -> Any:
    for kind, (holds, write, _) in _KINDS.items():
        if isinstance(value, holds):
            return {kind: write(value)}
    return value


def _restored(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    return _KINDS[kind][2](text)


#: Order counts: a datetime is a date too.
_KINDS: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "uuid": (UUID, str, UUID),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "seconds": (timedelta, timedelta.total_seconds, lambda text: timedelta(seconds=text)),
}


def raw(row: Mapping[str, Any]) -> bytes:
    """The row as a document, readable by people and by `deadletters`; the same row gives the same bytes."""
    try:
        return _ENCODE(row)
    except (OverflowError, UnicodeEncodeError, msgspec.EncodeError):  # numbers above 64 bits, halves of a pair of UTF-16
        return json.dumps(row, default=_shown).encode("utf-8", "replace")


def _shown(value: Any) -> str:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else str(value)


_ENCODE = msgspec.json.Encoder(enc_hook=_shown, decimal_format="string").encode
