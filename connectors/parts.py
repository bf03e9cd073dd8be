"""A system with several tables as one connector: one source, one position, one mapping that asks each row's own table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bus.errors import BusError
from connectors.mapping import Mapping as RowMapping
from connectors.mapping import Rejection
from connectors.source import Batch, Remembering, Settled, Settling, Source, SourceRecord, Waking
from connectors.values import Refusal
from schemas.envelope import Event


class ByTable(NamedTuple):
    """Translates each row by the mapping of its table."""

    parts: Mapping[str, RowMapping]

    def translate(self, record: SourceRecord, received_at: int, replay: bool = False) -> list[Event] | Rejection:
        return self.parts[record.table].translate(record, received_at, replay)

    def refused(self, record: SourceRecord, refusal: Refusal) -> Rejection:
        return self.parts[record.table].refused(record, refusal)


class Many:
    """The tables of one system, read one after the other. A position holds that of each table, by name."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._at: dict[str, str] = {}
        self._last = ""

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """All tables, though one of them fails: its error comes after what the others have."""
        at: dict[str, str] = json.loads(position) if position else {}
        self._at = at
        failed: BusError | None = None
        for name, source in self._sources.items():
            try:
                for batch in source.fetch(at.get(name), limit):
                    at[name], self._last = batch.position, name
                    records = [record._replace(table=name) for record in batch.records]
                    yield Batch(records, json.dumps(at, ensure_ascii=False, sort_keys=True))
            except BusError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def refused_before(self, record: SourceRecord) -> bool:
        source = self._sources[record.table]
        return isinstance(source, Remembering) and source.refused_before(record)

    def remember(self, refused: Sequence[SourceRecord]) -> str:
        """A batch holds the rows of one table."""
        source = self._sources[self._last]
        if isinstance(source, Remembering):
            self._at[self._last] = source.remember(refused)
        return json.dumps(self._at, ensure_ascii=False, sort_keys=True)

    def settled(self, rows: Sequence[Settled]) -> None:
        """To each table its own rows: a batch holds those of one."""
        for name in dict.fromkeys(one.record.table for one in rows):
            source = self._sources[name]
            if isinstance(source, Settling):
                own = [one for one in rows if one.record.table == name]
                source.settled([one._replace(record=one.record._replace(table="")) for one in own])

    def wake_by(self, wake: Callable[[], None]) -> None:
        for source in self._sources.values():
            if isinstance(source, Waking):
                source.wake_by(wake)

    def close(self) -> None:
        for source in self._sources.values():
            source.close()
