"""The made-up city of gen_city.py, read by the YAML of examples/generated-city alone."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connectors.config import Connector, load
from connectors.mapping import Rejection
from schemas.codec import default
from schemas.directory import Directory
from schemas.envelope import Event

EXAMPLE = Path(__file__).parents[2] / "examples/generated-city"

#: Kinds of bad lines that the connector stops, with the fit reasons.
STOPPED = {
    "malformed": {"broken_line"},
    "missing_time": {"missing_time"},
    "future_time": {"future_time"},
    "bad_region": {"unknown_region"},
    "unknown_item": {"unknown_item"},
    "unknown_type": {"unknown_code"},
}
#: Kinds the router stops; a changed type may lack what it needs, or its case number, and then the connector says so.
PASSED = {
    "duplicate": set[str](),
    "conflicting_id": {"missing_case", "missing_value"},
    "after_final": {"missing_value"},
    "orphan_case": {"missing_value"},
}


class City(NamedTuple):
    folder: Path
    connector: Connector
    lines: dict[int, list[Event] | Rejection]
    bad: dict[int, dict[str, Any]]


@pytest.fixture(scope="module", params=[41])
def city(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("city")
    tool = shared / "tools/gen_city.py"
    arguments = ["--cases", "160", "--seed", str(request.param), "--bad", "0.05", "--out", str(folder)]
    subprocess.run([sys.executable, str(tool), *arguments], check=True, capture_output=True)
    bad = [json.loads(line) for line in (folder / "truth_bad.jsonl").read_text("utf-8").splitlines()]
    connector = _connector(folder)
    return City(folder, connector, _read(connector), {one["line"]: one for one in bad})


def _connector(folder: Path) -> Connector:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBUS_CITY", str(folder))
        return load(EXAMPLE / "connectors", "Asia/Shanghai")[0]


def _read(connector: Connector) -> dict[int, list[Event] | Rejection]:
    records = [record for batch in connector.open().fetch(None, 1000) for record in batch.records]
    return {record.sequence: connector.mapping.translate(record, 0, replay=True) for record in records}


def test_each_bad_line_is_stopped_with_a_fit_reason_or_left_to_the_router(city: City) -> None:
    """Line by line: what a connector can know is rejected here, what needs the whole case goes on."""
    assert {one["kind"] for one in city.bad.values()} == STOPPED.keys() | PASSED.keys()
    for line, one in city.bad.items():
        found = city.lines[line]
        reason = found.reason if isinstance(found, Rejection) else None
        kind = one["kind"]
        assert reason in (STOPPED.get(kind) or PASSED[kind] | {None}), (line, one, found)


def test_every_other_line_is_translated(city: City) -> None:
    """No good line is refused, and each gives at least one event."""
    good = {line: found for line, found in city.lines.items() if line not in city.bad}
    assert {line: found for line, found in good.items() if isinstance(found, Rejection) or not found} == {}


def test_no_event_type_of_the_city_is_without_a_meaning(city: City) -> None:
    """All types of the catalogue are mapped, whether or not this seed has them."""
    known = set(json.loads((city.folder / "catalog.json").read_text("utf-8"))["event_types"])
    assert set(city.connector.mapping.choice.plans) == known


def test_authorities_stand_in_the_directory(city: City) -> None:
    """Who acts and who receives is somebody the deployment knows."""
    known = Directory.load(EXAMPLE / "directory").authorities
    named = {event.header["authority"] for event in _events(city)}
    named |= {event.body["to"] for event in _events(city) if "to" in event.body}
    assert named <= set(known)


def _events(city: City) -> list[Event]:
    found = [events for line, events in city.lines.items() if line not in city.bad and not isinstance(events, Rejection)]
    return [event for events in found for event in events]


def test_a_duplicate_line_gives_the_same_events(city: City) -> None:
    """Same ids, same bodies: the router drops them."""
    bodies: dict[str, set[str]] = defaultdict(set)
    for event in _events(city):
        bodies[event.id].add(event.header["body_hash"])
    for line, one in city.bad.items():
        found = city.lines[line]
        if one["kind"] == "duplicate" and not isinstance(found, Rejection):
            assert all(bodies[event.id] == {event.header["body_hash"]} for event in found)


def test_a_conflicting_line_takes_the_id_of_another_body(city: City) -> None:
    """Same id, other body: only so can the router see the conflict."""
    bodies = {event.id: event.header["body_hash"] for event in _events(city)}
    for line, one in city.bad.items():
        found = city.lines[line]
        if one["kind"] == "conflicting_id" and not isinstance(found, Rejection):
            assert bodies[found[0].id] != found[0].header["body_hash"]


def test_an_application_is_linked_to_its_appointment_and_ticket(city: City) -> None:
    """Window cases: what came before the case number is tied to it."""
    links = [event for event in _events(city) if event.type == "Linked"]
    tickets = {event.case for event in _events(city) if event.type == "TicketTaken"}
    assert {event.body["other"] for event in links if event.body["relation"] == "TICKET"} == tickets
    assert len({event.id for event in links}) == len(links)


def test_in_replay_the_bus_received_what_was_sent_when_it_was_sent(city: City) -> None:
    """The source's own stamp counts, so that 'as known then' is true of history."""
    for event in _events(city):
        assert event.received_at == event.header["reported_at"]["at"]


def test_every_event_fits_its_published_schema(city: City) -> None:
    """What the mapping makes can be written and read back unchanged."""
    codec = default()
    for event in _events(city):
        back = codec.decode(codec.encode(event.type, event.header, event.body))
        assert (back.header, back.body) == (event.header, event.body)


def test_the_order_of_the_lines_does_not_matter(city: City, tmp_path: Path) -> None:
    """Shuffled lines give the same events: ids and bodies depend on the row alone."""
    lines = (city.folder / "events.jsonl").read_bytes().splitlines()
    random.Random(5).shuffle(lines)
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines))
    (tmp_path / "catalog.json").write_bytes((city.folder / "catalog.json").read_bytes())
    shuffled = _read(_connector(tmp_path))
    assert _said(shuffled) == _said(city.lines)


def _said(lines: dict[int, list[Event] | Rejection]) -> set[tuple[str, str]]:
    return {
        (event.id, event.header["body_hash"]) for found in lines.values() if not isinstance(found, Rejection) for event in found
    }
