"""Whether two versions of a schema understand each other, both ways.

Avro's schema resolution (specification 1.12, "Schema Resolution"), and what fingerprint and resolution pass over in
silence: logical types, and defaults (one that changed gives old bytes another meaning; one that does not fit its type
breaks the reader on the day it is needed). The journal is kept for ever, so every version must stay readable.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastavro.schema import parse_schema

from schemas.fit import misfits

#: What a reader of one primitive type takes beside it (specification: promotions).
_PROMOTED = {
    "long": {"int"},
    "float": {"int", "long"},
    "double": {"int", "long", "float"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def check(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Why the versions do not understand each other; empty when both directions hold."""
    backward = (f"new cannot read old: {fault}" for fault in unreadable(new, old))
    forward = (f"old cannot read new: {fault}" for fault in unreadable(old, new))
    return [*backward, *forward]


def unreadable(reader: Mapping[str, Any], writer: Mapping[str, Any]) -> list[str]:
    """Why data of the writer's schema is not read as it was meant, as `path: reason`."""
    return list(_Comparison(_parsed(reader), _parsed(writer)).run())


def _parsed(schema: Mapping[str, Any]) -> dict[str, Any]:
    parsed: Any = parse_schema(copy.deepcopy(dict(schema)), named_schemas={}, _force=True, _ignore_default_error=True)
    return dict(parsed)


class _Comparison:
    """One reader against one writer; named types are compared once."""

    def __init__(self, reader: dict[str, Any], writer: dict[str, Any]) -> None:
        self._reader = reader
        self._writer = writer
        self._reader_names = reader["__named_schemas"]
        self._writer_names = writer["__named_schemas"]
        self._seen: set[tuple[str, str]] = set()

    def run(self) -> Iterator[str]:
        yield from self._types(self._reader, self._writer, "")

    def _types(self, reader: Any, writer: Any, path: str) -> Iterator[str]:
        reader, writer = _named(reader, self._reader_names), _named(writer, self._writer_names)
        if isinstance(writer, list):
            for branch in writer:
                yield from self._types(reader, branch, f"{path}[{_title(_named(branch, self._writer_names))}]")
        elif isinstance(reader, list):
            yield from self._into_union(reader, writer, path)
        elif _kind(reader) != _kind(writer):
            if _kind(writer) not in _PROMOTED.get(_kind(reader), ()):
                yield f"{path}: {_title(writer)} was written, {_title(reader)} is expected"
        else:
            yield from self._same_kind(reader, writer, path)
        yield from _logical(reader, writer, path)

    def _into_union(self, reader: list[Any], writer: Any, path: str) -> Iterator[str]:
        """The branch that reads the writer's type; where none does, the nearest one says why."""
        faults = [list(self._types(branch, writer, path)) for branch in reader if self._alike(branch, writer)]
        if not faults:
            yield f"{path}: {_title(writer)} was written, and no branch of the union takes it"
        elif all(faults):
            yield from min(faults, key=len)

    def _alike(self, reader: Any, writer: Any) -> bool:
        reader = _named(reader, self._reader_names)
        if _kind(reader) != _kind(writer):
            return _kind(writer) in _PROMOTED.get(_kind(reader), ())
        return _kind(reader) not in ("record", "enum", "fixed") or reader["name"] == writer["name"]

    def _same_kind(self, reader: Any, writer: Any, path: str) -> Iterator[str]:
        kind = _kind(reader)
        if kind in ("record", "enum", "fixed"):
            if reader["name"] != writer["name"]:
                yield f"{path}: {writer['name']} was written, {reader['name']} is expected"
            elif kind == "record":
                yield from self._records(reader, writer, path)
            elif kind == "enum":
                yield from _enums(reader, writer, path)
            elif reader["size"] != writer["size"]:
                yield f"{path}: {writer['size']} bytes were written, {reader['size']} are expected"
        elif kind == "array":
            yield from self._types(reader["items"], writer["items"], f"{path}[]")
        elif kind == "map":
            yield from self._types(reader["values"], writer["values"], f"{path}{{}}")

    def _records(self, reader: Mapping[str, Any], writer: Mapping[str, Any], path: str) -> Iterator[str]:
        pair = (reader["name"], writer["name"])
        if pair in self._seen:
            return
        self._seen.add(pair)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            place = f"{path}.{field['name']}" if path else field["name"]
            names = [field["name"], *field.get("aliases", ())]
            source = next((written[name] for name in names if name in written), None)
            yield from self._default(field, source, place)
            if source is not None:
                yield from self._types(field["type"], source["type"], place)

    def _default(self, field: Mapping[str, Any], source: Mapping[str, Any] | None, path: str) -> Iterator[str]:
        if "default" not in field:
            if source is None:
                yield f"{path}: the field was not written and has no default"
            return
        # Before Avro 1.12 a default belongs to the first branch of a union, and such readers are about.
        first = field["type"][0] if isinstance(field["type"], list) else field["type"]
        if any(misfits(_as_value(field["default"], first), first, self._reader_names, path)):
            yield f"{path}: the default {json.dumps(field['default'], ensure_ascii=False)} does not fit its type"
        if source is not None and "default" in source and source["default"] != field["default"]:
            yield f"{path}: the default changed between {json.dumps(source['default'])} and {json.dumps(field['default'])}"


def _enums(reader: Mapping[str, Any], writer: Mapping[str, Any], path: str) -> Iterator[str]:
    lost = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
    if lost and "default" not in reader:
        yield f"{path}: {', '.join(lost)} may have been written, and the enum has no default"
    if "default" in reader and reader["default"] not in reader["symbols"]:
        yield f"{path}: the enum's default {reader['default']} is none of its symbols"


def _logical(reader: Any, writer: Any, path: str) -> Iterator[str]:
    """Same bits, other meaning: microseconds read as milliseconds are a date in the year 55,000."""
    kinds = [schema.get("logicalType") if isinstance(schema, dict) else None for schema in (reader, writer)]
    if kinds[0] != kinds[1] and not isinstance(reader, list) and not isinstance(writer, list):
        yield f"{path}: {kinds[1] or 'a plain value'} was written, {kinds[0] or 'a plain value'} is expected"
    elif isinstance(reader, dict) and isinstance(writer, dict) and kinds[0] == "decimal":
        for part in ("precision", "scale"):
            if reader.get(part, 0) != writer.get(part, 0):
                yield f"{path}: the decimal's {part} is {writer.get(part, 0)} as written, {reader.get(part, 0)} as expected"


def _named(schema: Any, names: Mapping[str, Any]) -> Any:
    return names.get(schema, schema) if isinstance(schema, str) else schema


def _kind(schema: Any) -> str:
    return schema if isinstance(schema, str) else str(schema["type"])


def _title(schema: Any) -> str:
    return schema if isinstance(schema, str) else str(schema.get("name", schema["type"])).rpartition(".")[2]


def _as_value(default: Any, schema: Any) -> Any:
    """Defaults of bytes are written as text (specification: code points 0 to 255)."""
    return default.encode("latin-1", "replace") if _kind_is_bytes(schema) and isinstance(default, str) else default


def _kind_is_bytes(schema: Any) -> bool:
    return not isinstance(schema, list) and _kind(schema) == "bytes"
