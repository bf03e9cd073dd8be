"""JSON that is one document: a list of objects, or an object that holds them somewhere inside. It is read whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from connectors.formats.common import FileSettings, Mark, unreadable
from connectors.formats.delimited import known_encoding
from connectors.formats.objects import Origin, decoded, own, rows_of
from connectors.formats.rolling import Rolling
from connectors.source import Context, SourceRecord
from connectors.values import Refusal

#: Bytes of a document: as objects it takes about ten times as much memory.
LARGEST = 64 << 20
_SHOWN = 10_000


class JsonDocumentSettings(FileSettings):
    """`record` leads from the document to its rows: `data.list`; lists on the way are gone through: `data.list.steps`.

    What stands around the row is read by `../`: `../bizNo`.
    """

    format: Literal["json"]
    encoding: str = "utf-8"
    record: str | None = None

    _known_encoding = field_validator("encoding")(known_encoding)


class JsonDocument(Rolling):
    """One document. Numbers with a fraction stay exact (decimals)."""

    def __init__(self, path: Path, settings: JsonDocumentSettings, context: Context, mark: Mark | None, name: str = "") -> None:
        self._path = path
        self._name = name or path.name
        self._context = context
        self._encoding = settings.encoding
        self._way = settings.record.split(".") if settings.record else []
        super().__init__(self._rows, mark)

    def _rows(self) -> Iterator[SourceRecord]:
        if self._path.stat().st_size > LARGEST:
            found = f"it has more than {LARGEST >> 20} MB, and JSON in one document is read whole"
            raise unreadable(self._name, found, "Ask for one object a line (format: jsonl), or for several files", self._context)
        text = self._path.read_bytes()
        try:
            value = decoded(text.decode(self._encoding).removeprefix("\ufeff").encode())
        except ValueError as error:  # of which UnicodeDecodeError is one
            fault = Refusal("broken_file", f"found no JSON in {self._encoding} ({error})", "Send the file again, whole")
            yield SourceRecord(f"{self._name}:1", 1, {}, text[:_SHOWN], fault)
            return
        for number, one in enumerate(value if isinstance(value, list) else [value], 1):
            for record in rows_of(one, self._way, Origin(f"{self._name}:{number}", number, b"")):
                yield record._replace(raw=own(record) if record.fault is None else repr(one).encode()[:_SHOWN])
