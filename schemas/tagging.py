"""Prepare a value for fastavro, compiled once a schema.

Records in unions are named, `(name, value)`: without it fastavro validates the value against each branch first, which
takes as long as writing. And what fastavro writes without a murmur is refused: a text as an array of its letters, True as
1, a number that other languages' int or long cannot hold. Other misfits are left for fastavro to refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.fit import RANGES

Tag = Callable[[Any], Any]


def tagger(schema: Any, names: Mapping[str, Any]) -> Tag | None:
    """What prepares values of this schema and raises TypeError for what it refuses; None where there is nothing to do.

    Schemas that contain themselves are not for this: ours do not.
    """
    if isinstance(schema, str):
        return tagger(names[schema], names) if schema in names else _number(schema)
    if isinstance(schema, list):
        return _union(schema, names)
    if schema["type"] == "record":
        return _record(schema, names)
    return _array(schema, names) if schema["type"] == "array" else _number(schema["type"])


def _number(kind: str) -> Tag | None:
    if kind not in RANGES:
        return None
    low, high = RANGES[kind]

    def checked(value: Any) -> Any:
        if type(value) is not int or not low <= value <= high:
            raise TypeError(f"{value!r} is no {kind}")
        return value

    return checked


def _record(schema: Mapping[str, Any], names: Mapping[str, Any]) -> Tag | None:
    inner = [(field["name"], tagger(field["type"], names)) for field in schema["fields"]]
    needed = [(name, tag) for name, tag in inner if tag]
    if not needed:
        return None

    def tagged(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        result = dict(value)
        for name, tag in needed:
            held = result.get(name)
            if held is not None:
                result[name] = tag(held)
        return result

    return tagged


def _array(schema: Mapping[str, Any], names: Mapping[str, Any]) -> Tag | None:
    tag = tagger(schema["items"], names)

    def tagged(value: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError(f"{value!r} is no array")
        return [tag(item) for item in value] if tag else value

    return tagged


def _union(branches: list[Any], names: Mapping[str, Any]) -> Tag | None:
    schemas = (names.get(branch, branch) if isinstance(branch, str) else branch for branch in branches)
    records = [schema for schema in schemas if isinstance(schema, dict) and schema["type"] == "record"]
    if not records:
        return None
    by_fields = {
        frozenset(field["name"] for field in record["fields"]): (record["name"], _record(record, names)) for record in records
    }

    def tagged(value: Any) -> Any:
        found = by_fields.get(frozenset(value)) if isinstance(value, dict) else None
        if found is None:
            return value
        name, tag = found
        return name, tag(value) if tag else value

    return tagged
