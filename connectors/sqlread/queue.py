"""A table as a queue: rows whose flag is not set, or all of an outbox; once Kafka has them they are marked or deleted.

The table itself is the position, so that rows which become visible late are found by themselves. A crash between Kafka and the
mark gives the same events again; they have the same ids and count once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from connectors.databases import connected
from connectors.source import Batch, Context, Settled
from connectors.sqlread.marker import Marker, pending
from connectors.sqlread.settings import SqlSettings
from connectors.sqlread.table import Cut, Table
from connectors.sqlread.values import Key


class Queue:
    """`connectors.source.Source` and `Settling`."""

    def __init__(self, settings: SqlSettings, context: Context) -> None:
        self._settings = settings
        self._table = Table(settings, context)
        self._cut = Cut(tuple(settings.key), pending(settings.flag) if settings.flag else None)
        self._marker = Marker(settings)
        self._allowed = False

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """What waits. The position only counts: where to go on stands in the table."""
        done = json.loads(position).get("rows", 0) if position else 0
        after: Key | None = None
        ended = False
        while not ended:
            page = self._table.page(self._cut, after, limit)
            ended = page.ended
            if page.rows:
                self._check()
                records = self._table.records(page, done)
                done += len(records)
                after = self._table.keys(page.rows[-1:], self._cut)[0]
                yield Batch(records, json.dumps({"rows": done}))

    def _check(self) -> None:
        """Without the right to mark, the same rows would be published for ever: asked before the first one is."""
        if not self._allowed:
            with connected(self._settings.url, self._table.session) as connection:
                self._marker.try_out(connection)
            self._allowed = True

    def settled(self, rows: Sequence[Settled]) -> None:
        """Mark them; only what was read is marked, never what has been changed since."""
        taken = [one for one in rows if not one.reason or self._settings.flag is None]
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
