"""The rows that a second table has for each row of a source, asked for once a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from bus.errors import ConfigurationError
from connectors.databases import connected, selected
from connectors.gathering import GatherSettings, Key, key_of
from connectors.source import Batch, Remembering, Settled, Settling, Source, SourceRecord

#: Keys of one query: SQLite takes a condition of so many alternatives.
_KEYS = 200


class Place(NamedTuple):
    """The database of the children, and the mapping that asks for them."""

    url: str
    where: str


class Wanted(NamedTuple):
    """Rows of a table or a query whose columns `by` have certain values, in the order of `order`."""

    table: str | None
    query: str | None
    by: Sequence[str]
    order: Sequence[str]


def rows_under(url: str, wanted: Wanted, keys: Sequence[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """The rows under these keys, some hundred keys a query. Raises RetryError or ConfigurationError."""
    if not keys:
        return
    with connected(url) as connection:
        for start in range(0, len(keys), _KEYS):
            found = connection.execute(*_under(connection, wanted, keys[start : start + _KEYS]))
            names = tuple(found.keys())
            yield from (dict(zip(names, row, strict=True)) for row in found)


def _under(connection: sa.Connection, wanted: Wanted, keys: Sequence[Sequence[Any]]) -> tuple[sa.TextClause, dict[str, Any]]:
    """Names are quoted and values bound; alternatives are written out, for not every database compares tuples."""
    quote = connection.dialect.identifier_preparer.quote
    source = selected(connection, wanted.table, wanted.query).replace(":", r"\:")
    names = ["q." + quote(name).replace(":", r"\:") for name in wanted.by]
    limits = (" and ".join(f"{name} = :k{row}_{part}" for part, name in enumerate(names)) for row in range(len(keys)))
    order = ", ".join(["q." + quote(name) for name in wanted.order])
    text = f"select q.* from ({source}) q where {' or '.join(f'({limit})' for limit in limits)}"  # noqa: S608  quoted and bound
    values = {f"k{row}_{part}": value for row, key in enumerate(keys) for part, value in enumerate(key)}
    return sa.text(text + (f" order by {order}" if order else "")), values


class WithChildren:
    """Each row with the rows that a second table has under its key, asked for once a batch."""

    def __init__(self, source: Source, settings: GatherSettings, place: Place) -> None:
        self._source = source
        self._settings = settings
        self._place = place
        self._at = ""
        self._alike: dict[Key, list[SourceRecord]] = {}

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        for batch in self._source.fetch(position, limit):
            self._at = batch.position
            yield Batch(self._with(self._chosen(batch.records)), batch.position)

    def _chosen(self, records: Sequence[SourceRecord]) -> Sequence[SourceRecord]:
        """With `once` the last of the rows that ask for the same children."""
        if not self._settings.once:
            return records
        self._alike = {}
        for one in records:
            if one.fault is None:
                self._alike.setdefault(key_of(one.row, self._settings.by), []).append(one)
        return [one for one in records if one.fault is not None or self._asking(one)[-1] is one]

    def _asking(self, record: SourceRecord) -> list[SourceRecord]:
        """The rows for which one was given."""
        return [record] if record.fault is not None else self._alike.get(key_of(record.row, self._settings.by), [record])

    def _with(self, records: Sequence[SourceRecord]) -> list[SourceRecord]:
        by, into = self._settings.by, self._settings.into
        keys = {key_of(one.row, by): [one.row.get(name) for name in by] for one in records if one.fault is None}
        found = self._asked([asked for key, asked in keys.items() if None not in key])
        return [
            one if one.fault is not None else one._replace(row={**one.row, into: found.get(key_of(one.row, by), [])})
            for one in records
        ]

    def _asked(self, keys: list[list[Any]]) -> dict[Key, list[dict[str, Any]]]:
        """The children by key. Raises RetryError, or ConfigurationError with the place in the mapping."""
        children = self._settings.children
        if children is None:
            return {}
        by = children.by or self._settings.by
        found: dict[Key, list[dict[str, Any]]] = {}
        try:
            for row in rows_under(self._place.url, Wanted(children.table, children.query, by, children.order), keys):
                found.setdefault(key_of(row, by), []).append(row)
        except ConfigurationError as error:
            raise ConfigurationError(f"{self._place.where}: gather: {error}") from error
        return found

    def settled(self, rows: Sequence[Settled]) -> None:
        """What became of one became of all that ask for the same children."""
        if isinstance(self._source, Settling):
            self._source.settled([one._replace(record=record) for one in rows for record in self._asking(one.record)])

    def refused_before(self, record: SourceRecord) -> bool:
        """By the row's own bytes: a child that came since makes it another row only to the mapping."""
        return isinstance(self._source, Remembering) and self._source.refused_before(record)

    def remember(self, refused: Sequence[SourceRecord]) -> str:
        if isinstance(self._source, Remembering):
            self._at = self._source.remember(refused)
        return self._at

    def close(self) -> None:
        self._source.close()
