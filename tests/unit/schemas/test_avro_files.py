"""The published .avsc files: complete, in one shape, with one header."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.headers import AVRO, header_of, render, spread

EVENTS = sorted(AVRO.glob("*.avsc"))
RECORDS = sorted(AVRO.glob("records/*.avsc"))


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every record, enum and field inside a schema, itself included."""
    if isinstance(schema, list):
        for branch in schema:
            yield from parts(branch)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "enum"):
            yield schema
        for field in schema.get("fields", ()):
            yield field
            yield from parts(field["type"])
        for inner in ("items", "values"):
            yield from parts(schema.get(inner))


@pytest.mark.parametrize("path", [*EVENTS, *RECORDS], ids=lambda path: path.stem)
def test_every_field_and_type_has_a_doc(path: Path) -> None:
    """The file is the contract: what is not said there is said nowhere."""
    undocumented = [part["name"] for part in parts(json.loads(path.read_text("utf-8"))) if not part.get("doc")]
    assert undocumented == []


@pytest.mark.parametrize("path", [*EVENTS, *RECORDS], ids=lambda path: path.stem)
def test_names_and_shape_are_the_house_s(path: Path) -> None:
    """Namespace, file name, snake_case fields, UPPER_CASE symbols, and the rendering of `schemas.headers`."""
    text = path.read_text("utf-8")
    schema = json.loads(text)
    assert schema["name"] == path.stem
    assert schema["namespace"] == ("casebus.records" if path.parent.name == "records" else "casebus.events")
    for part in parts(schema):
        if "fields" in part:
            assert all(re.fullmatch(r"[a-z][a-z_]*", field["name"]) for field in part["fields"])
        assert all(re.fullmatch(r"[A-Z][A-Z_]*", symbol) for symbol in part.get("symbols", ()))
    assert text == render(schema) + "\n", "run python -m schemas.headers Accepted"


def test_the_header_is_the_same_in_every_event() -> None:
    """Word for word: run `python -m schemas.headers <event>` after a change in one."""
    headers = {path.stem: header_of(json.loads(path.read_text("utf-8"))) for path in EVENTS}
    assert {name for name, header in headers.items() if header != headers["Accepted"]} == set()


def test_a_changed_header_is_copied_into_all_files(tmp_path: Path) -> None:
    """The developers' tool brings the others into step and names them."""
    for path in EVENTS[:3]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    changed = tmp_path / EVENTS[0].name
    schema = json.loads(changed.read_text("utf-8"))
    schema["fields"][0]["doc"] = "Another doc."
    changed.write_text(render(schema) + "\n", "utf-8")
    assert spread(changed.stem, tmp_path) == [path.stem for path in EVENTS[1:3]]
    assert all(header_of(json.loads(path.read_text("utf-8")))["doc"] == "Another doc." for path in tmp_path.iterdir())
    assert spread(changed.stem, tmp_path) == []


def test_a_file_without_a_header_is_refused() -> None:
    """The header is the first field, or it is no event."""
    with pytest.raises(ValueError, match="it must be header"):
        header_of({"name": "Odd", "fields": [{"name": "reason"}]})
