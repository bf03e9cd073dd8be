"""The kit's questions about rows and their mapping: the same row gives the same events, a hostile one gives a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from connectors.deadletters import of_rejection
from connectors.mapping import Rejection
from connectors.source import SourceRecord
from schemas.codec import CodecError, default
from schemas.envelope import Event

Translate = Callable[[SourceRecord], list[Event] | Rejection]
#: Rows that are spoilt, column by column.
_SPOILT = 5
#: What no department means to send, and some do.
HOSTILE: Mapping[str, Any] = {
    "nothing": None,
    "an empty text": "",
    "blanks": " \u3000\t\r\n",
    "a NUL character": "a\x00b",
    "half a character": "\ud800",
    "a hundred thousand characters": "龘" * 100_000,
    "a day that does not exist": "2026-02-30 25:61:61",
    "a year beyond all": "99999-01-01",
    "a number beyond all": 10**400,
    "no number": float("nan"),
    "bytes": b"\xff\xfe",
    "a list": [1, [2]],
    "an object": {"a": {"b": None}},
    "true": True,
    "a formula": "=HYPERLINK(1)",
    "an expression": "${HOME} {{7*7}} '); drop table x; --",
}


def rows_give_events_or_reasons(translate: Translate, rows: Sequence[SourceRecord]) -> Iterator[str]:
    """A sentence for each row, as it is or spoilt, that gives neither events nor a reason."""
    for row in rows:
        yield from _twice(translate, row)
    seen: set[tuple[str, str]] = set()
    for row in [row for row in rows if row.fault is None][:_SPOILT]:
        for column in [column for column in row.row if column != ".."]:
            for what, fault in _spoilt(translate, row, column):
                if (what, column) not in seen:  # said once, not for every row
                    yield fault
                seen.add((what, column))


def _twice(translate: Translate, row: SourceRecord) -> Iterator[str]:
    try:
        first, second = translate(row), translate(row)
    except Exception as error:  # noqa: BLE001  that it raises is the finding
        yield f"The row {row.position} raises {type(error).__name__} ({error}) instead of giving a reason."
        return
    if _said(first) != _said(second):
        yield f"The row {row.position} gives something else each time: nothing may depend on the hour or on chance."
    if isinstance(first, Rejection) and not (first.reason and first.text):
        yield f"The row {row.position} is refused without a reason or a sentence."


def _said(found: list[Event] | Rejection) -> Any:
    return found if isinstance(found, Rejection) else [(event.id, event.header["body_hash"]) for event in found]


def _spoilt(translate: Translate, row: SourceRecord, column: str) -> Iterator[tuple[str, str]]:
    """What the column held, and what came of it."""
    without = {name: value for name, value in row.row.items() if name != column}
    spoilt = {what: {**row.row, column: value} for what, value in HOSTILE.items()}
    for what, changed in {**spoilt, "no such column": without}.items():
        try:
            _publish(translate(row._replace(row=changed)))
        except Exception as error:  # noqa: BLE001  that it raises is the finding
            yield what, f"{what} in {column} of {row.position} raises {type(error).__name__} ({str(error)[:200]})."


def _publish(found: list[Event] | Rejection) -> None:
    """As far as bytes. An event that its schema refuses becomes a dead letter, which is right too; a letter must fit."""
    if isinstance(found, Rejection):
        default().encode_record("DeadLetter", of_rejection(found, "asked", 0))
        return
    with suppress(CodecError):
        for event in found:
            default().encode(event.type, event.header, event.body)
