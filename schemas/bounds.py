"""Which schemas of others may be read with: those by which the bytes bound the work of reading them.

A schema comes from a registry or a topic that others write. One that contains itself ends the process (fastavro's compiled
reader goes down in C), one whose items take no bytes holds it for as long as a count says, and one that names the record
below it twice at each of thirty levels holds it for ever. Ours are none of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

#: Values of a record without repeated items, far above ours (83); and how many a byte may stand for in items.
_VALUES, _A_BYTE = 10_000, 64
_DEEP = 64
_LEAST = {"null": 0, "float": 4, "double": 8}


class _Weight(NamedTuple):
    """Values that are read at most, each list with one item; and the bytes that they take at least."""

    values: int
    least: int


def check(schema: Mapping[str, Any]) -> None:
    """Raises ValueError with the reason for a parsed schema that is not to be read with."""
    _Bounds().of(schema, ())


class _Bounds:
    def __init__(self) -> None:
        self._known: dict[str, _Weight] = {}

    def of(self, schema: Any, within: tuple[str, ...]) -> _Weight:
        """`within` are the names of what this stands in, one for each level."""
        if len(within) > _DEEP:
            raise ValueError(f"it is nested more than {_DEEP} deep")
        if isinstance(schema, str):
            return self._named(schema, within)
        if isinstance(schema, list):
            branches = [self.of(branch, (*within, "")).values for branch in schema]
            return _Weight(1 + max(branches, default=0), 1)  # a byte for which of them is there
        found = self._inner(schema, (*within, str(schema.get("name", ""))))
        if found.values > _VALUES:
            raise ValueError(f"it holds more than {_VALUES:,} values")
        if "name" in schema:
            self._known[str(schema["name"])] = found
        return found

    def _named(self, name: str, within: tuple[str, ...]) -> _Weight:
        if name in within:
            raise ValueError(f"{name} contains itself")
        return self._known.get(name) or _Weight(1, _LEAST.get(name, 1))

    def _inner(self, schema: Mapping[str, Any], within: tuple[str, ...]) -> _Weight:
        kind = schema["type"]
        if kind in {"record", "error"}:
            fields = [self.of(field["type"], within) for field in schema["fields"]]
            return _Weight(1 + sum(one.values for one in fields), sum(one.least for one in fields))
        if kind in {"array", "map"}:
            items = self.of(schema["items" if kind == "array" else "values"], within)
            least = items.least + (kind == "map")
            if items.values > _A_BYTE * least:
                raise ValueError(f"an item of its {kind} takes no byte, or stands for {items.values:,} values in {least}")
            return _Weight(1 + items.values, 1)
        return _Weight(1, int(schema["size"])) if kind == "fixed" else self.of(kind, within)
