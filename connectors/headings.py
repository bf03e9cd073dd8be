"""Columns that a mapping reads and a source does not have: found by a look at the source, told where the mapping names them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from connectors.columns import must_have
from connectors.columnset import Places
from connectors.config import Connector, Part
from connectors.documents import document, parts_of
from connectors.source import Context
from connectors.values import key_text
from schemas.problem import Problem
from schemas.yamlfile import Map


def missing(connector: Connector) -> list[Problem]:
    """One problem for each. Raises BusError where a source cannot be looked at; kinds that cannot tell are passed over."""
    nodes = parts_of(document(connector.path, connector.base))
    places = Places(connector.base)
    return [found for name, part in connector.parts.items() for found in _of_part(connector, part, nodes[name], places)]


def _of_part(connector: Connector, part: Part, node: Map, places: Places) -> Iterator[Problem]:
    if part.kind.columns is None:
        return
    context = Context(connector.base, [], str(connector.path.relative_to(connector.base)))
    there = part.kind.columns(part.source_settings, context)
    if there is None:
        return
    known = {key_text(name) for name in there}
    for field in must_have(part.fields, part.settings.columns):
        if isinstance(field, str) and key_text(field) not in known:
            found = f"the source has no column `{field}`; it has {', '.join(filter(None, there)) or 'no names at all'}"
            yield Problem(_line(field, part, node, places), found, _near(field, there))


def _line(field: str, part: Part, node: Map, places: Places) -> str:
    """Where the mapping names a field of the source; without `columns:` its expressions do."""
    for name, column in part.settings.columns.items():
        if column.source == field:
            return places.of(node["columns"][name], "from")
        if column.source is None and name == field:
            return places.of(node["columns"], name)
    return places.of(node, "events")


def _near(field: str, there: Sequence[str]) -> str:
    close = difflib.get_close_matches(field, there, 1, 0.5)
    return f"Write `{close[0]}`?" if close else "Correct from: in the mapping, or how source: finds the headings."
