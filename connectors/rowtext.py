"""A source row as JSON and back, with its types: a dead letter keeps the row as it was read, so that it can be read again.

What JSON has no word for is an object of one name that begins with `$`: `{"$date": "2026-01-05"}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from connectors.values import Damaged

#: The first type that fits holds: a datetime is a date too.
_WRITTEN: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (Damaged, "$damaged", list),
    (datetime, "$datetime", datetime.isoformat),
    (date, "$date", date.isoformat),
    (time, "$time", time.isoformat),
    (Decimal, "$decimal", str),
    (bytes, "$bytes", bytes.hex),
    (memoryview, "$bytes", lambda value: bytes(value).hex()),
)
_READ: dict[str, Callable[[Any], Any]] = {
    "$damaged": lambda parts: Damaged(*parts),
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$decimal": Decimal,
    "$bytes": bytes.fromhex,
}


def encoded(row: Mapping[str, Any], indent: int | None = None) -> str:
    """The row as JSON; what it holds of types unknown here becomes text."""
    return json.dumps(_plain(dict(row)), ensure_ascii=False, default=str, indent=indent)


def decoded(text: str | bytes) -> dict[str, Any]:
    """The row again. Raises ValueError where the text is no JSON object."""
    found = _typed(json.loads(text))
    if not isinstance(found, dict):
        raise ValueError(f"it is {type(found).__name__}, no object")  # noqa: TRY004  what is wrong is the text that was given
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(held) for name, held in value.items()}
    for kind, name, write in _WRITTEN:
        if isinstance(value, kind):
            return {name: write(value)}
    return [_plain(held) for held in value] if isinstance(value, (list, tuple)) else value


def _typed(value: Any) -> Any:
    if isinstance(value, list):
        return [_typed(held) for held in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in _READ:
        return _READ[name](value[name])
    return {name: _typed(held) for name, held in value.items()}
