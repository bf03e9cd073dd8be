"""XES, the process miners' format (IEEE 1849-2016), with its extensions concept, time, org and lifecycle.

Written case by case, so that a log of any size needs little memory. What has no standard name stands under `casebus:`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from pathlib import Path
from typing import Any

from lxml import etree

from monitor.export import Exported, Trail
from monitor.times import local

NAMESPACE = "http://www.xes-standard.org/"
EXTENSIONS = {
    "concept": "Concept",
    "time": "Time",
    "org": "Organizational",
    "lifecycle": "Lifecycle",
}
#: The standard transitions of the events that begin, stop or go on with something; all others complete.
TRANSITIONS = {"StepStarted": "start", "ClockPaused": "suspend", "ClockResumed": "resume", "Withdrawn": "ate_abort"}
_GLOBAL_EVENT = (("string", "concept:name", ""), ("date", "time:timestamp", "1970-01-01T00:00:00.000+00:00"))
_GLOBAL_EVENT_LIFECYCLE = ("string", "lifecycle:transition", "complete")

Attribute = tuple[str, str, str]
_NAMES: Any = {None: NAMESPACE}  # lxml-stubs knows no default namespace


def write(found: Iterable[Trail], file: Path, zone: tzinfo) -> int:
    """Returns how many events."""
    count = 0
    with etree.xmlfile(str(file), encoding="utf-8") as out:
        out.write_declaration()
        with out.element("log", {"xes.version": "1849.2016", "xes.features": ""}, nsmap=_NAMES):
            for part in _head():
                out.write(part, pretty_print=True)
            for trail in found:
                out.write(_trace(trail, zone), pretty_print=True)
                count += len(trail.events)
    return count


def _head() -> Iterator[etree._Element]:
    for prefix, name in EXTENSIONS.items():
        yield _element("extension", name=name, prefix=prefix, uri=f"{NAMESPACE}{prefix}.xesext")
    yield _with(_element("global", scope="trace"), [("string", "concept:name", "")])
    yield _with(_element("global", scope="event"), [*_GLOBAL_EVENT, _GLOBAL_EVENT_LIFECYCLE])
    yield _element("classifier", name="Activity", keys="concept:name")
    yield _element("classifier", name="Activity and transition", keys="concept:name lifecycle:transition")


def _trace(trail: Trail, zone: tzinfo) -> etree._Element:
    about = ((name, getattr(trail, name)) for name in ("region", "item", "department", "channel", "outcome"))
    own: list[Attribute] = [("string", "concept:name", trail.case)]
    trace = _with(_element("trace"), own + [("string", f"casebus:{name}", value) for name, value in about if value])
    for one in trail.events:
        trace.append(_with(_element("event"), list(_attributes(one, zone))))
    return trace


def _attributes(one: Exported, zone: tzinfo) -> Iterator[Attribute]:
    yield "string", "concept:name", one.activity
    yield "date", "time:timestamp", stamp(one.occurred_at, zone)
    yield "string", "lifecycle:transition", TRANSITIONS.get(one.type, "complete")
    if one.resource:
        yield "string", "org:resource", one.resource
    if one.department:
        yield "string", "org:group", one.department
    yield "string", "casebus:event", one.event_id
    yield "string", "casebus:type", one.type
    for name in ("authority", "region"):
        if value := getattr(one, name):
            yield "string", f"casebus:{name}", value
    if one.reported_at is not None:
        yield "date", "casebus:reported", stamp(one.reported_at, zone)
    yield "date", "casebus:received", stamp(one.received_at, zone)


def stamp(at: int, zone: tzinfo) -> str:
    """`xs:dateTime` with milliseconds, or microseconds where there are any."""
    return local(at, zone).isoformat(timespec="microseconds" if at % 1_000 else "milliseconds")


def _element(tag: str, **attributes: str) -> etree._Element:
    return etree.Element(f"{{{NAMESPACE}}}{tag}", attributes, nsmap=_NAMES)


def _with(parent: Any, attributes: Iterable[Attribute]) -> etree._Element:
    for kind, key, value in attributes:
        etree.SubElement(parent, f"{{{NAMESPACE}}}{kind}", key=key, value=value)
    found: etree._Element = parent
    return found
