"""The view built anew beside the live one, then switched: whoever looks sees the old figures until the new ones are there.

On SQLite the new tables grow in a file beside, and are copied over the live one in one transaction of SQLite's backup; on
PostgreSQL they grow in a schema beside, and are moved in one transaction. Killed at any point, the old view stands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, Index, insert, inspect, make_url, select, text

from bus.errors import ConfigurationError
from bus.ports import Client
from monitor import tables
from monitor.engines import engine as engine_of
from monitor.rows import Reader
from monitor.service import Progress, Service
from monitor.view import BACK, View, newer, version_of

#: The schema beside, on PostgreSQL; the suffix of the file beside, on SQLite.
BESIDE = "casebus_next"
#: SQLite beside: nobody reads there, and what a crash leaves is thrown away, so nothing is written twice.
SCRATCH = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-64000")


def outdated(url: str) -> str | None:
    """The version of older tables that stand there; None where they can be used.

    Raises ConfigurationError where a newer program has built them: what it keeps, this one would throw away.
    """
    with _standing(url) as connection:
        found = version_of(connection) if connection else None
    if found in (None, tables.VERSION):
        return None
    if newer(found):
        raise ConfigurationError(
            f"The view has tables of version {found}, made by a newer program; this one writes version {tables.VERSION}. {BACK}"
        )
    return found


@contextmanager
def _standing(url: str) -> Iterator[Connection | None]:
    """The tables that stand there, of whatever version; None where a file would have to be made for it."""
    engine = engine_of(url)
    try:
        if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists():
            yield None
            return
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def rebuild(url: str, client: Client, reader: Reader, tell: Callable[[Progress], None]) -> int:
    """Read everything again into tables beside, then switch; returns how many records. Mute."""
    beside = _beside(url)
    with closing(beside), indexed_at_last(beside):
        count = Service(beside, client, reader).load(tell)
        _carry(url, beside)
    _switch(url)
    return count


@contextmanager
def indexed_at_last(view: View) -> Iterator[None]:
    """Without the indexes that only readers need: made at last, each is sorted once and not for every row."""
    with view.writing() as connection:
        for index in _indexes():
            index.drop(connection)
    yield
    with view.writing() as connection:
        for index in _indexes():
            index.create(connection)


def _indexes() -> Iterator[Index]:
    return (index for table in tables.metadata.sorted_tables for index in sorted(table.indexes, key=lambda one: str(one.name)))


def _beside(url: str) -> View:
    """Emptied: what an earlier attempt has left may be of any version."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        _remove(_file(url))
        return View.open(_next(url), SCRATCH)
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {BESIDE}"))
    engine.dispose()
    return View.open(_next(url))


def _next(url: str) -> str:
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return f"sqlite:///{_file(url)}"
    if parts.get_backend_name() != "postgresql":
        raise ConfigurationError(f"A view on {parts.get_backend_name()} cannot be built beside. Use SQLite or PostgreSQL.")
    return parts.update_query_dict({"options": f"-csearch_path={BESIDE} -csynchronous_commit=off"}).render_as_string(
        hide_password=False
    )


def _file(url: str) -> Path:
    return Path(f"{make_url(url).database}.{BESIDE}")


def _remove(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)


def _carry(url: str, beside: View) -> None:
    """Alerts about departments stand in no journal: what the tables have of them, of whatever version they are."""
    with _standing(url) as connection:
        rows = _of_departments(connection) if connection and inspect(connection).has_table(tables.alerts.name) else []
    if rows:
        with beside.writing() as writing:
            writing.execute(insert(tables.alerts), rows)


def _of_departments(connection: Connection) -> list[dict[str, object]]:
    """Columns that they lack get nothing in them, those that we do not have are left behind."""
    there = {column["name"] for column in inspect(connection).get_columns(tables.alerts.name)}
    known = [column for column in tables.alerts.columns if column.name in there]
    rows = connection.execute(select(*known).where(tables.alerts.c.case_key == ""))
    return [tables.empty_row(tables.alerts) | row._asdict() for row in rows]


def _switch(url: str) -> None:
    if make_url(url).get_backend_name() == "sqlite":
        file = _file(url)
        with closing(sqlite3.connect(file)) as new, closing(sqlite3.connect(str(make_url(url).database))) as live:
            live.execute("PRAGMA busy_timeout = 60000")
            new.backup(live)
        _remove(file)
        return
    engine = engine_of(url)
    with engine.begin() as connection:
        _move(engine, connection)
    engine.dispose()


def _move(engine: Engine, connection: Connection) -> None:
    """PostgreSQL: what stands here gives way, what stands beside takes its place."""
    here = inspect(engine).default_schema_name
    for name in inspect(engine).get_table_names():
        if name in tables.metadata.tables:
            connection.execute(text(f'DROP TABLE "{name}"'))
    for name in tables.metadata.tables:
        connection.execute(text(f'ALTER TABLE {BESIDE}."{name}" SET SCHEMA "{here}"'))
    connection.execute(text(f"DROP SCHEMA {BESIDE} CASCADE"))
