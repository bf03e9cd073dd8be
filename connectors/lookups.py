"""Lookups: the tables that turn a system's local codes into ours. Inline, from a file (CSV, JSON, JSON lines, YAML) or by SQL."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from connectors import values
from schemas import yamlfile
from schemas.problem import Problem, ProblemsError

Row = Any
_LARGEST = 2_000_000


class SqlSettings(yamlfile.Settings):
    """A code table in a database: `url` defaults to that of the connector's own source."""

    url: str | None = Field(None, repr=False)
    table: str | None = None
    query: str | None = None

    @model_validator(mode="after")
    def _one(self) -> SqlSettings:
        if (self.table is None) == (self.query is None):
            raise ValueError("write either table: or query:")
        return self


class LookupSettings(yamlfile.Settings):
    """One lookup. `path` leads to the rows in a JSON document; `key` names the column of the code, `value` the one wanted."""

    table: dict[str, Any] | None = None
    file: str | None = None
    sql: SqlSettings | None = None
    path: str | None = None
    key: str | None = None
    value: str | None = None
    encoding: str = "utf-8-sig"
    delimiter: str = Field(",", min_length=1, max_length=1)
    fold: bool = False
    unknown: str = Field("unknown_code", pattern=r"^[a-z][a-z0-9_]*$")

    @model_validator(mode="after")
    def _one(self) -> LookupSettings:
        if sum(given is not None for given in (self.table, self.file, self.sql)) != 1:
            raise ValueError("write exactly one of table:, file:, sql:")
        return self


Read = Callable[[], Iterable[tuple[str, Row]]]


class Table:
    """A lookup's rows by code. `reload` reads them again; a code is looked up as text."""

    def __init__(self, name: str, settings: LookupSettings, read: Read, origin: str, file: Path | None = None) -> None:
        self.name = name
        self.unknown = settings.unknown
        self.origin = origin
        self.reloadable = settings.table is None
        self._fold = settings.fold
        self._read = read
        self._file = file
        self._seen: object = None
        self._rows: dict[str, Row] | None = None

    def get(self, code: Any) -> Row | None:
        """The row of this code; None when the table has none."""
        if self._rows is None:
            self.reload()
        rows = self._rows or {}
        text = code if isinstance(code, str) else values.text_of(code)
        return rows.get(self._folded(text) if self._fold else text) if text is not None else None

    def refresh(self, again: bool) -> None:
        """Read the table again where it can have changed: a file that looks as it did has not, unless `again`."""
        if self.reloadable and self._rows is not None and (again or self._file is None or self._looks() != self._seen):
            self.reload()

    def _looks(self) -> object:
        found = self._file.stat() if self._file is not None and self._file.exists() else None
        return found and (found.st_size, found.st_mtime_ns)

    def reload(self) -> None:
        """Raises ProblemsError when the table cannot be read."""
        self._seen = self._looks()
        rows: dict[str, Row] = {}
        for code, row in self._read():
            rows[self._folded(code) if self._fold else code] = row
            if len(rows) > _LARGEST:
                found = f"the lookup `{self.name}` has more than {_LARGEST:,} rows"
                raise ProblemsError(Problem(self.origin, found, "Join it in the source's query: instead."))
        self._rows = rows

    def watched(self) -> Counter[str]:
        """How often each code of the table is asked for, from now on."""
        if self._rows is None:
            self.reload()
        self._rows = _Watched(self._rows or {})
        return self._rows.asked

    @staticmethod
    def _folded(text: str) -> str:
        return values.key_text(text).casefold()


class _Watched(dict[str, Row]):
    """Rows that count who asks for them."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        super().__init__(rows)
        self.asked = Counter(dict.fromkeys(rows, 0))

    def get(self, code: str, default: Row = None) -> Row:
        if code in self:
            self.asked[code] += 1
        return super().get(code, default)


def table(name: str, settings: LookupSettings, base: Path, url: str | None, where: str) -> Table:
    """The table of these settings; nothing is read yet. Relative files are relative to `base`."""
    if settings.table is not None:
        rows = [(str(code), row) for code, row in settings.table.items()]
        return Table(name, settings, lambda: rows, where)
    if settings.sql is not None:
        sql = settings.sql
        return Table(name, settings, lambda: _keyed(_sql_rows(sql, url, where), settings, where), where)
    path = base / str(settings.file)
    return Table(name, settings, lambda: _keyed(_file_rows(path, settings, where), settings, where), where, path)


def _keyed(rows: Any, settings: LookupSettings, where: str) -> Iterable[tuple[str, Row]]:
    if isinstance(rows, Mapping):
        pairs: Iterable[tuple[Any, Row]] = rows.items()
    elif settings.key is None:
        pairs = ((row, row) for row in rows) if _plain(rows) else _no_key(where)
    else:
        pairs = ((_member(row, settings.key, where), row) for row in rows)
    for code, row in pairs:
        text = values.text_of(code)
        if text is not None:
            yield text, row if settings.value is None else _member(row, settings.value, where)


def _plain(rows: Any) -> bool:
    return isinstance(rows, list) and not any(isinstance(row, (Mapping, list)) for row in rows)


def _no_key(where: str) -> Iterable[tuple[Any, Row]]:
    raise ProblemsError(Problem(where, "the lookup's rows have no key", "Write key: <the column that holds the code>."))


def _member(row: Any, name: str, where: str) -> Any:
    try:
        return row[name]
    except (KeyError, TypeError):
        known = ", ".join(map(str, row)) if isinstance(row, Mapping) else "no columns"
        raise ProblemsError(
            Problem(where, f"the lookup has no column `{name}`, it has {known}", "Correct key: or value:.")
        ) from None


def _file_rows(path: Path, settings: LookupSettings, where: str) -> Any:
    try:
        return _reader(path)(path, settings)
    except FileNotFoundError:
        raise ProblemsError(Problem(where, f"the lookup's file {path} is not there", "Put it there, or correct file:.")) from None
    except (OSError, ValueError, LookupError, TypeError, csv.Error) as error:  # an unknown encoding is a LookupError
        found = f"the lookup's file {path} cannot be read: {error}"
        raise ProblemsError(Problem(where, found, "Correct file:, path: or encoding:.")) from None


def _csv_rows(path: Path, settings: LookupSettings) -> list[dict[str, Any]]:
    with path.open(encoding=settings.encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=settings.delimiter))


def _json_rows(path: Path, settings: LookupSettings) -> Any:
    return _descend(json.loads(path.read_text(settings.encoding)), settings.path)


def _jsonl_rows(path: Path, settings: LookupSettings) -> list[Any]:
    lines = path.read_text(settings.encoding).split("\n")  # a text may hold what else ends lines: U+2028, U+0085
    return [_descend(json.loads(line), settings.path) for line in lines if line.strip()]


def _yaml_rows(path: Path, settings: LookupSettings) -> Any:
    return _descend(yamlfile.load(path), settings.path)


def _descend(value: Any, path: str | None) -> Any:
    for name in path.split(".") if path else ():
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


_READERS: dict[str, Callable[[Path, LookupSettings], Any]] = {
    ".json": _json_rows,
    ".jsonl": _jsonl_rows,
    ".ndjson": _jsonl_rows,
    ".yaml": _yaml_rows,
    ".yml": _yaml_rows,
}


def _reader(path: Path) -> Callable[[Path, LookupSettings], Any]:
    return _READERS.get(path.suffix.lower(), _csv_rows)


def _sql_rows(settings: SqlSettings, url: str | None, where: str) -> list[dict[str, Any]]:
    from connectors.databases import rows

    place = settings.url or url
    if place is None:
        raise ProblemsError(Problem(where, "the lookup has no database", "Write url: below sql:."))
    return rows(place, settings.table, settings.query, where)
