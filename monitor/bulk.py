"""Many rows at once, by the shortest way each database has: the driver's `executemany` with tuples, or PostgreSQL's COPY.

SQLAlchemy builds a dictionary of parameters for every row, which takes longer than SQLite takes to store it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from monitor.chunks import chunks

#: One row, in the order of the table's columns.
Values = tuple[Any, ...]
#: From so many rows on COPY is worth its beginning and its end.
_COPY = 20
#: Keys in one statement.
KEYS = 500


def insert_many(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Every row has every column, in the table's order. Raises what SQLAlchemy raises."""
    if not rows:
        return
    if connection.dialect.name == "postgresql" and len(rows) >= _COPY:
        _copy(connection, table, rows)
    else:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        connection.exec_driver_sql(_statement(table, mark), list(rows))


def delete_of_cases(connection: Connection, tables: Iterable[Table], keys: Sequence[str]) -> None:
    """All rows of these cases."""
    for part in chunks(keys, KEYS):
        for table in tables:
            connection.execute(table.delete().where(table.c.case_key.in_(part)))


def _copy(connection: Connection, table: Table, rows: Iterable[Values]) -> None:
    driver = connection.connection.driver_connection
    statement = f"COPY {table.name} ({_columns(table)}) FROM STDIN"
    dbapi = connection.dialect.dbapi
    if driver is None or dbapi is None:
        raise ValueError("The connection is closed: nothing can be copied into it.")
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for one in rows:
                copy.write_row(one)
    except dbapi.Error as error:
        raise DBAPIError.instance(statement, None, error, dbapi.Error, dialect=connection.dialect) from error


@cache
def _statement(table: Table, mark: str) -> str:
    marks = ", ".join([mark] * len(table.columns))
    return f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({marks})"  # noqa: S608  names of our own tables


def _columns(table: Table) -> str:
    return ", ".join(f'"{name}"' for name in table.columns.keys())  # noqa: SIM118  it iterates over columns, not names
