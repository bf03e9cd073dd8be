"""Made-up values of any Avro schema, for property tests."""

from __future__ import annotations

from typing import Any

from fastavro.schema import parse_schema
from hypothesis import strategies as st

from schemas.contract import Contract
from schemas.fit import names_of

#: Microseconds UTC from 1900 to 2200: moments that every language's own type for them holds.
MOMENTS = st.integers(-2_208_988_800_000_000, 7_258_118_400_000_000)

_PRIMITIVE: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "string": st.text(max_size=8),
    "bytes": st.binary(max_size=8),
}


def values_of(form: Contract, *, dated: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Values that fit the contract, personal fields clear and sealed, optional ones there and not.

    With `dated`, times are moments, not any integers.
    """
    schema: Any = parse_schema(form.schema, named_schemas={}, _force=True) if dated else form.plain
    return _of(schema, names_of(schema))


def _of(schema: Any, names: Any) -> st.SearchStrategy[Any]:
    if isinstance(schema, list):
        return st.one_of([_of(branch, names) for branch in schema])
    schema = names.get(schema, {"type": schema}) if isinstance(schema, str) else schema
    kind = schema["type"]
    if schema.get("logicalType") == "timestamp-micros":
        return MOMENTS
    if kind == "record":
        return st.fixed_dictionaries({field["name"]: _of(field["type"], names) for field in schema["fields"]})
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    return _many(schema, names) if kind in ("array", "map") else _PRIMITIVE[kind]


def _many(schema: Any, names: Any) -> st.SearchStrategy[Any]:
    if schema["type"] == "array":
        return st.lists(_of(schema["items"], names), max_size=3)
    return st.dictionaries(st.text(max_size=4), _of(schema["values"], names), max_size=3)
