"""What a database's error means for us: wait, correct the query, ask for a right, or look at one row.

PostgreSQL says it by SQLSTATE (its manual, appendix A), MariaDB and MySQL by number, SQLite by words.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy import exc

from bus.errors import BusError, ConfigurationError, RetryError

Meaning = Literal["lost", "slow", "denied", "address", "query", "row"]


class RowError(ConfigurationError):
    """The statement is sound, the database stumbled over what some row holds."""


class Rule(NamedTuple):
    """How one family of drivers tells its errors apart: beginnings of codes, then words; the class comes last."""

    codes: dict[Meaning, tuple[str, ...]]
    words: dict[Meaning, tuple[str, ...]]


_POSTGRESQL = Rule(
    {
        "slow": ("57014",),
        "denied": ("42501", "25006"),
        "address": ("28", "3D"),
        "query": ("42", "3F", "0A"),
        "row": ("20", "21", "22", "23", "38", "39", "P0"),
        "lost": ("08", "25", "40", "53", "55", "57", "58", "XX"),
    },
    {"address": ("authentication failed", "no pg_hba", "does not exist")},
)
_MYSQL = Rule(
    {
        "slow": ("1969", "3024"),
        "denied": ("1044", "1142", "1143", "1227", "1290", "1370", "1792", "1836"),
        "address": ("1045", "1049", "1698"),
        "query": ("1052", "1054", "1064", "1109", "1146", "1222", "1267", "1305", "1356"),
        "row": ("1242", "1264", "1292", "1365", "1366", "1406", "1644", "1690", "3141", "4038"),
        "lost": ("1040", "1053", "1077", "1152", "1158", "1159", "1160", "1161", "1205", "1213", "1317", "1927", "2"),
    },
    {},
)
_SQLITE = Rule(
    {},
    {
        "slow": ("interrupted",),
        "lost": ("locked", "busy", "unable to open", "disk I/O", "is full"),
        "denied": ("readonly", "not authorized"),
        "address": ("not a database", "disk image is malformed"),
        "query": ("no such", "syntax error", "ambiguous", "unrecognized token", "incomplete input", "wrong number of arguments"),
        "row": ("decode to UTF-8", "malformed JSON", "overflow", "constraint", "too big"),
    },
)
_FAMILIES = {"psycopg": _POSTGRESQL, "pymysql": _MYSQL, "sqlite3": _SQLITE}


def of(error: exc.DBAPIError, database: str) -> BusError:
    """`database` names it as in "The database x"."""
    text = _text(error)
    meaning = "lost" if error.connection_invalidated else _meaning(error, text)
    return _ERRORS[meaning](f"{database} {_SAYS[meaning].format(text)}")


_SAYS: dict[Meaning, str] = {
    "lost": "did not answer: {}. It will be tried again.",
    "slow": "did not answer in time: {}. Have an index put on the columns of watermark: and key:, or raise timeout: in source:.",
    "denied": "does not allow it: {}. Ask for the right, or write another user in url:.",
    "address": "refused the connection: {}. Correct url:.",
    "query": "refused the query: {}. Correct source: in the mapping.",
    "row": "stumbled over a row: {}. Correct the row, or convert the column in query:.",
}
_ERRORS: dict[Meaning, type[BusError]] = {
    "lost": RetryError,
    "slow": RetryError,
    "denied": ConfigurationError,
    "address": ConfigurationError,
    "query": ConfigurationError,
    "row": RowError,
}


def _meaning(error: exc.DBAPIError, text: str) -> Meaning:
    rule = _FAMILIES.get(type(error.orig).__module__.partition(".")[0])
    if rule is not None:
        code = _code(error)
        for meaning, codes in rule.codes.items():
            if code.startswith(codes):
                return meaning
        for meaning, words in rule.words.items():
            if any(word in text for word in words):
                return meaning
    return _by_class(error)


def _text(error: exc.DBAPIError) -> str:
    """The first line of what the driver says, without MySQL's number in front."""
    arguments: tuple[object, ...] = getattr(error.orig, "args", ())
    said = arguments[1] if _number(arguments) and len(arguments) > 1 else error.orig
    lines = str(said).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error.orig).__name__


def _number(arguments: tuple[object, ...]) -> str:
    return str(arguments[0]) if arguments and isinstance(arguments[0], int) else ""


def _code(error: exc.DBAPIError) -> str:
    """MySQL's number (four signs), or SQLSTATE (five)."""
    return _number(getattr(error.orig, "args", ())) or str(getattr(error.orig, "sqlstate", None) or "")


def _by_class(error: exc.DBAPIError) -> Meaning:
    if isinstance(error, (exc.DataError, exc.IntegrityError)):
        return "row"
    return "lost" if isinstance(error, (exc.OperationalError, exc.InterfaceError)) else "query"
