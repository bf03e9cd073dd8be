"""Writing back what became of rows: a flag with the error's text, or their deletion from an outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connectors.databases import named
from connectors.sqlread.settings import FlagSettings, SqlSettings
from connectors.sqlread.table import Column, bound

#: Rows marked by one statement.
_CHUNK = 500


def pending(flag: FlagSettings) -> Callable[[Column], sa.ColumnElement[bool]]:
    """The condition of rows that nobody has taken yet."""

    def condition(column: Column) -> sa.ColumnElement[bool]:
        found = column(flag.column).is_(None)
        return sa.or_(found, column(flag.column).in_([_text(value) for value in flag.unset])) if flag.unset else found

    return condition


def _text(value: Any) -> sa.BindParameter[Any]:
    """A value from the YAML goes as text, which each database turns into its column's type."""
    return bound(str(value))


class Marker:
    """Statements for one table. A row whose watermark has moved since it was read is left alone: it comes again."""

    def __init__(self, settings: SqlSettings) -> None:
        self._flag = settings.flag
        schema, self._name = named((settings.flag and settings.flag.table) or str(settings.table))
        self._schema = schema
        self._key = list(settings.key)
        self._mark = settings.watermark
        columns = dict.fromkeys([*self._key, *([self._mark] if self._mark else []), *self._written()])
        self._target = sa.table(self._name, *map(sa.column, columns), schema=schema)
        self._room: int | None = None

    def _written(self) -> list[str]:
        flag = self._flag
        return [] if flag is None else [name for name in (flag.column, flag.error, flag.at) if name is not None]

    def try_out(self, connection: sa.Connection) -> None:
        """Change nothing, as a test of whether we may. Raises as the database does."""
        columns = self._target.c
        same = {columns[name]: columns[name] for name in self._written()}
        nothing = sa.update(self._target).values(same) if same else sa.delete(self._target)
        connection.execute(nothing.where(sa.literal_column("1") == sa.literal_column("0")))

    def mark(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]], text: str | None = None) -> None:
        """As taken, or with a text as refused."""
        values = self._values(None if text is None else text[: self._longest(connection)], refused=text is not None)
        for which in self._which(rows):
            chosen = sa.update(self._target).values(values) if values else sa.delete(self._target)
            connection.execute(chosen.where(which))

    def _values(self, text: str | None, *, refused: bool) -> dict[Any, Any]:
        flag = self._flag
        if flag is None:
            return {}
        values: dict[Any, Any] = {self._target.c[flag.column]: _text(flag.refused if refused else flag.taken)}
        if flag.error is not None:
            values[self._target.c[flag.error]] = bound(text)
        if flag.at is not None:
            values[self._target.c[flag.at]] = sa.func.current_timestamp()
        return values

    def _which(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[sa.ColumnElement[bool]]:
        unmarked = [row for row in rows if self._mark is not None and row[self._mark] is None]
        others = [row for row in rows if self._mark is None or row[self._mark] is not None]
        with_mark = [*self._key, *([self._mark] if self._mark else [])]
        for start in range(0, len(others), _CHUNK):
            yield self._among(with_mark, others[start : start + _CHUNK])
        for start in range(0, len(unmarked), _CHUNK):
            nothing = self._target.c[str(self._mark)].is_(None)
            yield sa.and_(nothing, self._among(self._key, unmarked[start : start + _CHUNK]))

    def _among(self, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> sa.ColumnElement[bool]:
        columns = [self._target.c[name] for name in names]
        if len(columns) == 1:
            return columns[0].in_([bound(row[names[0]]) for row in rows])
        return sa.tuple_(*columns).in_([sa.tuple_(*(bound(row[name]) for name in names)) for row in rows])

    def _longest(self, connection: sa.Connection) -> int | None:
        """Characters that the column of errors takes, asked once."""
        if self._room is None and self._flag is not None and self._flag.error is not None:
            columns: Sequence[Mapping[str, Any]] = sa.inspect(connection).get_columns(self._name, self._schema)
            types = {one["name"]: one["type"] for one in columns}
            self._room = getattr(types.get(self._flag.error), "length", None) or 10_000
        return self._room
