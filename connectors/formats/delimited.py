"""CSV and its relatives, line by line from bytes: a row with wrong bytes or cells is refused alone, the others go on."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pydantic import Field, field_validator

from connectors.formats.common import FileSettings, Mark, digest, headings, matched_prefix, too_long, unreadable
from connectors.source import Context, SourceRecord
from connectors.values import Refusal

_WIDE = ("utf-16", "utf-32")
_BOM = "\ufeff"
#: A quoted cell of a growing file that may go on in the next line, which is not there yet.
UNFINISHED = Refusal("broken_row", "found a quote that has not ended", "Wait for the rest")


def known_encoding(name: str) -> str:
    """The encoding's name, checked: an encoding is declared, never guessed."""
    try:
        codecs.lookup(name)
    except LookupError:
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


class Lines:
    """Physical lines of a file with a digest of all that was taken; `back` returns lines that belonged to no row."""

    def __init__(self, file: BinaryIO, limit: int, growing: bool) -> None:
        self._file = file
        self._limit = limit
        self._growing = growing
        self._waiting: list[bytes] = []
        self._running = digest()
        self.offset = 0
        self.number = 0
        self._before = self._running, 0, 0

    def resume(self, mark: Mark | None) -> bool:
        """True when the file's beginning is what was read before: lines go on behind it."""
        running = matched_prefix(self._file, mark)
        if running is None or mark is None:
            self._file.seek(0)
            return False
        self._running, self.offset, self.number = running, int(mark["offset"]), int(mark["line"])
        return True

    def take(self) -> bytes | None:
        """The next line with its end; None at the end. A line beyond the limit is cut, the rest of it skipped."""
        line = self._waiting.pop() if self._waiting else self._file.readline(self._limit + 1)
        if not line or (self._growing and not line.endswith(b"\n")):
            return None
        if self._growing:
            self._before = self._running.copy(), self.offset, self.number
        self._count(line)
        if len(line) > self._limit and not line.endswith(b"\n"):
            self._skip_line()
        return line

    def _count(self, line: bytes) -> None:
        self._running.update(line)
        self.offset += len(line)
        self.number += 1

    def _skip_line(self) -> None:
        while rest := self._file.readline(1 << 16):
            self._running.update(rest)
            self.offset += len(rest)
            if rest.endswith(b"\n"):
                return

    def peek(self, taken: int) -> bytes | None:
        """A line further on, not counted yet: a quoted cell may go on there."""
        while len(self._waiting) <= taken:
            line = self._file.readline(self._limit + 1)
            if not line or (self._growing and not line.endswith(b"\n")):
                return None
            self._waiting.insert(0, line)
        return self._waiting[-1 - taken]

    def give_back(self) -> None:
        """Of a growing file: the line just taken is not whole yet, reading ends before it."""
        self._running, self.offset, self.number = self._before

    def mark(self) -> Mark:
        return {"offset": self.offset, "line": self.number, "digest": self._running.hexdigest()}


class Delimited:
    """One delimited file."""

    def __init__(self, path: Path, settings: DelimitedSettings, context: Context, mark: Mark | None) -> None:
        self._path = path
        self._settings = settings
        self._context = context
        self._delimiter = settings.delimiter
        self._quote = settings.quote.encode(settings.encoding)[-1:] if settings.quote else b"\x00\x00"
        self._file = self._opened()
        self._lines = Lines(self._file, settings.longest_row, settings.growing)
        self._first = 0  # lines of the header and before it
        self._names = self._header()
        if not self._lines.resume(mark):
            self._lines = Lines(self._file, settings.longest_row, settings.growing)
            self._skip_header()

    def _opened(self) -> BinaryIO:
        if not self._settings.encoding.lower().startswith(_WIDE):
            return self._path.open("rb")
        try:
            text = self._path.read_text(self._settings.encoding)
        except UnicodeDecodeError as error:
            found = f"byte {error.start} is not {self._settings.encoding}"
            raise unreadable(self._path, found, "Correct encoding:, or the file", self._context) from None
        self._settings = self._settings.model_copy(update={"encoding": "utf-8"})
        return io.BytesIO(text.encode())

    def _header(self) -> list[str]:
        row = self._settings.header_row
        if row is None:
            return self._settings.names or []
        line = b""
        for _ in range(row):
            line = self._lines.take() or b""
        cells, _, fault = self._cells(line)
        if fault is not None:
            raise unreadable(
                self._path, f"line {row} is no header: {fault.found}", "Correct encoding:, quote: or header_row:", self._context
            )
        self._first = self._lines.number
        self._file.seek(0)
        return headings(self._settings.names or cells, self._path, row, self._context)

    def _skip_header(self) -> None:
        for _ in range(self._first):
            self._lines.take()

    def __iter__(self) -> Iterator[SourceRecord]:
        names, width, place = self._names, len(self._names), self._path.name
        while (line := self._lines.take()) is not None:
            number = self._lines.number
            cells, raw, fault = self._cells(line)
            if fault is UNFINISHED:
                self._lines.give_back()
                return
            if fault is None and not self._counts(cells):
                continue
            if fault is None and len(cells) != width and not (self._settings.short_rows and len(cells) < width):
                fault = _ragged(len(cells), width)
            row = dict(zip(names, cells, strict=False)) if fault is None else {}
            yield SourceRecord(f"{place}:{number}", number, row, raw, fault)

    def _counts(self, cells: list[str]) -> bool:
        """False for a blank row and for one that sums up."""
        return any(cells) and cells[0].strip() not in self._settings.totals

    def _cells(self, line: bytes) -> tuple[list[str], bytes, Refusal | None]:
        if len(line) > self._settings.longest_row:
            return [], line[:4096], too_long(self._settings.longest_row)
        try:
            if self._quote in line:
                return self._quoted(line)
            return self._decoded(line).split(self._delimiter), line, None
        except UnicodeDecodeError as error:
            return [], line, _wrong_bytes(line, error, self._settings.encoding)

    def _decoded(self, line: bytes) -> str:
        return line.decode(self._settings.encoding).rstrip("\r\n").removeprefix(_BOM)

    def _quoted(self, line: bytes) -> tuple[list[str], bytes, Refusal | None]:
        """A row with quotes may go on over several lines; one whose quote never ends is refused alone."""
        more: list[bytes] = []
        rows = csv.reader(self._growing_row(line, more), delimiter=self._delimiter, quotechar=self._settings.quote, strict=True)
        try:
            cells = next(rows)
        except (csv.Error, UnicodeDecodeError) as error:
            if isinstance(error, UnicodeDecodeError) and not more:
                raise
            if self._settings.growing and "unexpected end" in str(error):
                return [], line, UNFINISHED
            return [], line, Refusal("broken_row", f"found quotes that do not fit ({error})", "Correct the quotes at the source")
        for _ in more:
            self._lines.take()
        return cells, line + b"".join(more), None

    def _growing_row(self, line: bytes, more: list[bytes]) -> Iterator[str]:
        encoding, size = self._settings.encoding, len(line)
        yield line.decode(encoding).removeprefix(_BOM)
        while size <= self._settings.longest_row and (following := self._lines.peek(len(more))) is not None:
            more.append(following)
            size += len(following)
            yield following.decode(encoding)

    def mark(self) -> Mark:
        return self._lines.mark()

    def close(self) -> None:
        self._file.close()


def _ragged(found: int, width: int) -> Refusal:
    return Refusal("ragged_row", f"found {found} cells where the header has {width}", "Correct the row: a cell was lost or added")


def _wrong_bytes(line: bytes, error: UnicodeDecodeError, encoding: str) -> Refusal:
    column = len(line[: error.start].decode(encoding, "replace")) + 1
    wrong = line[error.start : error.start + 4].hex(" ")
    return Refusal(
        "unreadable_text",
        f"found the bytes {wrong} at column {column}, which are not {encoding}",
        "Send the row again, correctly encoded",
    )
