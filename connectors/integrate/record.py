"""Samples taken from a source: one row for each thing that rows of it can mean, without personal data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from connectors.config import Connector
from connectors.integrate import scrub
from connectors.integrate.preview import Shown
from connectors.integrate.yamltext import quoted
from connectors.mapping import Rejection
from connectors.samples import AT
from connectors.source import SourceRecord
from schemas.envelope import Event


class Sample(NamedTuple):
    """A row, scrubbed, with what it gives, as the YAML says it."""

    table: str
    row: Mapping[str, Any]
    says: Mapping[str, Any]


def samples(connector: Connector, shown: Iterable[Shown]) -> Iterator[Sample]:
    """The first row of each outcome: these events, or this reason. A row that means something else once scrubbed is left out."""
    met: set[Any] = set()
    for one in shown:
        outcome = (one.record.table, _outcome(one.found))
        if one.record.fault is not None or outcome in met:
            continue
        part = connector.parts[one.record.table]
        row = {name: _yaml(value) for name, value in scrub.scrubbed(part, one.record.row).items()}
        found = part.mapping.translate(SourceRecord("sample", 1, row, b""), AT)
        if _outcome(found) == outcome[1]:
            met.add(outcome)
            yield Sample(one.record.table, row, _says(found))


def _outcome(found: list[Event] | Rejection) -> tuple[str, ...]:
    if isinstance(found, Rejection):
        return ("refused", found.reason)
    return tuple(f"{event.type} {event.header['activity']}" for event in found)


def _yaml(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, (str, int, float, list, dict)) or value is None:
        return value
    return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else str(value)


def _says(found: list[Event] | Rejection) -> dict[str, Any]:
    if isinstance(found, Rejection):
        return {"refused": found.reason}
    return {"gives": [_event(event) for event in found]}


def _event(event: Event) -> dict[str, Any]:
    """The fields that a person would check; personal ones and times of receipt are not among them."""
    header = {name: event.header[name] for name in ("case", "authority", "item", "region") if event.header[name] is not None}
    body = {name: value for name, value in event.body.items() if isinstance(value, (str, int, bool)) and value != ""}
    return {"type": event.type, **header, **body}


def block(found: Iterable[Sample], indent: str = "") -> str:
    """The samples as YAML, one row in a line (JSON is YAML)."""
    lines = [f"{indent}samples:\n"]
    for one in found:
        lines.append(f"{indent}  - row: {quoted(one.row)}\n")
        lines += [f"{indent}    {key}: {quoted(value)}\n" for key, value in one.says.items()]
    return "".join(lines)
