"""JSON lines: one object a line, or a list of them inside it. A broken line is refused alone, with its bytes."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from connectors.formats.common import FileSettings, Mark, digest, too_long
from connectors.formats.delimited import known_encoding
from connectors.formats.lines import Lines, opened
from connectors.formats.objects import Origin, decoded, rows_of
from connectors.source import Context, SourceRecord
from connectors.values import Refusal


class JsonLinesSettings(FileSettings):
    """`record` leads to the row inside each line's object, where it is wrapped, or to a list of rows.

    What stands around the row is read by `../`, as in XML: `../case.number`.
    """

    format: Literal["jsonl"]
    encoding: str = "utf-8"
    record: str | None = None

    _known_encoding = field_validator("encoding")(known_encoding)


class JsonLines:
    """One file of JSON lines. Numbers with a fraction stay exact (decimals).

    A mark may stand inside a line, behind some of the records of its list.
    """

    names: Sequence[str] | None = None

    def __init__(self, path: Path, settings: JsonLinesSettings, context: Context, mark: Mark | None, name: str = "") -> None:  # noqa: ARG002  one signature for all forms
        self._name = name or path.name
        self._settings = settings
        self._way = settings.record.split(".") if settings.record else []
        self._file, self._encoding = opened(path, settings.encoding)
        self._utf8 = codecs.lookup(self._encoding).name in ("utf-8", "utf-8-sig")
        self._lines = Lines(self._file, settings.longest_row, settings.growing)
        self._begun = mark or {}
        self.resumed = self._lines.resume(mark)
        if not self.resumed:
            self._begun = {}
        self._inside = 0
        self._line = b""

    def __iter__(self) -> Iterator[SourceRecord]:
        while (line := self._next()) is not None:
            found = self._records(line, self._lines.number)
            for record in found[self._inside :]:
                self._inside = (self._inside + 1) % len(found)
                yield record
            self._inside = 0

    def _next(self) -> bytes | None:
        """The next line; where the mark stood inside it, and it is what it was, what is behind the mark."""
        line = self._lines.take()
        if self._way and line is not None:
            self._line = line
            if "part" in self._begun and self._begun["part"] == _part(line):
                self._inside = int(self._begun["inside"])
        self._begun = {}
        return line

    def _records(self, line: bytes, number: int) -> list[SourceRecord]:
        text, place = line.strip(), f"{self._name}:{number}"
        if not text:
            return []
        value, fault = self._value(text)
        if fault is not None:
            return [SourceRecord(place, number, {}, line[:1_000_000], fault)]
        return rows_of(value, self._way, Origin(place, number, text))

    def _value(self, text: bytes) -> tuple[Any, Refusal | None]:
        if len(text) > self._settings.longest_row:
            return None, too_long(self._settings.longest_row)
        try:
            utf8 = text.removeprefix(b"\xef\xbb\xbf") if self._utf8 else text.decode(self._encoding).encode()
            return decoded(utf8), None
        except ValueError as error:  # of which UnicodeDecodeError is one
            return None, Refusal("broken_line", f"found a line that is no JSON ({error})", "Send the line again, whole")

    def mark(self) -> Mark:
        if not self._inside:
            return self._lines.mark()
        return self._lines.mark_before() | {"part": _part(self._line), "inside": self._inside}

    def close(self) -> None:
        self._file.close()


def _part(line: bytes) -> str:
    running = digest()
    running.update(line)
    return running.hexdigest()
