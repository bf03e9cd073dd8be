"""Deliveries as rows of an inbox table: in a layout of ours, or in the columns that the department's system has.

The delivery id stands in a column of its own, so that a delivery which comes again changes nothing. The department's system
writes its receipt into the same row; a connector that reads the table makes a `Received` of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import Field

from connectors import databases
from connectors.expressions import Expression, ExpressionError, Functions
from connectors.source import Context, Receipt, RefusedError
from connectors.sqlread.table import bound
from connectors.values import Refusal
from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import Settings

#: What an expression of `columns:` may name.
FIELDS = (
    *(
        "delivery_id",
        "case",
        "namespace",
        "number",
        "sequence",
        "rule",
        "to",
        "hand_over",
        "kind",
        "decided_at",
        "summary",
        "body",
    ),
)


class InboxSettings(Settings):
    """The inbox of the receiving system. `id` is the column of the delivery id.

    `columns` are those of a table that the department has: an expression over the delivery for each. Without them the table
    has a layout of ours and is created when it is missing.
    """

    url: str
    table: str = Field("casebus_inbox", min_length=1)
    id: str = "delivery_id"
    columns: dict[str, Any] = Field(default_factory=dict)


def _layout(name: str, schema: str | None) -> sa.Table:
    """Ours. Times are UTC where the database keeps no zone; the department's system fills the last two columns."""
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("delivery_id", sa.String(64), primary_key=True),
        sa.Column("case_key", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("receiver", sa.String(128), nullable=False),
        sa.Column("hand_over", sa.String(128)),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True)),
        sa.Column("received_by", sa.String(128)),
        schema=schema,
        mysql_charset="utf8mb4",
        mariadb_charset="utf8mb4",
    )


class Inbox:
    """`connectors.source.Target`. Raises ProblemsError for expressions that cannot be used."""

    def __init__(self, settings: InboxSettings, context: Context) -> None:
        self._settings = settings
        self._zone = ZoneInfo(context.zone or "UTC")
        schema, name = databases.named(settings.table)
        self._ours = None if settings.columns else _layout(name, schema)
        self._fills = {name: _compiled(name, source, context) for name, source in settings.columns.items()}
        columns = dict.fromkeys([settings.id, *settings.columns])
        self._table = sa.table(name, *map(sa.column, columns), schema=schema) if self._ours is None else self._ours

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        """Raises RetryError, ConfigurationError, or RefusedError where an expression fails."""
        row = self._row(delivery)
        with databases.connected(self._settings.url) as connection:
            if self._ours is not None:
                self._ours.create(connection, checkfirst=True)
            repeated = self._there(connection, delivery) or not self._put(connection, row, delivery)
        return Receipt(f"{self._settings.table}:{delivery['delivery_id']}", repeated)

    def _there(self, connection: sa.Connection, delivery: Mapping[str, Any]) -> bool:
        column = self._table.c[self._settings.id]
        return connection.execute(sa.select(column).where(column == delivery["delivery_id"])).first() is not None

    def _put(self, connection: sa.Connection, row: dict[str, Any], delivery: Mapping[str, Any]) -> bool:
        """False where somebody else has put it there meanwhile."""
        try:
            connection.execute(self._table.insert().values(row))
            connection.commit()
        except sa.exc.IntegrityError:
            connection.rollback()
            if self._there(connection, delivery):
                return False
            raise
        return True

    def _row(self, delivery: Mapping[str, Any]) -> dict[str, Any]:
        if self._ours is not None:
            return _our_row(delivery)
        known = _known(delivery, self._zone)
        try:
            found = {name: bound(_plain(fill.evaluate(known))) for name, fill in self._fills.items()}
        except Refusal as refusal:
            raise RefusedError(
                f"The columns of {self._settings.table} cannot be filled: {refusal.found}. Correct columns:."
            ) from None
        return {self._settings.id: bound(delivery["delivery_id"]), **found}


def _compiled(name: str, source: Any, context: Context) -> Expression:
    try:
        expression = Expression(source, Functions(zone=context.zone))
    except ExpressionError as error:
        raise ProblemsError(Problem(context.where, f"the inbox's column {name}: {error}", "Correct it.")) from None
    unknown = sorted(expression.names - set(FIELDS))
    if unknown:
        found = f"the inbox's column {name} names `{unknown[0]}`, which a delivery does not have"
        raise ProblemsError(Problem(context.where, found, f"Write one of {', '.join(FIELDS)}, or a text in quotes: \"'0'\"."))
    return expression


def _known(delivery: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """What expressions see; the time as text in the connector's zone, which every database takes."""
    namespace, _, number = str(delivery["case"]).partition(":")
    at = datetime.fromtimestamp(delivery["decided_at"] // 1_000_000, zone)
    more = {"namespace": namespace, "number": number, "decided_at": f"{at:%Y-%m-%d %H:%M:%S}", "body": _body(delivery)}
    return {**delivery, **more, "summary": dict(delivery["summary"])}


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _body(delivery: Mapping[str, Any]) -> str:
    return json.dumps(delivery, ensure_ascii=False)


def _our_row(delivery: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "delivery_id": delivery["delivery_id"],
        "case_key": delivery["case"],
        "kind": delivery["kind"],
        "receiver": delivery["to"],
        "hand_over": delivery["hand_over"],
        "decided_at": datetime.fromtimestamp(delivery["decided_at"] / 1_000_000, UTC),
        "body": _body(delivery),
    }
