"""A deployment's `registers/` folder: each YAML file one register of cases that an office keeps beside the bus.

    kind: files                                     # or sql: the kinds, and the keys of `source:`, are those of connectors
    source: {path: data/cases.xlsx, format: xlsx}
    columns: {number: 办件编号, start: 受理时间, deadline: 承诺时限, end: 办结时间}

It publishes nothing: `casebus figures register` holds it against what came over the bus.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, field_validator

from connectors.columns import ColumnSettings
from connectors.kinds import kinds
from connectors.reading import Around, Column, column, field_name, reader
from connectors.source import Context, Kind, SourceRecord
from connectors.times import FormatError, Moment, zone_of
from connectors.values import Refusal
from monitor.statistics.register import Entry
from monitor.times import local_date, midnight
from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import Map, Settings, load, validated

FOLDER = "registers"
#: What a register says of a case. The number is needed, each of the times may be absent.
NUMBER, TIMES = "number", ("start", "deadline", "end")
_BATCH = 2000


class RegisterSettings(Settings):
    """One register. `namespace` is that of the keys on the bus, `<namespace>:<number>`; times are ISO 8601 without `formats`."""

    about: str = ""
    kind: str = "files"
    source: dict[str, Any]
    namespace: str = Field("case", pattern=r"^[a-z][a-z0-9_-]*$")
    zone: str | None = None
    missing: list[Any] = Field(default_factory=list)
    columns: dict[str, ColumnSettings]

    @field_validator("missing", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    @field_validator("columns", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """`start: 受理时间` is short for `start: {from: 受理时间}`; all but the number are times."""
        if not isinstance(value, dict):
            return value
        return {name: _given(name, {"from": one} if isinstance(one, str) else one) for name, one in value.items()}

    @field_validator("columns")
    @classmethod
    def _known(cls, columns: dict[str, ColumnSettings]) -> dict[str, ColumnSettings]:
        if unknown := [name for name in columns if name not in (NUMBER, *TIMES)]:
            raise ValueError(f"a register has no column `{unknown[0]}`, write {NUMBER} and some of {', '.join(TIMES)}")
        if NUMBER not in columns or len(columns) < 2:
            raise ValueError(f"a register needs `{NUMBER}`, the case's number, and one of {', '.join(TIMES)}")
        if any(one.computed or one.python or one.lookup or one.within or one.columns for one in columns.values()):
            raise ValueError("columns of a register are read as they stand: write from:, clean:, missing:, formats: or zone:")
        return columns


def _given(name: str, one: Any) -> Any:
    """What goes without saying, below what is said."""
    if not isinstance(one, dict):
        return one
    return {"clean": "key", "required": True, **one} if name == NUMBER else {"type": "time", **one}


class Unread(NamedTuple):
    """A row that is left out, and why."""

    position: str
    text: str


class Content(NamedTuple):
    """A register as it was read. Of rows with the same number the last counts; `doubled` names them."""

    entries: list[Entry]
    unread: list[Unread]
    doubled: list[str]


class Register(NamedTuple):
    """One register, ready to be read."""

    name: str
    base: Path
    where: str
    settings: RegisterSettings
    kind: Kind
    source: Any
    columns: list[Column]

    def read(self) -> Content:
        """All its rows, now. Raises BusError where the source cannot be read."""
        entries: dict[str, Entry] = {}
        unread: list[Unread] = []
        doubled: list[str] = []
        for record in self._records():
            try:
                entry = self._entry(record)
            except Refusal as refusal:
                unread.append(Unread(record.position, _sentence(refusal)))
                continue
            doubled += [entry.number] if entry.key in entries else []
            entries[entry.key] = entry
        return Content(list(entries.values()), unread, sorted(set(doubled)))

    def look(self) -> None:
        """Read its first row. Raises BusError where that cannot be had."""
        next(self._records(1), None)

    def _records(self, limit: int = _BATCH) -> Iterator[SourceRecord]:
        fields = [field_name(name, one) if one.source is None else one.source for name, one in self.settings.columns.items()]
        context = Context(self.base, fields, self.where, None, self.settings.columns, self.settings.zone)
        with closing(self.kind.open(self.source, context)) as source:
            for batch in source.fetch(None, limit):
                yield from batch.records

    def _entry(self, record: SourceRecord) -> Entry:
        if record.fault is not None:
            raise record.fault
        found: dict[str, Any] = {}
        for one in self.columns:
            found[one.name] = one.read(record.row, found)
        start, deadline, end = (found.get(name) for name in TIMES)
        key = f"{self.settings.namespace}:{found[NUMBER]}"
        return Entry(key, found[NUMBER], _at(start), _through(deadline), _at(end), _through(end))


def _through(moment: Moment | None) -> int | None:
    """A date without a time is the whole of its day."""
    at = _at(moment)
    if at is None or moment is None or moment["precision"] != "DAY":
        return at
    zone = zone_of(moment["zone"])
    return midnight(local_date(at, zone) + timedelta(1), zone) - 1


def _at(moment: Moment | None) -> int | None:
    return None if moment is None else int(moment["at"])


def _sentence(refusal: Refusal) -> str:
    return f"{refusal.field}: {refusal.found}. {refusal.instead}." if refusal.field else f"{refusal.found}. {refusal.instead}."


def load_all(base: Path, zone: str) -> dict[str, Register]:
    """The registers of a deployment, by the names of their files. Raises ProblemsError with every fault of every file."""
    found: dict[str, Register] = {}
    problems: list[Problem] = []
    for path in sorted((base / FOLDER).glob("*.yaml")):
        try:
            found[path.stem] = _register(path, base, zone)
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(*problems)
    return found


def _register(path: Path, base: Path, zone: str) -> Register:
    node = load(path)
    node.setdefault("zone", zone)
    settings = validated(RegisterSettings, node)
    kind = kinds().get(settings.kind)
    if kind is None or kind.columns is None:
        able = ", ".join(name for name, one in kinds().items() if one.columns is not None)
        found = f"no register can be of the kind `{settings.kind}`"
        raise ProblemsError(Problem(node.where("kind"), found, f"Write one of {able}."))
    source = kind.located(kind.settings(node["source"]), base)
    columns = [_column(name, one, settings, node, kind.nested(source)) for name, one in settings.columns.items()]
    return Register(path.stem, base, f"{FOLDER}/{path.name}", settings, kind, source, columns)


def _column(name: str, one: ColumnSettings, settings: RegisterSettings, node: Map, nested: bool) -> Column:
    where = node["columns"].where(name)
    whole = one.model_copy(update={"missing": [*settings.missing, *one.missing]})
    around = Around({}, settings.zone, "case" if name == NUMBER else "value")
    try:
        return column(name, whole, where, reader(whole, name, nested, None), around)
    except FormatError as error:
        raise ProblemsError(Problem(where, str(error), "Correct the column.")) from error
