"""A table as a queue: rows whose flag is not set, or all of an outbox; once Kafka has them they are marked or deleted.

The table itself is the position, so that rows which become visible late are found by themselves. A crash between Kafka and the
mark gives the same events again; they have the same ids and count once. Of an outbox a refused row that its dead letter does
not hold whole is left where it is, and passed over until somebody has changed it: deleted it would be lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from connectors.databases import connected
from connectors.deadletters import KEPT
from connectors.source import Batch, Context, Settled, SourceRecord
from connectors.sqlread.marker import Marker, pending
from connectors.sqlread.settings import SqlSettings
from connectors.sqlread.table import BROKEN, Cut, Table
from connectors.sqlread.values import Key

#: Rows left in an outbox that are known; the oldest are forgotten and refused once more.
LEFT = 10_000


class Queue:
    """`connectors.source.Source`, `Settling` and `Remembering`."""

    def __init__(self, settings: SqlSettings, context: Context) -> None:
        self._settings = settings
        self._table = Table(settings, context)
        self._cut = Cut(tuple(settings.key), pending(settings.flag) if settings.flag else None)
        self._marker = Marker(settings)
        self._allowed = False
        self._rows = 0
        self._left: dict[str, None] = {}

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """What waits. The position only counts, and knows what is left: where to go on stands in the table."""
        known = json.loads(position) if position else {}
        self._rows, self._left = known.get("rows", 0), dict.fromkeys(known.get("left", []))
        after: Key | None = None
        ended = False
        while not ended:
            page = self._table.page(self._cut, after, limit)
            ended = page.ended
            after = self._table.keys(page.rows[-1:], self._cut)[0] if page.rows else after
            if records := [one for one in self._table.records(page, self._rows) if not self.refused_before(one)]:
                self._check()
                self._rows += len(records)
                yield Batch(records, self._position())

    def _position(self) -> str:
        return json.dumps({"rows": self._rows} | ({"left": [*self._left]} if self._left else {}))

    def refused_before(self, record: SourceRecord) -> bool:
        """`Remembering`: whether it was left, as it is."""
        return bool(self._left) and _name(record) in self._left

    def remember(self, refused: Sequence[SourceRecord]) -> str:
        """`Remembering`: rows that nobody would have any more if they were deleted."""
        if self._settings.outbox is not None:
            self._left |= dict.fromkeys(_name(one) for one in refused if not _is_held(one))
            for oldest in list(self._left)[:-LEFT]:
                del self._left[oldest]
        return self._position()

    def _check(self) -> None:
        """Without the right to mark, the same rows would be published for ever: asked before the first one is."""
        if not self._allowed:
            with connected(self._settings.url, self._table.session) as connection:
                self._marker.try_out(connection)
            self._allowed = True

    def settled(self, rows: Sequence[Settled]) -> None:
        """Mark them; only what was read is marked, never what has been changed since."""
        taken = [one for one in rows if not one.reason or (self._settings.flag is None and not self.refused_before(one.record))]
        with connected(self._settings.url, self._table.session) as connection:
            self._marker.mark(connection, [one.record.row for one in taken])
            connection.commit()
            for one in rows if self._settings.flag is not None else ():
                if one.reason:
                    self._refused(connection, one)

    def _refused(self, connection: sa.Connection, one: Settled) -> None:
        """With the sentence, or with the reason's code alone where the column's character set does not take it."""
        try:
            self._marker.mark(connection, [one.record.row], one.text)
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise
            connection.rollback()
            self._marker.mark(connection, [one.record.row], one.reason)
        connection.commit()

    def close(self) -> None:
        """Nothing is held between passes."""


def _name(record: SourceRecord) -> str:
    return hashlib.blake2b(record.raw, digest_size=12).hexdigest()


def _is_held(record: SourceRecord) -> bool:
    """Whether a dead letter holds the row whole."""
    return len(record.raw) < KEPT and (record.fault is None or record.fault.reason != BROKEN)
