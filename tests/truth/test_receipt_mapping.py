"""The receipt log's five exports, translated by the YAML of examples/receipt alone, equal the right answer."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from receipt_mess import FIT, manifest, spoilt

from connectors.config import Connector, load
from connectors.mapping import Rejection
from connectors.source import SourceRecord
from schemas.codec import default
from schemas.envelope import Event

EXAMPLE = Path(__file__).parents[2] / "examples/receipt"
NOW = 1_800_000_000_000_000  # long after the log


class Translated(NamedTuple):
    connector: Connector
    rows: list[tuple[SourceRecord, list[Event] | Rejection]]

    def rejections(self) -> Iterator[tuple[SourceRecord, Rejection]]:
        return ((record, found) for record, found in self.rows if isinstance(found, Rejection))

    def events(self) -> Iterator[Event]:
        return (event for _, found in self.rows if not isinstance(found, Rejection) for event in found)


@pytest.fixture(scope="module")
def systems(shared: Path) -> dict[str, Translated]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBUS_SHARED", str(shared))
        return {connector.name: _translated(connector) for connector in load(EXAMPLE / "connectors")}


def _translated(connector: Connector) -> Translated:
    records = [record for batch in connector.open().fetch(None, 500) for record in batch.records]
    return Translated(connector, [(record, connector.mapping.translate(record, NOW)) for record in records])


@pytest.fixture(scope="module")
def answers(shared: Path) -> Path:
    return shared / "data/receipt"


def test_every_row_is_read(systems: dict[str, Translated], shared: Path) -> None:
    """As many rows as were written, without headers, titles and totals."""
    written = json.loads((shared / "data/receipt/summary.json").read_text("utf-8"))
    expected = {system["id"]: system["counts"]["rows"] for system in written["systems"]}
    assert {name: len(system.rows) for name, system in systems.items()} == expected


def test_each_reject_of_the_manifest_and_no_other_is_rejected_with_a_fit_reason(
    systems: dict[str, Translated], answers: Path
) -> None:
    """Row by row: the place, and a reason that fits the kind of mess."""
    wanted = spoilt(answers, expect="reject")
    found = {(name, _number(record)): one.reason for name, system in systems.items() for record, one in system.rejections()}
    assert len(wanted) == 164
    assert found.keys() == wanted.keys()
    assert {place: found[place] for place, kind in wanted.items() if found[place] not in FIT[kind]} == {}


def _number(record: SourceRecord) -> int:
    return record.sequence


def test_a_rejection_says_field_finding_remedy_and_line(systems: dict[str, Translated]) -> None:
    """Whoever reads a dead letter can act: a sentence of two, the place in the mapping, the row as it came."""
    for name, system in systems.items():
        for record, rejection in system.rejections():
            assert rejection.text.count(". ") >= 1, rejection
            assert rejection.raw, (name, record.position)
            if record.fault is None:
                file, _, line = rejection.where.rpartition(":")
                assert (EXAMPLE / file).is_file()
                assert line.isdigit()


def test_the_effective_events_equal_the_log_field_by_field(systems: dict[str, Translated], shared: Path) -> None:
    """The highest version of each row, duplicates aside: 8,577 events, times at the precision their source has."""
    effective: dict[str, Event] = {}
    for system in systems.values():
        for event in system.events():
            known = effective.get(event.origin)
            if known is None or known.header["version"] < event.header["version"]:
                effective[event.origin] = event
    found = {_identity(event): _fields(event) for event in effective.values()}
    with (shared / "data/receipt/expected_events.csv").open(encoding="utf-8") as file:
        wanted = {(row["case_no"], int(row["seq"])): row for row in csv.DictReader(file)}
    assert len(effective) == len(wanted) == 8577
    assert found.keys() == wanted.keys()
    differences = [(key, found[key], row) for key, row in wanted.items() if not _equal(found[key], row)]
    assert differences == []


def _identity(event: Event) -> tuple[str, int]:
    return event.case.removeprefix("case:"), event.header["step"]


def _fields(event: Event) -> dict[str, Any]:
    header = event.header
    return {
        "system": header["source"]["system"],
        "dept": header["authority"],
        "activity": header["activity"],
        "ts_ms": header["occurred_at"]["at"] // 1000,
        "operator": header["actor"]["value"] if header["actor"] else "",
        "serial": header["source"]["key"],
        "version": header["version"],
        "precision": header["occurred_at"]["precision"],
    }


def _equal(found: dict[str, Any], row: dict[str, str]) -> bool:
    told = found["operator"] in ("", row["operator"])  # twelve operators were blanked
    dept = found["dept"] == f"{row['dept'].lower().replace(' ', '-')}@990100"
    precision = "SECOND" if row["system"] in ("S01", "S02") else "MILLISECOND"
    same = all(str(found[name]) == row[name] for name in ("system", "activity", "ts_ms", "serial", "version"))
    return told and dept and same and found["precision"] == precision


def test_only_the_blanked_operators_are_missing(systems: dict[str, Translated], answers: Path) -> None:
    """An operator is never lost on the way."""
    blanked = spoilt(answers, kind="blank_operator").keys()
    found = set()
    for name, system in systems.items():
        for record, events in system.rows:
            if not isinstance(events, Rejection) and any(event.header["actor"] is None for event in events):
                found.add((name, _number(record)))
    assert found == blanked


def test_a_row_sent_again_says_the_same(systems: dict[str, Translated]) -> None:
    """Same row, same version: same id and same body, so the router drops it, whatever way it was written the second time."""
    seen: dict[str, set[str]] = defaultdict(set)
    count = Counter[str]()
    for system in systems.values():
        for event in system.events():
            seen[event.id].add(event.header["body_hash"])
            count[event.id] += 1
    assert sum(number - 1 for number in count.values()) == 46
    assert {id_: bodies for id_, bodies in seen.items() if len(bodies) > 1} == {}


def test_superseded_rows_keep_their_origin(systems: dict[str, Translated], answers: Path) -> None:
    """The older version of a row arrives under the same origin with a lower version: the router resolves it."""
    older = {row["serial"] for row in manifest(answers) if row["kind"] == "superseded"}
    versions: dict[str, set[int]] = defaultdict(set)
    for system in systems.values():
        for event in system.events():
            versions[event.header["source"]["key"]].add(event.header["version"])
    assert {key for key, found in versions.items() if len(found) > 1} == older


def test_the_activities_keep_their_meaning(systems: dict[str, Translated]) -> None:
    """What is an acceptance stays an acceptance: one application a case, 131 cases never accepted."""
    types: dict[str, set[str]] = defaultdict(set)
    for system in systems.values():
        for event in system.events():
            types[event.header["activity"]].add(event.type)
    assert len(types) == 27
    assert types["Confirmation of receipt"] == {"Applied"}
    assert types["T04 Determine confirmation of receipt"] == {"Accepted"}
    assert all(len(found) == 1 for found in types.values())


def test_every_event_fits_its_published_schema(systems: dict[str, Translated]) -> None:
    """What the mapping makes can be written, read, and says the same afterwards."""
    codec = default()
    for system in systems.values():
        for event in system.events():
            back = codec.decode(codec.encode(event.type, event.header, event.body))
            assert (back.type, back.header, back.body) == (event.type, event.header, event.body)


def test_a_second_pass_from_the_position_reads_nothing(systems: dict[str, Translated]) -> None:
    """The position behind the last batch is behind everything."""
    for system in systems.values():
        source = system.connector.open()
        *_, last = source.fetch(None, 500)
        assert list(source.fetch(last.position, 500)) == []


def test_reading_goes_on_from_any_position(systems: dict[str, Translated]) -> None:
    """Whoever comes back with the position of a batch reads exactly the rows behind it."""
    for name, system in systems.items():
        source = system.connector.open()
        batches = list(source.fetch(None, 400))
        rest = [record for batch in source.fetch(batches[0].position, 400) for record in batch.records]
        wanted = [record for batch in batches[1:] for record in batch.records]
        assert [one.position for one in rest] == [one.position for one in wanted], name
        assert [dict(one.row) for one in rest] == [dict(one.row) for one in wanted]


def test_the_events_of_a_row_have_the_same_ids_on_every_run(systems: dict[str, Translated]) -> None:
    """Identity depends on the row alone, not on when or how often it was read."""
    again = _translated(systems["S05"].connector)
    assert [event.id for event in again.events()] == [event.id for event in systems["S05"].events()]
