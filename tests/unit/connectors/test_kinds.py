"""The conformance kit over every kind in the folder and every form of files; a kind without a case here fails."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bus.memory import Cluster
from bus.ports import Message
from bus.topics import ingress
from connectors import conformance
from connectors.formats.common import FileSettings
from connectors.kinds import files, kinds
from connectors.source import Batch, Context, Kind, SourceRecord
from schemas.yamlfile import load


class Case:
    """A source of one kind with three rows, and how to add a fourth."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.rows = 3
        self.cluster = Cluster()
        self._write: Callable[[], None] = getattr(self, f"_{name}")
        self._write()

    def add(self) -> None:
        self.rows += 1
        self._write()

    def _csv(self) -> None:
        lines = ["id,text", *(f"{number},t{number}" for number in range(self.rows))]
        (self.folder / "rows.csv").write_text("\n".join(lines) + "\n")

    def _jsonl(self) -> None:
        (self.folder / "rows.jsonl").write_text("".join(json.dumps({"id": number}) + "\n" for number in range(self.rows)))

    def _json(self) -> None:
        rows = [{"id": number} for number in range(self.rows)]
        (self.folder / "rows.json").write_text(json.dumps({"data": {"list": rows}}))

    def _xml(self) -> None:
        rows = "".join(f'<row id="{number}"/>' for number in range(self.rows))
        (self.folder / "rows.xml").write_text(f"<all>{rows}</all>")

    def _xlsx(self) -> None:
        book = openpyxl.Workbook()
        for line in (("id", "text"), *((number, f"t{number}") for number in range(self.rows))):
            book.worksheets[0].append(line)
        book.save(self.folder / "rows.xlsx")

    def _sql(self) -> None:
        with sqlite3.connect(self.folder / "rows.db") as database:
            database.execute("create table if not exists rows (id integer primary key, text)")
            database.executemany("insert or ignore into rows values (?, ?)", [(number, "t") for number in range(self.rows)])

    def _kafka(self) -> None:
        self.cluster.create([ingress("dep")])
        held = len(self.cluster.records("approval.ingress.dep"))
        rows = (json.dumps({"id": number}).encode() for number in range(held, self.rows))
        self.cluster.publish(Message("approval.ingress.dep", 0, None, row, 0) for row in rows)


#: What stands below `source:` for each kind, and for each form of files.
SOURCES: dict[str, dict[str, Any]] = {
    "csv": {"kind": "files", "path": "rows.csv", "format": "csv"},
    "jsonl": {"kind": "files", "path": "rows.jsonl", "format": "jsonl"},
    "json": {"kind": "files", "path": "rows.json", "format": "json", "record": "data.list"},
    "xml": {"kind": "files", "path": "rows.xml", "format": "xml", "record": "row"},
    "xlsx": {"kind": "files", "path": "rows.xlsx", "format": "xlsx"},
    "kafka": {"kind": "kafka", "topic": "approval.ingress.dep"},
    "sql": {"kind": "sql", "url": "sqlite:///rows.db", "table": "rows", "key": "id"},
}


def test_every_kind_and_form_has_a_case() -> None:
    """A new one cannot join without passing; of a kind that is called nothing can be asked again, so the kit has no questions."""
    assert {source["kind"] for source in SOURCES.values()} == {name for name, kind in kinds().items() if not kind.standing}
    assert {source["format"] for source in SOURCES.values() if source["kind"] == "files"} == set(files.FORMS)


@pytest.mark.parametrize("name", SOURCES)
def test_a_kind_keeps_its_promises(tmp_path: Path, name: str) -> None:
    """Positions move forward, nothing is lost or doubled, what is added comes once."""
    case = Case(tmp_path, name)
    kind, settings = _settings(tmp_path, SOURCES[name])
    fields = ["@id"] if name == "xml" else ["id"]
    broken = list(conformance.check(lambda: kind.open(settings, Context(tmp_path, fields, "test", case.cluster)), case.add))
    assert broken == []


def _settings(folder: Path, source: dict[str, Any]) -> tuple[Kind, FileSettings]:
    path = folder / "source.json"
    path.write_text(json.dumps({key: value for key, value in source.items() if key != "kind"}))
    kind = kinds()[source["kind"]]
    return kind, kind.located(kind.settings(load(path)), folder)


class Careless:
    """A source that breaks every promise: it forgets its position and says nothing about its rows."""

    def fetch(self, _position: str | None, _limit: int) -> Iterator[Batch]:
        yield Batch([SourceRecord("somewhere", 3 - number, {}, b"") for number in range(3)], "end")

    def close(self) -> None: ...


def test_the_kit_finds_what_is_broken() -> None:
    """Each promise has a sentence of its own."""
    said = " ".join(conformance.check(Careless, lambda: None))
    for fault in (
        "same position",
        "no raw bytes",
        "sequence goes back",
        "positions must move",
        "still come",
        "3 came",
        "batch of 3",
    ):
        assert fault in said
