"""SQLAlchemy engines and the few statements that connectors need; every fault is a sentence with the place to mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from bus.errors import ConfigurationError, RetryError
from schemas.problem import Problem, ProblemsError


@cache
def engine(url: str) -> sa.Engine:
    """The process's engine of this address. Raises ConfigurationError when the address or its driver is unusable."""
    try:
        parsed = sa.make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=2, max_overflow=2)
    except ArgumentError:
        raise ConfigurationError(
            "The database's address is no URL of SQLAlchemy. Write one such as sqlite:///file.db or postgresql://user@host/name."
        ) from None
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"The database's driver is not installed ({error}). Install casebus[postgres], or its driver."
        ) from None


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """A connection; what the driver raises comes out as RetryError (it may pass) or ConfigurationError (it will not)."""
    try:
        with engine(url).connect() as connection:
            yield connection
    except DBAPIError as error:
        text = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
        if isinstance(error, sa.exc.OperationalError) and not _wrong_name(text):
            raise RetryError(f"The database {_hidden(url)} did not answer: {text}. It will be tried again.") from error
        raise ConfigurationError(
            f"The database {_hidden(url)} refused the query: {text}. Correct source: in the mapping."
        ) from error
    except SQLAlchemyError as error:
        raise ConfigurationError(
            f"The query cannot be put to {_hidden(url)}: {error}. Correct source: in the mapping."
        ) from error


def _wrong_name(text: str) -> bool:
    """SQLite says "operational" to a missing table too, which waiting will not mend."""
    return "no such" in text or "syntax error" in text


def _hidden(url: str) -> str:
    return sa.make_url(url).render_as_string(hide_password=True)


def selected(connection: sa.Connection, table: str | None, query: str | None) -> str:
    """The text of a sub-query: the whole table with its name quoted, or the query as it was written."""
    if query is not None:
        return query.strip().rstrip(";")
    quote = connection.dialect.identifier_preparer.quote
    return "select * from " + ".".join(quote(part) for part in str(table).split("."))  # noqa: S608  quoted by the dialect


def rows(url: str, table: str | None, query: str | None, where: str) -> list[dict[str, Any]]:
    """All rows of a small table. Raises ProblemsError naming the place in the mapping."""
    try:
        with connected(url) as connection:
            result = connection.execute(sa.text(selected(connection, table, query).replace(":", r"\:")))
            return [dict(row) for row in result.mappings()]
    except ConfigurationError as error:
        raise ProblemsError(Problem(where, str(error).rstrip("."), "Correct sql:.")) from error
