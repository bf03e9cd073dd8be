"""JSON in one document: its rows wherever they stand in it, what stands around them, and what cannot be read."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from connector_world import MAPPING, connector, drop, reasons, records
from typer.testing import CliRunner

import casebus
from bus.errors import ConfigurationError
from casebus.__main__ import app
from connectors.formats import jsondocument, objects
from connectors.formats.objects import Origin

AROUND = MAPPING.replace("case_no: {", "case_no: {from: ../no, ")


def source(record: str = "") -> str:
    inner = f", record: {record}" if record else ""
    return f"kind: files\nsource: {{path: drop/rows.json, format: json{inner}}}\n"


def step(number: int) -> dict[str, Any]:
    return {"id": str(number), "case_no": f"C{number}", "at": "2025-06-01 09:00:00", "who": "王"}


@pytest.mark.parametrize(
    ("document", "record"),
    [
        ([step(1), step(2)], ""),
        ({"data": {"list": [step(1), step(2)]}}, "data.list"),
        ([{"row": step(1)}, {"row": step(2)}], "row"),
        ({"pages": [{"rows": [step(1)]}, {"rows": []}, {"other": 1}, {"rows": [step(2)]}]}, "pages.rows"),
    ],
    ids=["a list", "wrapped", "each wrapped", "lists in lists"],
)
def test_rows_stand_anywhere_in_a_document(tmp_path: Path, document: Any, record: str) -> None:
    """By their way; one in a list that has none of them gives none."""
    drop(tmp_path, json.dumps(document, indent=1), "rows.json")
    found = records(connector(tmp_path, source(record)))
    assert [one.row["id"] for one in found] == ["1", "2"]
    assert [json.loads(one.raw) for one in found] == [step(1), step(2)]


def test_what_stands_around_a_row_is_read_and_its_neighbours_are_not_kept(tmp_path: Path) -> None:
    """The case's number above its steps; a step does not carry the others."""
    steps = [{"id": "1", "at": "2025-06-01 09:00:00"}, {"id": "2", "at": "wann"}]
    drop(tmp_path, json.dumps({"cases": [{"no": "A1", "steps": steps}, {"no": "", "steps": steps[:1]}]}), "rows.json")
    found = connector(tmp_path, source("cases.steps"), AROUND)
    assert reasons(found) == ["Accepted", "unreadable_time", "missing_case"]
    assert "wann" not in str(records(found)[0])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"data": [', "broken_file"),
        ('[{"id": "王"}]'.encode("gb18030"), "broken_file"),
        (b"[" * 100_000, "broken_file"),
        (b"[1]", "broken_line"),
        (b'{"data": {}}', "broken_line"),
    ],
    ids=["cut off", "other encoding", "too deep", "no object", "no such way"],
)
def test_what_cannot_be_read_is_a_dead_letter(tmp_path: Path, text: bytes, reason: str) -> None:
    """With its beginning as it came."""
    drop(tmp_path, text, "rows.json")
    found = connector(tmp_path, source("data.list" if b"data" in text else ""))
    assert reasons(found) == [reason]
    assert records(found)[0].raw


def test_a_document_too_large_to_be_held_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is read, with what to ask for."""
    monkeypatch.setattr(jsondocument, "LARGEST", 1 << 20)
    drop(tmp_path, "[" + " " * (1 << 20) + "]", "rows.json")
    with pytest.raises(
        ConfigurationError, match=r"more than 1 MB, and JSON in one document is read whole\. Ask for one object a line"
    ):
        records(connector(tmp_path, source()))


def test_lines_may_hold_lists_in_lists_too() -> None:
    """As a document does; rows are numbered through."""
    value = {"a": [{"n": 1, "b": [{"c": 1}, {"c": 2}]}, {"n": 2, "b": {"c": 3}}]}
    found = objects.rows_of(value, ["a", "b"], Origin("f:1", 1, b""))
    assert [(one.position, one.row["c"], one.row[".."]["n"]) for one in found] == [
        ("f:1 (1)", 1, 1),
        ("f:1 (2)", 2, 1),
        ("f:1 (3)", 3, 2),
    ]


def test_a_preview_of_no_row_says_so(tmp_path: Path) -> None:
    """A way that leads nowhere looks like a source without news."""
    city = tmp_path / "city"
    shutil.copytree(Path(casebus.__file__).parent / "templates/init", city)
    (city / "exports/permits.csv").rename(tmp_path / "permits.csv")
    (city / "exports/permits.json").write_text('{"list": [{"steps": [{"流水号": "1"}]}]}', "utf-8")
    path = city / "connectors/permits.yaml"
    text = path.read_text("utf-8")
    path.write_text(
        re.sub(r"source: .*", "source: {path: exports/permits.json, format: json, record: list.stepz}", text), "utf-8"
    )
    done = CliRunner().invoke(app, ["connector", "preview", "permits", str(city)], catch_exceptions=False)
    assert "The source has no row now. If it should have: look at path, record," in done.output
