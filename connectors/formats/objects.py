"""Rows out of JSON values, wherever they come from: a line of a file, a request, a record of a topic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from connectors.source import SourceRecord
from connectors.values import Damaged, Refusal, shown

#: Room for the rows of one value in the source's order.
ROOM = 1 << 16
#: A number as long as this, or this far from one, is no measurement: written out it could fill the memory.
_LONGEST, _FARTHEST = 400, 308
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _exact(text: str) -> Decimal | Damaged:
    number = Decimal(text) if len(text) <= _LONGEST else None
    if number is None or not -_FARTHEST <= number.adjusted() <= _FARTHEST:
        return Damaged("damaged_number", f"found the number {shown(text)}, which is beyond all measure", "Send it as text")
    return number


_decoder = msgspec.json.Decoder(float_hook=_exact)


class Origin(NamedTuple):
    """Where a value stands: for people, in the source's order, and as it came."""

    place: str
    number: int
    raw: bytes


def decoded(text: bytes) -> Any:
    """The value of JSON in UTF-8; numbers with a fraction stay exact. Raises ValueError saying what is wrong."""
    if b"\\u0000" in text and _NUL.search(text):
        raise ValueError("it holds a NUL character, which no database takes")
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def rows_of(value: Any, way: Sequence[str], origin: Origin) -> list[SourceRecord]:
    """The rows of one value: itself, or what stands at the end of the way, where a list is a row each."""
    if not way:
        return [_record(value, origin.place, origin.number, origin.raw)]
    value = _at(value, way)
    first = origin.number * ROOM
    if not isinstance(value, list):
        return [_record(value, origin.place, first, origin.raw)]
    return [_record(row, f"{origin.place} ({index})", first + index, origin.raw) for index, row in enumerate(value, 1)]


def _record(row: Any, place: str, sequence: int, raw: bytes) -> SourceRecord:
    if isinstance(row, dict):
        return SourceRecord(place, sequence, row, raw)
    fault = Refusal("broken_line", "found a line that holds no object", "Send one object a line, or correct record:")
    return SourceRecord(place, sequence, {}, raw, fault)


def _at(value: Any, way: Sequence[str]) -> Any:
    """What stands at the end of the way; each object on it knows the one around it as `..`, but not its own neighbours in it.

    With them each row would carry all others: into its dead letter and its sample, people's names and all.
    """
    around: dict[str, Any] | None = value.get("..") if isinstance(value, dict) else None
    for name in way:
        if not isinstance(value, dict):
            return None
        around = {one: held for one, held in value.items() if one != name} | {"..": around}
        value = value.get(name)
    if isinstance(value, list):
        return [{**row, "..": around} if isinstance(row, dict) else row for row in value]
    return {**value, "..": around} if isinstance(value, dict) else value
