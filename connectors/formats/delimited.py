"""CSV and its relatives, line by line from bytes: a row with wrong bytes or cells is refused alone, the others go on."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from connectors.formats.common import FileSettings, Mark, headings, too_long, unreadable
from connectors.formats.lines import Lines, opened
from connectors.source import Context, SourceRecord
from connectors.values import Refusal

#: Byte order marks, the longer first: the one of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
#: Cells in quotes may be as long as rows may (`longest_row`); the library's own limit is 128 KiB.
csv.field_size_limit(1 << 28)
_BOM = "\ufeff"
#: A quoted cell of a growing file that may go on in the next line, which is not there yet.
UNFINISHED = Refusal("broken_row", "found a quote that has not ended", "Wait for the rest")


def known_encoding(name: str) -> str:
    """The encoding's name, checked: an encoding is declared, never guessed."""
    try:
        "".encode(name)  # which also refuses what is no encoding of texts: hex, base64
    except (LookupError, UnicodeError):
        raise ValueError("no encoding, write one such as utf-8 or gb18030") from None
    return name


class DelimitedSettings(FileSettings):
    """`header_row` counts from 1; without one (null) `names` gives the columns. `totals` begins a row that only sums up."""

    format: Literal["csv"]
    encoding: str = "utf-8"
    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str | None = Field('"', min_length=1, max_length=1)
    header_row: int | None = Field(1, ge=1, le=1000)
    names: list[str] | None = None
    totals: list[str] = Field(default_factory=list)
    short_rows: bool = False

    _known_encoding = field_validator("encoding")(known_encoding)

    @field_validator("totals", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]


class Delimited:
    """One delimited file."""

    def __init__(self, path: Path, settings: DelimitedSettings, context: Context, mark: Mark | None, name: str = "") -> None:
        self._name = name or path.name
        self._declared = settings.encoding
        self._context = context
        self._delimiter = settings.delimiter
        self._file, encoding = opened(path, settings.encoding)
        self._settings = settings.model_copy(update={"encoding": encoding})
        self._encoding = encoding
        self._longest = settings.longest_row
        self._short = settings.short_rows
        self._totals = frozenset(settings.totals)
        self._quote = settings.quote.encode(encoding)[-1:] if settings.quote else b"\n\n"  # which no line holds
        self._lines = Lines(self._file, settings.longest_row, settings.growing)
        self._first = 0  # lines of the header and before it
        try:
            self.names = self._header()
        except BaseException:
            self._file.close()
            raise
        self.resumed = self._lines.resume(mark)
        if not self.resumed:
            self._skip_header()

    def _restart(self) -> None:
        self._file.seek(0)
        self._lines = Lines(self._file, self._settings.longest_row, self._settings.growing)

    def _header(self) -> list[str]:
        row = self._settings.header_row
        if row is None:
            return self._settings.names or []
        line = b""
        for _ in range(row):
            line = self._lines.take() or b""
        self._check_mark(line if row == 1 else b"")
        cells, _, fault = self._cells(line)
        if fault is not None:
            found = f"line {row} is no header: {fault.found}"
            raise unreadable(self._name, found, "Correct encoding:, quote: or header_row:", self._context)
        self._first = self._lines.number
        names = headings(self._settings.names or cells, self._name, row, self._context)
        self._restart()
        return names

    def _check_mark(self, line: bytes) -> None:
        """A byte order mark says which encoding it is; one that says another than the mapping is told, not guessed around."""
        said = next((name for mark, name in _MARKS if line.startswith(mark)), None)
        if said is not None and codecs.lookup(self._declared).name not in (said, f"{said}-sig"):
            found = f"it begins with the byte order mark of {said}, but the mapping says {self._declared}"
            raise unreadable(self._name, found, f"Write encoding: {said}", self._context)

    def _skip_header(self) -> None:
        for _ in range(self._first):
            self._lines.take()

    def __iter__(self) -> Iterator[SourceRecord]:
        names, width, place, lines = self.names, len(self.names), self._name, self._lines
        while (line := lines.take()) is not None:
            number = lines.number
            cells, raw, fault = self._cells(line)
            if fault is None:
                if not (cells[0] or any(cells)) or (self._totals and cells[0].strip() in self._totals):
                    continue
                if len(cells) == width or (self._short and len(cells) < width):
                    row = dict(zip(names, cells, strict=False))
                    # the same as SourceRecord(...), in half the time: every row of every file comes here
                    yield tuple.__new__(SourceRecord, (f"{place}:{number}", number, row, raw, None, ""))
                    continue
                fault = _ragged(len(cells), width)
            if fault is UNFINISHED:
                lines.give_back()
                return
            yield SourceRecord(f"{place}:{number}", number, {}, raw, fault)

    def _cells(self, line: bytes) -> tuple[list[str], bytes, Refusal | None]:
        if len(line) > self._longest:
            return [], line[:4096], too_long(self._longest)
        try:
            if b"\0" in line:
                return [], line, self._nul(line)
            if self._quote in line:
                return self._quoted(line)
            return line.decode(self._encoding).rstrip("\r\n").removeprefix(_BOM).split(self._delimiter), line, None
        except UnicodeDecodeError as error:
            return [], line, self._wrong_bytes(line, error)

    def _quoted(self, line: bytes) -> tuple[list[str], bytes, Refusal | None]:
        """A row with quotes may go on over several lines; one whose quote never ends is refused alone."""
        more: list[bytes] = []
        rows = csv.reader(self._growing_row(line, more), delimiter=self._delimiter, quotechar=self._settings.quote, strict=True)
        try:
            cells = next(rows)
        except (csv.Error, UnicodeDecodeError) as error:
            if isinstance(error, UnicodeDecodeError) and not more:
                raise
            if self._settings.growing and "unexpected end" in str(error) and self._size <= self._longest:
                return [], line, UNFINISHED
            return [], line, Refusal("broken_row", f"found quotes that do not fit ({error})", "Correct the quotes at the source")
        for _ in more:
            self._lines.take()
        return [_text(cell) for cell in cells], line + b"".join(more), None

    def _growing_row(self, line: bytes, more: list[bytes]) -> Iterator[str]:
        encoding, self._size = self._settings.encoding, len(line)
        yield line.decode(encoding).removeprefix(_BOM)
        while self._size <= self._longest and (following := self._lines.peek(len(more))) is not None:
            more.append(following)
            self._size += len(following)
            yield following.decode(encoding)

    def _nul(self, line: bytes) -> Refusal:
        column = len(line.partition(b"\0")[0].decode(self._settings.encoding, "replace")) + 1
        found = f"found a NUL byte at column {column}, as in UTF-16 or in a file that was not written to its end"
        return Refusal("unreadable_text", found, "Send the row again, or correct encoding: in the mapping")

    def _wrong_bytes(self, line: bytes, error: UnicodeDecodeError) -> Refusal:
        column = len(line[: error.start].decode(self._settings.encoding, "replace")) + 1
        wrong = f"the bytes {line[error.start : error.start + 4].hex(' ')}"
        if self._declared != self._settings.encoding:
            wrong = "bytes"  # what stands in the line is no longer what stood in the file
        found = f"found {wrong} at column {column}, which are not {self._declared}"
        return Refusal("unreadable_text", found, "Send the row again, correctly encoded")

    def mark(self) -> Mark:
        return self._lines.mark()

    def close(self) -> None:
        self._file.close()


def _text(cell: str) -> str:
    """="0012" is how spreadsheets are told that 0012 is a text: the sign and the quotes belong to no value."""
    return cell[2:-1].replace('""', '"') if cell[:2] == '="' and cell[-1] == '"' and len(cell) > 2 else cell


def _ragged(found: int, width: int) -> Refusal:
    return Refusal("ragged_row", f"found {found} cells where the header has {width}", "Correct the row: a cell was lost or added")
