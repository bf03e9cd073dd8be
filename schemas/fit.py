"""Values against an Avro schema: fill in what has a default, and name the field that does not fit."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

#: What Avro's whole numbers hold.
RANGES: dict[str, tuple[int, int]] = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
_PYTHON: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "int": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "string": (str,),
    "bytes": (bytes, bytearray),
}
Names = Mapping[str, Any]


def names_of(plain: dict[str, Any]) -> Names:
    """The named types of a parsed schema, by full name."""
    named: Names = plain["__named_schemas"]
    return named


def filled(value: Any, schema: Any, names: Names) -> Any:
    """A copy of the value in which every absent field that has a default stands. Wrong values are left as they are."""
    if isinstance(schema, str):
        return filled(value, names[schema], names) if schema in names else value
    if isinstance(schema, list):
        branch = _branch(value, schema, names)
        return value if branch is None else filled(value, branch, names)
    if schema["type"] == "record" and isinstance(value, dict):
        return _filled_record(value, schema["fields"], names)
    if schema["type"] == "array" and isinstance(value, list):
        return [filled(item, schema["items"], names) for item in value]
    return value


def _filled_record(value: dict[str, Any], fields: list[dict[str, Any]], names: Names) -> dict[str, Any]:
    result = dict(value)
    for field in fields:
        name = field["name"]
        if name in value:
            if isinstance(value[name], (dict, list)):
                result[name] = filled(value[name], field["type"], names)
        elif "default" in field:
            result[name] = copy.copy(field["default"])
    return result


def _branch(value: Any, union: list[Any], names: Names) -> Any:
    """The branch of a union that a value means: records are told apart by their field names."""
    for branch in union:
        schema = names.get(branch, branch) if isinstance(branch, str) else branch
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "record" and isinstance(value, dict):
            if set(value) <= {field["name"] for field in schema["fields"]}:
                return schema
        elif _looks(value, kind):
            return schema
    return None


def _looks(value: Any, kind: str) -> bool:
    python = {"enum": (str,), "array": (list,), "map": (dict,)}.get(kind) or _PYTHON.get(kind, ())
    return isinstance(value, python) and not _bool_as_number(value, kind)


def _bool_as_number(value: Any, kind: str) -> bool:
    return isinstance(value, bool) and kind != "boolean"


def misfits(value: Any, schema: Any, names: Names, where: str) -> Iterator[str]:
    """Each field that does not fit, as `path: what was found, what belongs there`."""
    if isinstance(schema, str) and schema in names:
        schema = names[schema]
    if isinstance(schema, list):
        branch = _branch(value, schema, names)
        if branch is None:
            yield f"{where}: found {_shown(value)}, expected {' or '.join(_titled(branch) for branch in schema)}"
        else:
            yield from misfits(value, branch, names, where)
        return
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        yield from _record_misfits(value, schema, names, where)
    elif kind in ("array", "map"):
        yield from _many_misfits(value, schema, names, where)
    elif kind == "enum":
        if value not in schema["symbols"]:
            yield f"{where}: found {_shown(value)}, expected one of {', '.join(schema['symbols'])}"
    elif not _is(value, kind):
        yield f"{where}: found {_shown(value)}, expected {kind}"


def _record_misfits(value: Any, schema: dict[str, Any], names: Names, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: found {_shown(value)}, expected the fields of {_titled(schema)}"
        return
    known = {field["name"]: field["type"] for field in schema["fields"]}
    prefix = f"{where}." if where else ""
    yield from (f"{prefix}{name}: unknown field" for name in value if name not in known)
    yield from (f"{prefix}{name}: missing" for name in known if name not in value)
    for name in known.keys() & value.keys():
        yield from misfits(value[name], known[name], names, prefix + name)


def _many_misfits(value: Any, schema: dict[str, Any], names: Names, where: str) -> Iterator[str]:
    kind, many = (list, "array") if schema["type"] == "array" else (dict, "map")
    if not isinstance(value, kind):
        yield f"{where}: found {_shown(value)}, expected {many}"
        return
    pairs = enumerate(value) if isinstance(value, list) else value.items()
    inner = schema["items"] if many == "array" else schema["values"]
    for key, item in pairs:
        yield from misfits(item, inner, names, f"{where}[{key}]")


def _is(value: Any, kind: str) -> bool:
    if not _looks(value, kind):
        return False
    low, high = RANGES.get(kind, (None, None))
    return low is None or high is None or bool(low <= value <= high)


def _titled(schema: Any) -> str:
    text = schema if isinstance(schema, str) else str(schema.get("name", schema["type"]))
    return text.rpartition(".")[2]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
