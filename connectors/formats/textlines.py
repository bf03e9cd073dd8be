"""Lines of text inside a value: a record of a topic holds one line or several, each a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from connectors.formats.objects import ROOM, Origin
from connectors.source import SourceRecord
from connectors.values import Refusal, key_text

#: The field that a row of plain text has.
LINE = "line"
_REMEDY = "Send the record again, correctly written"


class Writing(NamedTuple):
    """How lines are written. Without `names` the first line of each value heads it; without `delimiter` a line is one field."""

    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str | None = '"'
    names: Sequence[str] | None = None


def rows_of(origin: Origin, writing: Writing, fields: Sequence[str]) -> list[SourceRecord]:
    """The rows of one value. Raises Refusal where the value as a whole cannot be read."""
    lines = list(io.StringIO(_text(origin.raw, writing.encoding), newline=""))  # as csv has it: no line ends at U+2028
    if writing.delimiter is None:
        plain = [[line.rstrip("\r\n")] for line in lines]
        return _records(origin, [LINE], [(cells, cells[0]) for cells in plain if cells[0].strip()], writing)
    found = list(_cells(lines, writing))
    known = {key_text(field): field for field in fields}
    names = [known.get(key_text(name), name) for name in writing.names or (found.pop(0)[0] if found else [])]
    if found and (missing := [field for field in fields if field not in names]):
        there = ", ".join(names)
        raise Refusal("missing_column", f"found no column {', '.join(missing)}; there is {there}", "Send it, or correct from:")
    return _records(origin, names, found, writing)


def _text(raw: bytes, encoding: str) -> str:
    """Raises Refusal, with the place of the first wrong byte."""
    try:
        text = raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode(encoding, "replace").split("\n")
        found = f"found the bytes {raw[error.start : error.start + 4].hex(' ')} in line {len(good)} at column {len(good[-1]) + 1}"
        raise Refusal("unreadable_text", f"{found}, which are not {encoding}", _REMEDY) from None
    if "\0" in text:
        raise Refusal("unreadable_text", "found a NUL character, which no database takes", _REMEDY)
    return text


def _cells(lines: Sequence[str], writing: Writing) -> Iterator[tuple[list[str], str]]:
    """Each row with its own lines; empty ones are passed over."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if writing.quote else csv.QUOTE_NONE
    rows = csv.reader(lines, delimiter=writing.delimiter or ",", quotechar=writing.quote, quoting=quoting, strict=True)
    begun = 0
    try:
        for cells in rows:
            if any(cells):
                yield cells, "".join(lines[begun : rows.line_num])
            begun = rows.line_num
    except csv.Error as error:
        raise Refusal("broken_row", f"found quotes that do not fit in line {rows.line_num} ({error})", _REMEDY) from None


def _records(
    origin: Origin, names: Sequence[str], found: Sequence[tuple[list[str], str]], writing: Writing
) -> list[SourceRecord]:
    return [
        _record(
            SourceRecord(f"{origin.place} ({number})", origin.number * ROOM + number, {}, text.encode(writing.encoding)),
            names,
            cells,
        )
        for number, (cells, text) in enumerate(found, 1)
    ]


def _record(empty: SourceRecord, names: Sequence[str], cells: Sequence[str]) -> SourceRecord:
    if len(cells) == len(names):
        return empty._replace(row=dict(zip(names, cells, strict=True)))
    found = f"found {len(cells)} cells where there are {len(names)} names"
    return empty._replace(fault=Refusal("ragged_row", found, "Correct the row: a cell was lost or added"))
