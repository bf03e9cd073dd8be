"""Files that can only be read from their start (XLSX, XML): the mark is a count of records and a digest over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from connectors.formats.common import Mark, digest
from connectors.source import SourceRecord

Open = Callable[[], Iterator[SourceRecord]]


class Rolling:
    """Records behind a mark. Where what was read before is no longer what stands there, all are read again."""

    resumed: bool | None = None

    @property
    def names(self) -> Sequence[str] | None:
        return None

    def __init__(self, records: Open, mark: Mark | None, close: Callable[[], None] = lambda: None) -> None:
        self._records = records
        self._wanted = mark if mark and "records" in mark else None
        self._running = digest()
        self._count = 0
        self.close = close

    def __iter__(self) -> Iterator[SourceRecord]:
        source = self._records()
        if self._wanted is not None and not self._passed(source):
            self._running, self._count = digest(), 0
            source = self._records()
        for record in source:
            self._add(record)
            yield record

    def _passed(self, source: Iterator[Any]) -> bool:
        """Read up to the mark; False when other records stand before it."""
        wanted = self._wanted or {}
        while self._count < wanted["records"]:
            record = next(source, None)
            if record is None:
                return False
            self._add(record)
        return bool(self._running.hexdigest() == wanted["digest"])

    def _add(self, record: SourceRecord) -> None:
        self._running.update(record.raw)
        self._count += 1

    def mark(self) -> Mark:
        return {"records": self._count, "digest": self._running.hexdigest()}
