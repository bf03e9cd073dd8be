"""What a call may hold, as a JSON Schema made from the mapping's columns (OpenAPI 3.1 takes 2020-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.columns import ColumnSettings

Schema = dict[str, Any]
#: What a column's type takes: text is read strictly, so each may come as text too.
_TYPES: dict[str, Schema] = {
    "text": {"type": ["string", "number"]},
    "whole": {"type": ["integer", "string"]},
    "number": {"type": ["number", "string"]},
    "money": {"type": ["number", "string"]},
    "bool": {"type": ["boolean", "string", "integer"]},
    "list": {"type": ["array", "string"]},
    "time": {"type": ["string", "integer"]},
}


def of_json(columns: Mapping[str, ColumnSettings], fields: Sequence[Any], way: Sequence[str]) -> Schema:
    """The body: a row or several, inside what `record:` leads through. `../` fields stand in what is around the row."""
    levels: list[Schema] = [_object() for _ in range(len(way) + 1)]
    for path, settings in _read(columns, fields):
        inner = path.lstrip("./")
        around = path[: len(path) - len(inner)].count("../")
        if around < len(levels):
            _put(levels[around], inner.split("."), settings)
    body = _many(levels[0])
    for name, level in zip(reversed(way), levels[1:], strict=True):
        level["properties"][name] = body
        level.setdefault("required", []).append(name)
        body = level
    return body


def of_xml(columns: Mapping[str, ColumnSettings], fields: Sequence[Any], record: str) -> Schema:
    """Of XML the record alone: each property is a path from it."""
    row = _object() | {"description": f"an element at {record} below the root; each property is a path from it"}
    for path, settings in _read(columns, fields):
        _put(row, [path], settings)
    return row


def _read(columns: Mapping[str, ColumnSettings], fields: Sequence[Any]) -> list[tuple[str, ColumnSettings]]:
    """The source's fields with their columns; a mapping without columns has fields alone."""
    found = [(_path(name, one), one) for name, one in columns.items() if one.value is None]
    return found or [(str(field), ColumnSettings(type="any")) for field in fields]


def _path(name: str, settings: ColumnSettings) -> str:
    source = settings.source
    return name if source is None else ".".join(map(str, source)) if isinstance(source, list) else source


def _object() -> Schema:
    return {"type": "object", "properties": {}}


def _many(row: Schema) -> Schema:
    return {"oneOf": [row, {"type": "array", "items": row, "minItems": 1}]}


def _put(level: Schema, path: Sequence[str], settings: ColumnSettings) -> None:
    *outer, last = path
    for name in outer:
        level = level["properties"].setdefault(name, _object())
        level.setdefault("properties", {})
    level["properties"][last] = _column(settings)
    if settings.required and settings.default is None:
        level.setdefault("required", []).append(last)


def _column(settings: ColumnSettings) -> Schema:
    said = {"pattern": settings.pattern} if settings.pattern else {}
    if settings.default is not None:
        said["default"] = settings.default
    if settings.within or settings.lookup:
        said["description"] = f"a code of `{settings.within or settings.lookup}`"
    if settings.type == "time":
        said["description"] = f"a time: {' or '.join(settings.formats or ['iso'])}"
    return _TYPES.get(settings.type, {}) | said
