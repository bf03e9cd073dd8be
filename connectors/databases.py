"""SQLAlchemy engines and the few statements that connectors need; every fault is a sentence with the place to mend."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from bus.errors import ConfigurationError, RetryError
from connectors import sqlfaults
from schemas.problem import Problem, ProblemsError

#: The drivers that we bring; another one is named in the address (mysql+mysqldb://).
_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}
#: Seconds until a server counts as unreachable.
_CONNECT = 10
#: SQLite looks at its time limit after so many steps of its machine: some milliseconds.
_STEPS = 20_000


class Session(NamedTuple):
    """How a connection behaves: seconds that a statement may take (0: no limit), and the zone of times that are told in one."""

    timeout: float = 0.0
    zone: str | None = None


_PLAIN = Session()


@cache
def engine(url: str, session: Session = _PLAIN) -> sa.Engine:
    """The process's engine of this address. Raises ConfigurationError when the address or its driver is unusable."""
    try:
        parsed = sa.make_url(url)
        parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
        arguments = _arguments(parsed.get_backend_name(), session)
        made = sa.create_engine(parsed, pool_pre_ping=True, pool_size=2, max_overflow=2, connect_args=arguments)
    except (ArgumentError, ValueError):  # a port that is no number: mostly the rest of a password
        raise ConfigurationError(
            "The database's address is no URL of SQLAlchemy. Write one such as sqlite:///file.db or postgresql://user@host/name; "
            "signs of a password that have a meaning there as %3A %2F %40."
        ) from None
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"The database's driver is not installed ({error}). Install casebus[postgres], casebus[mysql], or its driver."
        ) from None
    sa.event.listen(made, "connect", lambda raw, _: _prepare(made.dialect.name, raw, session))
    return made


def _arguments(backend: str, session: Session) -> dict[str, Any]:
    """A network that was cut without a word is noticed within a minute, or soon after the time limit of a statement."""
    if backend == "postgresql":
        return {"connect_timeout": _CONNECT, "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3}
    if backend in ("mysql", "mariadb"):
        limit = {"read_timeout": session.timeout + _CONNECT} if session.timeout else {}
        return {"connect_timeout": _CONNECT, "charset": "utf8mb4", **limit}
    return {}


def _prepare(dialect: str, raw: Any, session: Session) -> None:
    """Settings of a new connection, in its database's words."""
    statements = list(_settings(dialect, raw, session))
    cursor = raw.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
    if statements:
        raw.commit()


def _settings(dialect: str, raw: Any, session: Session) -> Iterator[str]:
    if dialect == "postgresql":
        if session.timeout:
            yield f"set statement_timeout = {round(session.timeout * 1000)}"
        if session.zone:
            yield f"set time zone '{session.zone}'"
    elif dialect in ("mysql", "mariadb"):
        if session.timeout and "MariaDB" in raw.get_server_info():
            yield f"set session max_statement_time = {session.timeout}"
        elif session.timeout:
            yield f"set session max_execution_time = {round(session.timeout * 1000)}"
        if session.zone:
            yield f"set session time_zone = '{_offset(session.zone)}'"


def _offset(name: str) -> str:
    """The zone as an offset: its name is known only to servers whose tables of zones somebody has filled."""
    year = datetime.now(UTC).year
    offsets = {datetime(year, month, 1, tzinfo=ZoneInfo(name)).strftime("%z") for month in range(1, 13)}
    if len(offsets) > 1:
        return name
    (offset,) = offsets
    return f"{offset[:3]}:{offset[3:5]}"


@contextmanager
def connected(url: str, session: Session = _PLAIN) -> Iterator[sa.Connection]:
    """A connection; what the driver raises comes out as RetryError (it may pass) or ConfigurationError (it will not).

    RowError, a ConfigurationError, says that the statement is sound and some row is not.
    """
    try:
        with engine(url, session).connect() as connection, _limited(connection, session.timeout):
            yield connection
    except DBAPIError as error:
        raise sqlfaults.of(error, f"The database {_hidden(url)}") from error
    except sa.exc.TimeoutError as error:
        raise RetryError(f"The database {_hidden(url)} is asked by too many at once: {error}. It will be tried again.") from error
    except SQLAlchemyError as error:
        raise ConfigurationError(
            f"The query cannot be put to {_hidden(url)}: {error}. Correct source: in the mapping."
        ) from error


@contextmanager
def _limited(connection: sa.Connection, timeout: float) -> Iterator[None]:
    """SQLite has no time limit of its own: it asks us now and then whether to go on."""
    raw: Any = connection.connection.driver_connection
    if not timeout or connection.dialect.name != "sqlite":
        yield
        return
    end = time.monotonic() + timeout
    raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


def now(connection: sa.Connection) -> datetime:
    """The earlier of the database's clock and ours."""
    ours = datetime.now(UTC)
    asked = {"postgresql": "select now()", "mysql": "select utc_timestamp(6)", "mariadb": "select utc_timestamp(6)"}
    statement = asked.get(connection.dialect.name)
    if statement is None:
        return ours
    theirs: datetime = connection.execute(sa.text(statement)).scalar_one()
    return min(ours, theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))


def _hidden(url: str) -> str:
    """Without password, and without options: a password may stand there too."""
    return sa.make_url(url).set(query={}).render_as_string(hide_password=True)


def named(table: str) -> tuple[str | None, str]:
    """Schema and name of `schema.table`."""
    schema, _, name = table.rpartition(".")
    return schema or None, name


def quoted(connection: sa.Connection, table: str) -> str:
    """The table's name, with its schema where it has one, quoted."""
    quote = connection.dialect.identifier_preparer.quote
    return ".".join(quote(part) for part in table.split("."))


def selected(connection: sa.Connection, table: str | None, query: str | None) -> str:
    """The text of a sub-query: the whole table with its name quoted, or the query as it was written."""
    if query is not None:
        return query.strip().rstrip(";")
    return f"select * from {quoted(connection, str(table))}"  # noqa: S608  quoted by the dialect


def rows(url: str, table: str | None, query: str | None, where: str) -> list[dict[str, Any]]:
    """All rows of a small table. Raises ProblemsError naming the place in the mapping."""
    try:
        with connected(url) as connection:
            result = connection.execute(sa.text(selected(connection, table, query).replace(":", r"\:")))
            return [dict(row) for row in result.mappings()]
    except ConfigurationError as error:
        raise ProblemsError(Problem(where, str(error).rstrip("."), "Correct sql:.")) from error
