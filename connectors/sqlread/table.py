"""The rows of one table or query, page by page in some order; no cursor is held between two pages.

A row that the database or its driver cannot give (a text that is no UTF-8, a date beyond the calendar, an expression of a
view that fails) is found by asking for fewer and fewer rows, and comes alone, with its key and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bus.errors import ConfigurationError
from connectors import databases
from connectors.columns import must_have
from connectors.databases import Session, connected
from connectors.deadletters import KEPT
from connectors.formats.objects import DEEPEST, is_too_deep
from connectors.source import Context, SourceRecord
from connectors.sqlfaults import RowError
from connectors.sqlread.settings import SqlSettings
from connectors.sqlread.values import Key, Row, raw
from connectors.values import Refusal

#: Bytes of one row: no event is as large, and the dead letter keeps only its beginning.
LONGEST_ROW = 8_000_000
#: The reason of a row of which only the key could be read.
BROKEN = "broken_row"
#: Databases that use an index for (a, b) > (x, y).
_TUPLES = ("postgresql", "sqlite")


#: A column of the rows, by its name.
Column = Callable[[str], sa.ColumnElement[Any]]


class Cut(NamedTuple):
    """Which rows in which order; those whose ordering columns are null stay away."""

    order: tuple[str, ...]
    where: Callable[[Column], sa.ColumnElement[bool]] | None = None


class Page(NamedTuple):
    """Rows, and whether they were the last for now. A row with a fault stands alone."""

    rows: list[Row]
    ended: bool
    fault: Refusal | None = None


class Table:
    """Reads. Raises RetryError and ConfigurationError as `connected` does."""

    def __init__(self, settings: SqlSettings, context: Context) -> None:
        self.settings = settings
        self.session = Session(settings.timeout, context.zone)
        self._where = context.where
        self._fields = [_head(field, settings.json_columns) for field in must_have(context.fields, context.columns)]

    # -- pages

    def page(self, cut: Cut, after: Key | None, limit: int) -> Page:
        """At most so many rows behind this key, which may be shorter than the order."""
        try:
            rows = self._rows(cut, after, limit)
        except RowError as error:
            return self._around(cut, after, limit, error)
        except (ValueError, OverflowError, UnicodeError) as error:  # of a driver that turns values into Python's
            return self._around(cut, after, limit, RowError(f"The driver cannot read a value: {error}."))
        self._check(rows)
        return Page(rows, len(rows) < limit)

    def _around(self, cut: Cut, after: Key | None, limit: int, error: RowError) -> Page:
        """What stands before the row that fails, or that row's key alone."""
        if limit > 1:
            found = self.page(cut, after, limit // 2)
            return found._replace(ended=False)
        rows = self._rows(cut, after, 1, keys_only=True)
        if not rows:
            raise error
        return Page(rows, ended=False, fault=Refusal(BROKEN, str(error).split(": ", 1)[-1], "Correct it at the source"))

    def _rows(self, cut: Cut, after: Key | None, limit: int, keys_only: bool = False) -> list[Row]:
        with connected(self.settings.url, self.session) as connection:
            statement = self._statement(connection, cut, after, keys_only).limit(limit)
            found = connection.execute(statement)
            names = tuple(found.keys())
            return [dict(zip(names, row, strict=True)) for row in found.all()]  # half the price of `mappings()`

    def key_before_the_last(self, cut: Cut, count: int) -> Key | None:
        """The key of the row behind which the last `count` stand; None where there are no more than that."""
        with connected(self.settings.url, self.session) as connection:
            downward = [column.desc() for column in map(_columns(connection), cut.order)]
            statement = self._statement(connection, cut, None, keys_only=True)
            found = connection.execute(statement.order_by(None).order_by(*downward).limit(1).offset(count)).first()
        return tuple(found[: len(cut.order)]) if found else None

    def now(self) -> datetime:
        with connected(self.settings.url, self.session) as connection:
            return databases.now(connection)

    # -- statements

    def _statement(self, connection: sa.Connection, cut: Cut, after: Key | None, keys_only: bool) -> sa.Select[Any]:
        """Names are quoted and values bound; the query's own text is the deployment's."""
        column = _columns(connection)
        order = [column(name) for name in cut.order]
        limits: list[sa.ColumnElement[bool]] = [one.is_not(None) for one in order]
        if cut.where is not None:
            limits.append(cut.where(column))
        if after is not None:
            limits.append(_behind(order[: len(after)], [bound(value) for value in after], connection.dialect.name in _TUPLES))
        names = dict.fromkeys([*cut.order, *self._names])
        whole: list[sa.ColumnElement[Any]] = [sa.literal_column("q.*")]
        wanted = [column(name).label(name) for name in names] if keys_only else whole
        rows: sa.Select[Any] = sa.select(*wanted).select_from(sa.text(self._source(connection)))
        return rows.where(*limits).order_by(*order)

    def keyless(self) -> bool:
        """Whether a row has null in its key: it stands in no order, so it is never read. Raises as `connected` does."""
        with connected(self.settings.url, self.session) as connection:
            column = _columns(connection)
            empty = sa.or_(*(column(name).is_(None) for name in self.settings.key))
            rows = sa.select(sa.text("1")).select_from(sa.text(self._source(connection))).where(empty).limit(1)
            return connection.execute(rows).first() is not None

    def headings(self) -> list[str]:
        """What a row has, without reading one. Raises as `connected` does."""
        with connected(self.settings.url, self.session) as connection:
            found = connection.execute(sa.select(sa.text("*")).select_from(sa.text(self._source(connection))).limit(0))
            return list(found.keys())

    @property
    def _names(self) -> list[str]:
        mark = self.settings.watermark
        return [*([mark] if mark else []), *self.settings.key]

    def _source(self, connection: sa.Connection) -> str:
        if self.settings.table is not None:
            return databases.quoted(connection, self.settings.table).replace(":", r"\:") + " q"
        return f"({databases.selected(connection, None, self.settings.query)}) q".replace(":", r"\:")

    def _check(self, rows: list[Row]) -> None:
        """That the table has what the mapping reads."""
        missing = [field for field in self._fields if rows and field not in rows[0]]
        if missing:
            known = ", ".join(rows[0])
            raise ConfigurationError(
                f"{self._where}: {self.settings.name} has no column {', '.join(missing)}; it has {known}. "
                "Correct from: in the mapping, or the query."
            )

    # -- records

    def records(self, page: Page, before: int) -> list[SourceRecord]:
        """Rows as the connectors know them; `before` were read before them since the beginning."""
        return [self._record(row, before + index, page.fault) for index, row in enumerate(page.rows, 1)]

    def _record(self, row: Row, number: int, fault: Refusal | None) -> SourceRecord:
        key = [row[name] for name in self.settings.key]
        sequence = key[0] if len(key) == 1 and isinstance(key[0], int) and 0 <= key[0] < 2**53 else number
        text = raw(row)
        if len(text) > LONGEST_ROW:
            found = f"found a row of {len(text):,} bytes, more than {LONGEST_ROW:,}"
            fault, text = Refusal("row_too_long", found, "Leave the large column out: write a query:"), text[:KEPT]
        elif self.settings.json_columns and fault is None:
            row, fault = _opened(row, self.settings.json_columns)
        return SourceRecord(f"{self.settings.name}:{'/'.join(map(str, key))}", sequence, row, text, fault)

    def keys(self, rows: Sequence[Row], cut: Cut) -> list[Key]:
        return [tuple(row[name] for name in cut.order) for row in rows]


def _head(field: Any, documents: list[str]) -> str:
    """The column that a field lies in."""
    name = str(field[0] if isinstance(field, list) else field)
    head = name.partition(".")[0]
    return head if head in documents else name


def _opened(row: Row, columns: list[str]) -> tuple[Row, Refusal | None]:
    """Documents in place of their text."""
    opened = dict(row)
    for name in columns:
        value = row.get(name)
        if not isinstance(value, (str, bytes)):
            continue
        try:
            opened[name] = json.loads(value)
            if is_too_deep(opened[name]):
                raise ValueError(f"it is nested deeper than {DEEPEST} levels")  # noqa: TRY301  as what cannot be read
        except (ValueError, RecursionError) as error:
            return row, Refusal("unreadable_value", f"found no JSON ({error})", "Correct it at the source", name)
    return opened, None


def _columns(connection: sa.Connection) -> Column:
    quote = connection.dialect.identifier_preparer.quote
    return lambda name: sa.literal_column(f"q.{quote(name)}")


def bound(value: Any) -> sa.BindParameter[Any]:
    """A value as the driver writes it: SQLAlchemy's own idea of its type would turn zones and identifiers into others."""
    return sa.bindparam(None, value, type_=sa.types.NullType(), unique=True)


def _behind(names: list[sa.ColumnElement[Any]], values: list[sa.BindParameter[Any]], tuples: bool) -> sa.ColumnElement[bool]:
    """Later than these values in the order of all names. Written out for databases that find no index for tuples."""
    if len(names) == 1:
        return names[0] > values[0]
    if tuples:
        return sa.tuple_(*names) > sa.tuple_(*values)
    found: sa.ColumnElement[bool] = names[-1] > values[-1]
    for name, value in zip(names[-2::-1], values[-2::-1], strict=True):
        found = sa.or_(name > value, sa.and_(name == value, found))
    return sa.and_(names[0] >= values[0], found)
