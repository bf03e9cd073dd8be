"""Samples beside a mapping: rows with what they must give, run whenever the file is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.columnset import Places
from connectors.mapping import Mapping as RowMapping
from connectors.mapping import Rejection
from connectors.settings import SampleSettings
from connectors.source import SourceRecord
from schemas.envelope import Event
from schemas.problem import Problem
from schemas.yamlfile import Map

#: Samples are read at the end of the year 9999: none of their times lies in the future.
AT = 253_402_300_799_000_000


def run(mapping: RowMapping, samples: Sequence[SampleSettings], node: Map, places: Places) -> Iterator[Problem]:
    """A problem for each sample that gives something else."""
    for index, sample in enumerate(samples):
        record = SourceRecord(f"sample:{index + 1}", index + 1, sample.row, b"")
        found = _difference(mapping.translate(record, AT), sample)
        if found:
            yield Problem(
                places.of(node["samples"], index), f"sample {index + 1}: {found}", "Correct the sample, or the mapping."
            )


def _difference(found: list[Event] | Rejection, sample: SampleSettings) -> str:
    if isinstance(found, Rejection):
        if found.reason == sample.refused:
            return ""
        return f"refused as {found.reason} ({found.text.rstrip('.')})"
    if sample.gives is None:
        return f"gives {_types(found)}, it should be refused as {sample.refused}"
    if len(found) != len(sample.gives):
        return f"gives {_types(found)}, {len(sample.gives)} events were expected"
    differences = (_event_difference(event, wanted) for event, wanted in zip(found, sample.gives, strict=True))
    return next((text for text in differences if text), "")


def _types(events: list[Event]) -> str:
    return ", ".join(event.type for event in events) or "no event"


def _event_difference(event: Event, wanted: Mapping[str, Any]) -> str:
    for name, value in wanted.items():
        actual = _named(event, name)
        if isinstance(value, dict) and isinstance(actual, dict):
            actual = {key: actual.get(key) for key in value}
        if actual != value:
            return f"{event.type}.{name} is {actual!r}, {value!r} was expected"
    return ""


def _named(event: Event, name: str) -> Any:
    """The type, `header` or `body` as a whole, or a field of the body or else the header (both can have a `step`)."""
    if name in ("type", "header", "body"):
        return getattr(event, name)
    return event.body[name] if name in event.body else event.header.get(name)
