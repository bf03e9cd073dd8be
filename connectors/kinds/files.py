"""Kind `files`: a department drops files (CSV, XLSX, XML, JSON lines); deliveries to it are files too.

A position holds, for each file by name, where reading stands and a digest of what was read: a second run adds nothing, an
appended file continues, a file whose beginning has changed is read again (its rows keep their ids, so only changes count).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from bus.errors import RetryError
from connectors.formats.common import FileSettings, Mark, Reader
from connectors.formats.delimited import Delimited, DelimitedSettings
from connectors.formats.folder import Found, found, members, unpacked
from connectors.formats.jsonlines import JsonLines, JsonLinesSettings
from connectors.formats.markup import Markup, MarkupSettings
from connectors.formats.workbook import Workbook, WorkbookSettings
from connectors.source import Batch, Context, Kind, Receipt, Source, Target
from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import Map, Settings, validated


class Form(NamedTuple):
    settings: type[FileSettings]
    reader: Callable[[Path, Any, Context, Mark | None], Reader]


FORMS: dict[str, Form] = {
    "csv": Form(DelimitedSettings, Delimited),
    "xlsx": Form(WorkbookSettings, Workbook),
    "xml": Form(MarkupSettings, Markup),
    "jsonl": Form(JsonLinesSettings, JsonLines),
}


class TargetSettings(Settings):
    """The folder that the receiving system watches."""

    folder: str


def settings(node: Map) -> FileSettings:
    """The settings of the form that `format:` names. Raises ProblemsError."""
    form = FORMS.get(str(node.get("format")))
    if form is None:
        found = f"there is no file format `{node.get('format')}`"
        raise ProblemsError(Problem(node.where("format"), found, f"Write format: and one of {', '.join(FORMS)}."))
    return validated(form.settings, node)


class Files:
    """The files of one connector."""

    def __init__(self, settings: FileSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._form = FORMS[settings.format]

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """Each file in the order of names, from its mark on. Raises ConfigurationError for a file that is none."""
        marks: dict[str, Mark] = json.loads(position) if position else {}
        for one in found(self._settings, self._context.base, self._context.where):
            if not _as_left(one.path, marks.get(one.name)):
                yield from self._file(one, marks, limit)

    def _file(self, one: Found, marks: dict[str, Mark], limit: int) -> Iterator[Batch]:
        ended = {one.name: _state(one.path)}
        if self._settings.member is None:
            yield from self._batches(one, marks, limit, ended)
        else:
            yield from self._archive(one, marks, limit, ended)

    def _archive(self, one: Found, marks: dict[str, Mark], limit: int, ended: dict[str, Mark]) -> Iterator[Batch]:
        """Each member like a file of its own, by the archive's name and its own."""
        where, largest = self._context.where, self._settings.unpacked
        meant = members(one.path, self._settings.member or "*", largest, where)
        for number, member in enumerate(meant, 1):
            with unpacked(one.path, member, largest, where) as path:
                inner = Found(f"{one.name}!{member.name}", path)
                for batch in self._batches(inner, marks, limit, ended if number == len(meant) else {}):
                    rows = [row._replace(position=f"{one.path.name}!{row.position}") for row in batch.records]
                    yield Batch(rows, batch.position)

    def _batches(self, one: Found, marks: dict[str, Mark], limit: int, ended: dict[str, Mark]) -> Iterator[Batch]:
        """`ended` is what is remembered, by name, once the file was read to its end: rows came short of a whole batch."""
        reader = self._opened(one.path, marks.get(one.name))
        try:
            records = iter(reader)
            while batch := list(islice(records, limit)):
                marks[one.name] = reader.mark()
                if len(batch) < limit:
                    marks |= {name: marks.get(name, {}) | state for name, state in ended.items()}
                yield Batch(batch, json.dumps(marks, ensure_ascii=False, sort_keys=True))
        finally:
            reader.close()

    def _opened(self, path: Path, mark: Mark | None) -> Reader:
        try:
            return self._form.reader(path, self._settings, self._context, mark)
        except OSError as error:
            raise RetryError(f"The file {path} cannot be opened: {error.strerror}. It will be tried again.") from error

    def close(self) -> None:
        """Nothing is held between passes."""


def _state(path: Path) -> Mark:
    found = path.stat()
    return {"size": found.st_size, "changed": found.st_mtime_ns}


def _as_left(path: Path, mark: Mark | None) -> bool:
    """True for a file that was read to its end and has not been touched since: it need not be opened."""
    return mark is not None and "size" in mark and _state(path).items() <= mark.items()


class Folder:
    """Deliveries as files: one JSON file for each delivery id, complete from the moment it has its name."""

    def __init__(self, settings: TargetSettings, context: Context) -> None:
        self._folder = context.base / settings.folder

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        """Raises RetryError when the folder cannot be written."""
        target = self._folder / f"{_safe(str(delivery['delivery_id']))}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if target.exists():
                return Receipt(str(target), True)
            self._write(target, json.dumps(delivery, ensure_ascii=False, indent=1))
        except OSError as error:
            raise RetryError(f"{self._folder} cannot be written: {error.strerror}. It will be tried again.") from error
        return Receipt(str(target), False)

    @staticmethod
    def _write(target: Path, text: str) -> None:
        """Another process sees the whole file or none: write aside, force it to the disk, rename."""
        aside = target.with_suffix(".tmp")
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def _open(settings: FileSettings, context: Context) -> Source:
    return Files(settings, context)


def _target(settings: TargetSettings, context: Context) -> Target:
    return Folder(settings, context)


def _table(settings: FileSettings) -> str:
    sheet = getattr(settings, "sheet", None)
    return str(sheet) if isinstance(sheet, str) else Path(settings.path).name


KIND = Kind(
    about="Files dropped in a folder: CSV, XLSX, XML, JSON lines",
    settings=settings,
    open=_open,
    table=_table,
    nested=lambda settings: isinstance(settings, JsonLinesSettings),
    target_settings=TargetSettings,
    target=_target,
)
