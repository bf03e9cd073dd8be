"""Several rows to one: rows of one case that follow each other, or the rows that a second table has for each.

The row that goes on is the first of its kind with all of them in a list (`into`). A child that comes later does not change
what was published: it gives the row once more, with one child more, and the mapping lets its `version` rise with them (their
number, their newest time), so that the router replaces what the case was told before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from connectors import rowtext
from connectors.children import Place, WithChildren
from connectors.gathering import GatherSettings, key_of
from connectors.source import Batch, Remembering, Settled, Settling, Source, SourceRecord
from connectors.values import Refusal

#: Rows of one group; more are no application with its papers but a mistake in `by:`.
LARGEST = 200


def fields(settings: GatherSettings | None, read: Sequence[Any], inner: Mapping[str, Sequence[Any]]) -> list[Any]:
    """The source's own fields among those that columns read: lists of rows are ours, what rows of the source hold is its own."""
    own = [field for field in read if not (isinstance(field, str) and field in inner)]
    if settings is None:
        return own
    below = [] if settings.children is not None else inner.get(settings.into, [])
    return own + [field for field in [*below, *settings.by] if field not in own]


def around(source: Source, settings: GatherSettings | None, url: str | None, where: str) -> Source:
    """The source with its rows gathered."""
    if settings is None:
        return source
    if settings.children is None:
        return Consecutive(source, settings)
    return WithChildren(source, settings, Place(settings.children.url or url or "", where))


class _Made(NamedTuple):
    """The source's rows in a group that was given: all, and those that it had not been given with before."""

    whole: list[SourceRecord]
    new: list[SourceRecord]


class Consecutive:
    """Rows that follow each other with the same key.

    A position keeps the rows of the last group: they may go on in the next batch, or tomorrow at the end of the file. At the
    end of a pass the group is given as it is; when it has grown by the next, it is given again, whole. A row of it that comes
    once more (its file was read anew, a crash came before its flag) takes its own place in it.
    """

    def __init__(self, source: Source, settings: GatherSettings) -> None:
        self._source = source
        self._settings = settings
        self._at: str | None = None
        self._held: list[SourceRecord] = []
        self._told = 0
        self._again: list[SourceRecord] = []  # of those told, what came once more
        self._made_of: dict[str, _Made] = {}

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        at: dict[str, Any] = json.loads(position) if position else {"at": None, "held": [], "told": 0}
        self._at, self._held, self._told = at["at"], [_restored(one) for one in at["held"]], int(at["told"])
        self._again = []
        for batch in self._source.fetch(self._at, limit):
            self._made_of.clear()
            given = [one for record in batch.records for one in self._taken(record)]
            self._at = batch.position
            if given:
                yield Batch(given, self._position())
        self._made_of.clear()
        if last := self._group():
            self._told, self._again = len(self._held), []
            yield Batch(last, self._position())

    def _taken(self, record: SourceRecord) -> list[SourceRecord]:
        """What is given because this row has come: the group before it, or itself where it could not be read."""
        if record.fault is not None:
            return [record]
        if self._held and self._belongs(record):
            self._join(record)
            return []
        given = self._group()
        self._held, self._told, self._again = [record], 0, []
        return given

    def _join(self, record: SourceRecord) -> None:
        place = next((number for number, one in enumerate(self._held) if _is_same(one, record)), None)
        if place is None:
            self._held.append(record)
            return
        self._held[place] = record
        if place < self._told:
            self._again.append(record)

    def _belongs(self, record: SourceRecord) -> bool:
        key, first = key_of(record.row, self._settings.by), self._held[0]
        return None not in key and key == key_of(first.row, self._settings.by) and record.table == first.table

    def _group(self) -> list[SourceRecord]:
        """The group as one row, where it has not been given so already."""
        new = [*self._again, *self._held[self._told :]]
        if not new:
            return []
        merged = _merged(self._held, self._settings.into)
        self._made_of[merged.position] = _Made(self._held, new)
        return [merged]

    def _position(self) -> str:
        rows = [[one.position, one.sequence, one.table, rowtext.encoded(one.row)] for one in self._held[: LARGEST + 1]]
        told = 0 if self._again else min(self._told, len(rows))
        return json.dumps({"at": self._at, "held": rows, "told": told}, ensure_ascii=False)

    def _parts(self, record: SourceRecord) -> _Made:
        """The source's own rows in one that was given; a row that stands alone is its own."""
        return self._made_of.get(record.position, _Made([record], [record]))

    def settled(self, rows: Sequence[Settled]) -> None:
        """To the source each of its own rows: they share what became of the one they made."""
        if isinstance(self._source, Settling):
            parts = ((one, self._parts(one.record).new) for one in rows)
            self._source.settled([one._replace(record=part) for one, made in parts for part in made])

    def refused_before(self, record: SourceRecord) -> bool:
        """When each of its rows was: one that is new among them makes it another group."""
        source = self._source
        return isinstance(source, Remembering) and all(map(source.refused_before, self._parts(record).whole))

    def remember(self, refused: Sequence[SourceRecord]) -> str:
        if isinstance(self._source, Remembering):
            self._at = self._source.remember([part for one in refused for part in self._parts(one).whole])
        return self._position()

    def close(self) -> None:
        self._source.close()


def _is_same(one: SourceRecord, other: SourceRecord) -> bool:
    """The same place alone is not enough: calls of another process begin at the first again."""
    return one.position == other.position and (one.sequence == other.sequence or one.row == other.row)


def _merged(held: Sequence[SourceRecord], into: str) -> SourceRecord:
    first, more = held[0], len(held) - 1
    fault = None
    if len(held) > LARGEST:
        fault = Refusal("too_many_rows", f"found {len(held):,} rows of one group, more than {LARGEST:,}", "Correct gather.by:")
    row = {**first.row, into: [dict(one.row) for one in held[:LARGEST]]}
    raw = b"\n".join(one.raw.rstrip(b"\r\n") for one in held) if more else first.raw
    return SourceRecord(f"{first.position}+{more}" if more else first.position, first.sequence, row, raw, fault, first.table)


def _restored(kept: Sequence[Any]) -> SourceRecord:
    position, sequence, table, row = kept
    return SourceRecord(position, sequence, rowtext.decoded(row), row.encode(), None, table)
