"""Rows out of JSON values, wherever they come from: a line of a file, a request, a record of a topic."""

from __future__ import annotations

import json
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
#: Levels of a value: no row is nested so far, and what is could be read but not written any more.
DEEPEST = 100
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
        value = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if text.count(b"{") + text.count(b"[") > DEEPEST and is_too_deep(value):
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    return value


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects stand in each other more than DEEPEST times."""
    level = _held(value)
    for _ in range(DEEPEST - 1):
        if not level:
            return False
        level = [held for one in level for held in _held(one)]
    return bool(level)


def _held(value: Any) -> list[Any]:
    """The lists and objects in a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [held for held in inner if isinstance(held, (dict, list))]


def rows_of(value: Any, way: Sequence[str], origin: Origin) -> list[SourceRecord]:
    """The rows of one value: itself, or what stands at the end of the way, where a list is a row each.

    Lists on the way are gone through: `cases.steps` are the steps of all cases.
    """
    if not way:
        return [_record(value, origin.place, origin.number, origin.raw)]
    first = origin.number * ROOM
    listed, found = _found(value, way)
    if not listed:
        return [_record(row, origin.place, first, origin.raw) for row in found or [None]]
    return [_record(row, f"{origin.place} ({index})", first + index, origin.raw) for index, row in enumerate(found, 1)]


def own(record: SourceRecord) -> bytes:
    """A row alone, without what stands around it: what a dead letter holds of a value with many."""
    row = {name: held for name, held in record.row.items() if name != ".."}
    return json.dumps(row, ensure_ascii=False, default=str).encode()


def _record(row: Any, place: str, sequence: int, raw: bytes) -> SourceRecord:
    if isinstance(row, dict):
        return SourceRecord(place, sequence, row, raw)
    fault = Refusal("broken_line", "found a line that holds no object", "Send one object a line, or correct record:")
    return SourceRecord(place, sequence, {}, raw, fault)


def _found(value: Any, way: Sequence[str]) -> tuple[bool, list[Any]]:
    """What stands at the end of the way, and whether a list led there.

    Each object on it knows the one around it as `..`, but not its own neighbours in it. With them each row would carry all
    others: into its dead letter and its sample, people's names and all.
    """
    around = value.get("..") if isinstance(value, dict) else None
    listed, level = False, [(value, around)]
    for name in [*way, None]:
        listed = listed or any(isinstance(one, list) for one, _ in level)
        level = [(row, around) for one, around in level for row in (one if isinstance(one, list) else [one])]
        if name is not None:
            level = [below for one in level for below in _below(*one, name, listed)]
    return listed, [{**row, "..": around} if isinstance(row, dict) else row for row, around in level]


def _below(value: Any, around: Any, name: str, listed: bool) -> list[tuple[Any, Any]]:
    """What an object holds under a name; in a list one may lack it, alone it may not."""
    held = value.get(name) if isinstance(value, dict) else None
    if held is None:
        return [] if listed else [(None, None)]
    return [(held, {one: other for one, other in value.items() if one != name} | {"..": around})]
