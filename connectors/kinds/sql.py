"""Kind `sql`: a department fills exchange tables (前置库) in SQLite, PostgreSQL or whatever SQLAlchemy reaches.

Rows are read in the order of (watermark, key), behind the last pair that was read. A row counts when its watermark is
written: a system that changes rows must change their watermark too. Deliveries become rows of an inbox table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import Field, field_validator, model_validator

from bus.errors import ConfigurationError
from connectors.databases import connected, selected
from connectors.source import Batch, Context, Kind, Receipt, Source, SourceRecord, Target
from schemas.yamlfile import Map, Settings, validated

Position = dict[str, Any]


class SqlSettings(Settings):
    """`key` (a column or several) is unique; `watermark`, by default the key, only grows.

    `query` may join; its columns are the fields.
    """

    url: str
    table: str | None = None
    query: str | None = None
    key: list[str] = Field(min_length=1)
    watermark: str | None = None

    @field_validator("key", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    @model_validator(mode="after")
    def _one(self) -> SqlSettings:
        if (self.table is None) == (self.query is None):
            raise ValueError("write either table: or query:")
        return self


class InboxSettings(Settings):
    """The inbox of the receiving system; the table is created when it is missing."""

    url: str
    table: str = Field("casebus_inbox", pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$")


class Rows:
    """The rows of one table or query."""

    def __init__(self, settings: SqlSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._order = [*([settings.watermark] if settings.watermark else []), *settings.key]
        self._name = settings.table or "query"

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """Batches behind the position, each in a query of its own: no cursor is held while a batch is published."""
        at: Position = json.loads(position) if position else {"after": None, "rows": 0}
        while True:
            rows = self._read(at, limit)
            if not rows:
                return
            records = [self._record(row, at["rows"] + index) for index, row in enumerate(rows, 1)]
            at = {"after": [_stored(rows[-1][name]) for name in self._order], "rows": at["rows"] + len(rows)}
            yield Batch(records, json.dumps(at, ensure_ascii=False))
            if len(rows) < limit:
                return

    def _read(self, at: Position, limit: int) -> list[dict[str, Any]]:
        with connected(self._settings.url) as connection:
            statement = self._statement(connection, at["after"] is not None).limit(limit)
            values = {f"p{index}": _restored(value) for index, value in enumerate(at["after"] or ())}
            found = connection.execute(statement, values)
            names = tuple(found.keys())
            rows = [dict(zip(names, row, strict=True)) for row in found]  # half the price of `mappings()`
        self._check(rows)
        return rows

    def _statement(self, connection: sa.Connection, behind: bool) -> sa.Select[Any]:
        """Names are quoted and values bound; the query's own text is the deployment's."""
        quote = connection.dialect.identifier_preparer.quote
        names = ["q." + quote(name) for name in self._order]
        source = selected(connection, self._settings.table, self._settings.query).replace(":", r"\:")
        limits = [f"{name} is not null" for name in names] + ([_behind(names)] if behind else [])
        rows: sa.Select[Any] = sa.select(sa.literal_column("q.*")).select_from(sa.text(f"({source}) q"))
        return rows.where(*map(sa.text, limits)).order_by(*map(sa.text, names))

    def _check(self, rows: list[dict[str, Any]]) -> None:
        missing = [str(field) for field in self._context.fields if rows and field not in rows[0]]
        if missing:
            known = ", ".join(rows[0])
            raise ConfigurationError(
                f"{self._context.where}: {self._name} has no column {', '.join(missing)}; it has {known}. "
                "Correct from: in the mapping, or the query."
            )

    def _record(self, row: dict[str, Any], number: int) -> SourceRecord:
        key = [row[name] for name in self._settings.key]
        sequence = key[0] if len(key) == 1 and isinstance(key[0], int) and 0 <= key[0] < 2**53 else number
        return SourceRecord(f"{self._name}:{'/'.join(map(str, key))}", sequence, row, _ENCODER.encode(row).encode())

    def close(self) -> None:
        """Engines belong to the process; nothing is held between passes."""


def _behind(names: list[str]) -> str:
    """Later than the last row in the order of all names; written out, for not every database compares tuples."""
    last = len(names) - 1
    text = f"{names[last]} > :p{last}"
    for index in reversed(range(last)):
        text = f"({names[index]} > :p{index} or ({names[index]} = :p{index} and {text}))"
    return text


def _shown(value: Any) -> str:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else str(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=_shown)


def _stored(value: Any) -> Any:
    """A watermark as JSON keeps it, with its type: text and times compare differently."""
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {"decimal": str(value)} if isinstance(value, Decimal) else value


def _restored(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    return _KINDS[kind](text)


_KINDS: dict[str, Callable[[str], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "decimal": Decimal,
}


class Inbox:
    """Deliveries as rows: the delivery id is the primary key, so a repetition changes nothing."""

    def __init__(self, settings: InboxSettings, _: Context) -> None:
        self._url = settings.url
        self._table = sa.Table(
            settings.table,
            sa.MetaData(),
            sa.Column("delivery_id", sa.String(64), primary_key=True),
            sa.Column("case_key", sa.String(128), nullable=False),
            sa.Column("kind", sa.String(64), nullable=False),
            sa.Column("receiver", sa.String(128), nullable=False),
            sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("body", sa.Text, nullable=False),
        )

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        """Raises RetryError or ConfigurationError."""
        place = f"{self._table.name}:{delivery['delivery_id']}"
        with connected(self._url) as connection:
            self._table.create(connection, checkfirst=True)
            known = sa.select(self._table.c.delivery_id).where(self._table.c.delivery_id == delivery["delivery_id"])
            repeated = connection.execute(known).first() is not None
            if not repeated:
                connection.execute(self._table.insert().values(_inbox_row(delivery)))
            connection.commit()
        return Receipt(place, repeated)


def _inbox_row(delivery: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "delivery_id": delivery["delivery_id"],
        "case_key": delivery["case"],
        "kind": delivery["kind"],
        "receiver": delivery["to"],
        "decided_at": datetime.fromtimestamp(delivery["decided_at"] / 1_000_000, UTC),
        "body": json.dumps(delivery, ensure_ascii=False),
    }


def located(url: str, base: Path) -> str:
    """The address with a relative SQLite file put below the deployment's folder."""
    head, found, path = url.partition(":///")
    relative = found and head.startswith("sqlite") and path and not path.startswith(("/", ":", "file:"))
    return f"{head}:///{base / path}" if relative else url


def _settings(node: Map) -> SqlSettings:
    return validated(SqlSettings, node)


def _open(settings: SqlSettings, context: Context) -> Source:
    return Rows(settings, context)


def _target(settings: InboxSettings, context: Context) -> Target:
    return Inbox(settings.model_copy(update={"url": located(settings.url, context.base)}), context)


KIND = Kind(
    about="Tables and queries of a database: SQLite, PostgreSQL and what else SQLAlchemy reaches",
    settings=_settings,
    open=_open,
    table=lambda settings: settings.table or "query",
    located=lambda settings, base: settings.model_copy(update={"url": located(settings.url, base)}),
    target_settings=InboxSettings,
    target=_target,
)
