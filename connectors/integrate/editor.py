"""The JSON Schema of a connector's YAML, for editors: completion, and a wavy line under a misspelt key."""

from __future__ import annotations

from typing import Any

from connectors.documents import profiles
from connectors.kinds import kinds
from connectors.settings import ConnectorSettings
from schemas import contract

#: Keys that take one value or a list of them.
_ONE_OR_MORE = frozenset({"include", "missing", "ignore", "on", "clean", "formats", "to"})


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12. What includes, profiles and tables give need not stand in the file, so nothing is required of it."""
    found = ConnectorSettings.model_json_schema(by_alias=True)
    parts = found.pop("$defs")
    found.pop("required", None)
    for model in [found, *parts.values()]:
        _widen(model)
    parts["EventSettings"]["properties"]["type"]["enum"] = sorted(contract.events())
    own = found["properties"]
    own["kind"]["enum"] = sorted(kinds())
    own["case"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/CaseSettings"}]}
    parts["EventSettings"]["properties"]["case"] = own["case"]
    own["profile"] = {"enum": profiles()}
    parts["Table"] = {"type": "object", "additionalProperties": False, "properties": dict(own)}
    own["tables"] = {"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/$defs/Table"}, {"type": "null"}]}}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "casebus connector"}
    return {**found, **head, "$defs": parts}


def _widen(model: dict[str, Any]) -> None:
    for name, property_ in model.get("properties", {}).items():
        if name in _ONE_OR_MORE:
            kept = {key: property_.pop(key) for key in ("type", "items", "anyOf", "minItems") if key in property_}
            listed = [one for one in kept.get("anyOf", [kept]) if one.get("type") == "array"]
            items = listed[0]["items"] if listed else {}
            property_["anyOf"] = [*kept.get("anyOf", [kept]), items]
