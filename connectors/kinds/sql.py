"""Kind `sql`: a department fills exchange tables (前置库) in SQLite, PostgreSQL, MariaDB or whatever SQLAlchemy reaches.

Rows are followed in the order of (watermark, key), or taken from a queue: a table with a flag, an outbox. Deliveries become
rows of an inbox table.
"""

from __future__ import annotations

from pathlib import Path

from bus.errors import ConfigurationError
from connectors.inbox import Inbox, InboxSettings
from connectors.source import Context, Kind, Source, Target
from connectors.sqlread.follow import Follow
from connectors.sqlread.queue import Queue
from connectors.sqlread.settings import SqlSettings
from connectors.sqlread.table import Table
from schemas.yamlfile import Map, validated


def located(url: str, base: Path) -> str:
    """The address with a relative SQLite file put below the deployment's folder."""
    head, found, path = url.partition(":///")
    relative = found and head.startswith("sqlite") and path and not path.startswith(("/", ":", "file:"))
    return f"{head}:///{base / path}" if relative else url


def _settings(node: Map) -> SqlSettings:
    return validated(SqlSettings, node)


def _open(settings: SqlSettings, context: Context) -> Source:
    return Queue(settings, context) if settings.flag or settings.outbox else Follow(settings, context)


def _columns(settings: SqlSettings, context: Context) -> list[str] | None:
    """What a row has. Raises ConfigurationError where rows would never be read, because they have no key."""
    table = Table(settings, context)
    if table.keyless():
        raise ConfigurationError(
            f"{context.where}: {settings.name} has rows without {', '.join(settings.key)}, and rows without a key are not read. "
            "Fill it at the source, name another key:, or write a query: that gives one."
        )
    return None if settings.json_columns else table.headings()


def _target(settings: InboxSettings, context: Context) -> Target:
    return Inbox(settings.model_copy(update={"url": located(settings.url, context.base)}), context)


KIND = Kind(
    about="Tables and queries of a database: SQLite, PostgreSQL, MariaDB and what else SQLAlchemy reaches",
    settings=_settings,
    open=_open,
    table=lambda settings: settings.name,
    nested=lambda settings: bool(settings.json_columns),
    once=lambda settings: bool(settings.flag or settings.outbox),
    located=lambda settings, base: settings.model_copy(update={"url": located(settings.url, base)}),
    columns=_columns,
    target_settings=InboxSettings,
    target=_target,
)
