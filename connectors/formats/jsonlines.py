"""JSON lines: one object a line. A broken line is refused alone, with its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import field_validator

from connectors.formats.common import FileSettings, Mark, too_long
from connectors.formats.delimited import Lines, known_encoding
from connectors.source import Context, SourceRecord
from connectors.values import Refusal


class JsonLinesSettings(FileSettings):
    """`record` leads to the row inside each line's object, where it is wrapped."""

    format: Literal["jsonl"]
    encoding: str = "utf-8"
    record: str | None = None

    _known_encoding = field_validator("encoding")(known_encoding)


_decoder = msgspec.json.Decoder(float_hook=Decimal)


class JsonLines:
    """One file of JSON lines. Numbers with a fraction stay exact (decimals)."""

    def __init__(self, path: Path, settings: JsonLinesSettings, context: Context, mark: Mark | None) -> None:  # noqa: ARG002  one signature for all forms
        self._name = path.name
        self._settings = settings
        self._utf8 = settings.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
        self._file = path.open("rb")
        self._lines = Lines(self._file, settings.longest_row, settings.growing)
        if not self._lines.resume(mark):
            self._lines = Lines(self._file, settings.longest_row, settings.growing)

    def __iter__(self) -> Iterator[SourceRecord]:
        lines, place = self._lines, self._name
        while (line := lines.take()) is not None:
            text = line.strip()
            if not text:
                continue
            row, fault = self._row(text)
            yield SourceRecord(f"{place}:{lines.number}", lines.number, row, text if fault is None else line[:1_000_000], fault)

    def _row(self, text: bytes) -> tuple[dict[str, Any], Refusal | None]:
        if len(text) > self._settings.longest_row:
            return {}, too_long(self._settings.longest_row)
        try:
            value = _decoder.decode(text.removeprefix(b"\xef\xbb\xbf") if self._utf8 else text.decode(self._settings.encoding))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return {}, Refusal("broken_line", f"found a line that is no JSON ({error})", "Send the line again, whole")
        for name in self._settings.record.split(".") if self._settings.record else ():
            value = value.get(name) if isinstance(value, dict) else None
        if not isinstance(value, dict):
            return {}, Refusal("broken_line", "found a line that holds no object", "Send one object a line")
        return value, None

    def mark(self) -> Mark:
        return self._lines.mark()

    def close(self) -> None:
        self._file.close()
