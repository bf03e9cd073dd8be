"""Rows to events: purely, with ids that depend on the row alone, and refusals that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from connector_world import CSV, MAPPING, NOW, connector, row

from connectors.config import Connector
from connectors.deadletters import of_rejection
from connectors.mapping import Rejection
from schemas.codec import default
from schemas.envelope import Event, event_id
from schemas.problem import ProblemsError

HOUR = 3_600_000_000

#: One row can say several things; codes say which.
STEPS = """
zone: Asia/Shanghai
missing: [NULL, "-"]
lookups:
  people: {table: {natural: NATURAL_PERSON, company: COMPANY}, unknown: unknown_kind}
columns:
  serial: {clean: key, required: true}
  version: {type: whole, default: 1}
  number: {clean: key, pattern: '[A-Z]\\d+'}
  code: {clean: [trim, upper]}
  at: {type: time, required: true}
  sent: {type: time}
  name: {}
  kind: {lookup: people}
  papers: {type: list}
  ticket: {}
key: [serial]
version: version
case: number
choose: code
ignore: [NOISE]
header: {occurred_at: at, reported_at: sent, activity: code}
events:
  - type: Applied
    on: APPLY
    body:
      applicant: {name: name, kind: kind}
      materials:
        - {name: "'form'"}
  - type: Linked
    on: APPLY
    name: ticket
    when: ticket != null
    body: {other: "'ticket:' + ticket", relation: "'TICKET'"}
  - type: SupplementRequested
    on: [ASK, ASK2]
    body: {missing: papers, round: "code == 'ASK2' ? 2 : 1"}
  - type: TicketTaken
    on: TICKET
    case: {namespace: ticket, number: ticket}
    header: {activity: null}
    body: {ticket: ticket}
"""


@pytest.fixture
def found(tmp_path: Path) -> Connector:
    return connector(tmp_path, CSV, STEPS)


def give(found: Connector, **fields: Any) -> list[Event] | Rejection:
    plain = {"serial": "S1", "version": "1", "number": "C1", "code": "APPLY", "at": "2025-06-01T09:00:00", "name": "王"}
    return found.mapping.translate(row(**(plain | fields)), NOW)


def events(given: list[Event] | Rejection) -> list[Event]:
    assert not isinstance(given, Rejection), given
    return given


def refused(given: list[Event] | Rejection) -> Rejection:
    assert isinstance(given, Rejection), given
    return given


def test_one_row_gives_the_events_of_its_code_whose_condition_holds(found: Connector) -> None:
    """Several events of one row have names and ids of their own, in the mapping's order."""
    assert [event.type for event in events(give(found))] == ["Applied"]
    both = events(give(found, ticket="Q7"))
    assert [event.type for event in both] == ["Applied", "Linked"]
    assert [event.header["sequence"] for event in both] == [2, 3]
    assert both[0].id == event_id("dep", "rows.csv", "S1", "event", 1)
    assert both[1].id == event_id("dep", "rows.csv", "S1", "ticket", 1)


def test_header_and_body_are_complete(found: Connector) -> None:
    """Every field of the published schema stands, so that hashes agree before and after the wire."""
    (event,) = events(give(found, kind="company", sent="2025-06-01T10:00:00"))
    assert event.body["applicant"] == {"name": {"value": "王"}, "kind": "COMPANY", "identity": None, "phone": None}
    assert event.body["materials"] == [{"name": "form", "form": None, "count": None}]
    assert event.header["source"] == {"system": "dep", "table": "rows.csv", "key": "S1", "position": "test:1"}
    assert event.header["case"] == "case:C1"
    assert event.header["received_at"] == NOW
    assert event.reported_at - event.occurred_at == HOUR


def test_a_record_without_any_value_is_nothing(found: Connector) -> None:
    """No applicant rather than an empty one."""
    assert events(give(found, name="-"))[0].body["applicant"] is None


def test_a_code_can_give_its_own_case_and_header(found: Connector) -> None:
    """Tickets have a namespace of their own; null takes a header field away."""
    (event,) = events(give(found, code="ticket ", number="", ticket="Q7"))
    assert (event.case, event.header["activity"]) == ("ticket:Q7", None)


def test_lists_and_numbers_are_read(found: Connector) -> None:
    """Text cut into a list, a condition that chooses a number."""
    (event,) = events(give(found, code="ASK2", papers="form、map"))
    assert (event.body["missing"], event.body["round"]) == (["form", "map"], 2)


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"serial": " "}, "missing_key", "serial"),
        ({"number": "NULL"}, "missing_case", "case"),
        ({"number": "12"}, "malformed_case", "number"),
        ({"code": "GUESS"}, "unknown_code", "code"),
        ({"code": ""}, "missing_code", "code"),
        ({"at": ""}, "missing_time", "at"),
        ({"at": "2025-06-31T00:00:00"}, "unreadable_time", "at"),
        ({"at": "2125-06-01T00:00:00"}, "future_time", "occurred_at"),
        ({"at": "2025-06-03T00:00:00", "sent": "2025-06-01T09:00:00"}, "future_time", "occurred_at"),
        ({"kind": "alien"}, "unknown_kind", "kind"),
        ({"version": "two"}, "unreadable_number", "version"),
        ({"version": "-1"}, "unreadable_number", "version"),
        ({"code": "TICKET", "ticket": ""}, "missing_case", "case"),
    ],
)
def test_a_refusal_names_reason_field_and_line(found: Connector, fields: dict[str, str], reason: str, field: str) -> None:
    """One fault, one reason; the sentence says what was found and what to do."""
    rejection = refused(give(found, **fields))
    assert (rejection.reason, rejection.field) == (reason, field)
    assert rejection.text.startswith(f"{field}: ")
    assert rejection.text.endswith(".")
    assert rejection.raw == b"raw"


def test_a_refusal_keeps_the_key_it_could_read(found: Connector) -> None:
    """The department finds the row by its own number."""
    assert refused(give(found, code="GUESS")).key == "S1"
    assert refused(give(found, serial="")).key is None


def test_an_ignored_code_gives_nothing_and_is_no_fault(found: Connector) -> None:
    """Known to mean nothing: said in the mapping, not guessed."""
    assert events(give(found, code="NOISE")) == []


def test_a_repaired_row_is_the_same_row(found: Connector) -> None:
    """Padding, width and the apostrophe change neither id nor body."""
    clean, padded = events(give(found))[0], events(give(found, serial="'Ｓ１ ", number=" C1\u3000", code=" apply"))[0]
    assert (clean.id, clean.header["body_hash"]) == (padded.id, padded.header["body_hash"])


def test_a_new_version_has_a_new_id_and_the_same_origin(found: Connector) -> None:
    """The router sees that one replaces the other."""
    first, second = events(give(found))[0], events(give(found, version="2"))[0]
    assert first.id != second.id
    assert first.origin == second.origin
    assert second.header["version"] == 2


def test_a_row_that_says_something_else_under_its_id_has_another_body(found: Connector) -> None:
    """So that a conflict is seen; how it was sent changes nothing."""
    first, other = events(give(found))[0], events(give(found, name="李"))[0]
    later = events(give(found, sent="2025-06-02T00:00:00"))[0]
    assert first.id == other.id == later.id
    assert first.header["body_hash"] != other.header["body_hash"]
    assert first.header["body_hash"] == later.header["body_hash"]


def test_skipped_rows_give_nothing(tmp_path: Path) -> None:
    """A condition over columns says which rows are no events."""
    skipping = connector(tmp_path, CSV, MAPPING.replace("key: id", "skip: who == 'test'\nkey: id"))
    plain = {"id": "1", "case_no": "C1", "at": "2025-06-01 09:00:00"}
    assert skipping.mapping.translate(row(**plain, who="test"), NOW) == []
    assert len(events(skipping.mapping.translate(row(**plain, who="x"), NOW))) == 1


def test_what_skips_a_row_must_say_yes_or_no(tmp_path: Path) -> None:
    """A deleted row whose flag is the text '1' must not be published because a text is not true."""
    skipping = connector(tmp_path, CSV, MAPPING.replace("key: id", "skip: who\nkey: id"))
    plain = {"id": "1", "case_no": "C1", "at": "2025-06-01 09:00:00"}
    assert refused(skipping.mapping.translate(row(**plain, who="1"), NOW)).reason == "expression_failed"
    assert len(events(skipping.mapping.translate(row(**plain, who=""), NOW))) == 1


def test_numbers_that_stand_for_nothing_do_so_in_texts_too(tmp_path: Path) -> None:
    """`missing: [0, 9999]` is written so, and a CSV holds texts."""
    filled = connector(tmp_path, CSV, MAPPING.replace("who: {}", "who: {missing: [0, 9999]}"))
    plain = {"id": "1", "case_no": "C1", "at": "2025-06-01 09:00:00"}
    found = [events(filled.mapping.translate(row(**plain, who=who), NOW))[0].header["actor"] for who in ("0", "9999", "12")]
    assert found == [None, None, {"value": "12"}]


def test_a_condition_that_is_none_is_told(tmp_path: Path) -> None:
    """`when` must say yes or no."""
    wrong = connector(tmp_path, CSV, MAPPING.replace("{type: Accepted}", "{type: Accepted, when: who}"))
    given = wrong.mapping.translate(row(id="1", case_no="C1", at="2025-06-01 09:00:00", who="x"), NOW)
    assert refused(given).reason == "expression_failed"


def test_a_changed_row_may_replace_the_former(tmp_path: Path) -> None:
    """Systems without versions say so in their YAML; the router reads it from the header."""
    replacing = connector(tmp_path, CSV, "conflict: replace\n" + MAPPING)
    given = replacing.mapping.translate(row(id="1", case_no="C1", at="2025-06-01 09:00:00", who="x"), NOW)
    assert events(given)[0].header["conflict"] == "REPLACE"


def test_lookups_may_fold_case_and_width(tmp_path: Path) -> None:
    """A code typed by hand finds its row."""
    mapping = """
    zone: UTC
    lookups: {steps: {table: {ab1: {step: review}}, fold: true}}
    columns:
      id: {}
      at: {type: time}
      step: {from: code, lookup: steps.step}
    key: id
    case: id
    header: {occurred_at: at}
    events: [{type: StepCompleted, body: {step: step}}]
    """
    folding = connector(tmp_path, CSV, mapping)
    given = folding.mapping.translate(row(id="1", at="2025-06-01T00:00:00", code=" ＡＢ1"), NOW)
    assert events(given)[0].body["step"] == "review"


@pytest.mark.parametrize(
    ("name", "content", "lookup"),
    [
        ("codes.csv", "code;step\nA;review\n", "file: codes.csv, key: code, value: step, delimiter: ';'"),
        ("codes.json", '{"all": {"codes": {"A": "review"}}}', "file: codes.json, path: all.codes"),
        ("codes.json", '[{"code": "A", "step": "review"}]', "file: codes.json, key: code, value: step"),
        ("codes.jsonl", '{"code": "A", "step": "review"}\n', "file: codes.jsonl, key: code, value: step"),
        ("codes.yaml", "codes: {A: review}\n", "file: codes.yaml, path: codes"),
        ("gbk.csv", "代码,环节\nA,review\n", "file: gbk.csv, key: 代码, value: 环节, encoding: gbk"),
    ],
)
def test_lookups_come_from_files_of_any_form(tmp_path: Path, name: str, content: str, lookup: str) -> None:
    """CSV, JSON, JSON lines, YAML; paths are relative to the deployment."""
    (tmp_path / name).write_text(content, "gbk" if name.startswith("gbk") else "utf-8")
    mapping = MAPPING.replace("columns:", f"lookups: {{steps: {{{lookup}}}}}\ncolumns:")
    mapping = mapping.replace("who: {}", "who: {lookup: steps}").replace("actor: who", "activity: who")
    given = connector(tmp_path, CSV, mapping).mapping.translate(row(id="1", case_no="C1", at="2025-06-01 09:00:00", who="A"), NOW)
    assert events(given)[0].header["activity"] == "review"


def test_a_lookup_in_lines_takes_every_text_and_tells_an_unknown_encoding(tmp_path: Path) -> None:
    """A text may hold U+2028; an encoding that nobody knows is told with its line."""
    (tmp_path / "codes.jsonl").write_text('{"code": "A", "step": "re\u2028view"}\n', "utf-8")
    lookup = "{steps: {file: codes.jsonl, key: code, value: step}}"
    mapping = MAPPING.replace("columns:", f"lookups: {lookup}\ncolumns:")
    mapping = mapping.replace("who: {}", "who: {lookup: steps}").replace("actor: who", "activity: who")
    given = connector(tmp_path, CSV, mapping).mapping.translate(row(id="1", case_no="C1", at="2025-06-01 09:00:00", who="A"), NOW)
    assert events(given)[0].header["activity"] == "re\u2028view"
    wrong = mapping.replace("value: step", "value: step, encoding: gb99999")
    with pytest.raises(ProblemsError, match=r"dep.yaml:\d+: the lookup's file .* cannot be read: unknown encoding: gb99999"):
        connector(tmp_path, CSV, wrong).mapping.translate(row(id="1", case_no="C1", at="2025-06-01 09:00:00", who="A"), NOW)


def test_a_number_that_lost_its_digits_is_no_case(tmp_path: Path) -> None:
    """9.9E+18 in a CSV that went through a spreadsheet."""
    given = connector(tmp_path).mapping.translate(row(id="1", case_no="9.90100201E+18", at="2025-06-01 09:00:00"), NOW)
    assert refused(given).reason == "damaged_number"


def test_half_a_character_is_a_reason_and_no_end(tmp_path: Path) -> None:
    """JSON may hold half of a surrogate pair; no text on the bus can, in whatever column it stands."""
    mapping = connector(tmp_path).mapping
    good = {"id": "1", "case_no": "C1", "at": "2025-06-01 09:00:00", "who": "u"}
    for column in ("id", "case_no", "who"):
        found = mapping.translate(row(**{**good, column: "a\ud800"}), NOW)
        assert isinstance(found, Rejection)
        assert (found.reason, found.found) == ("unreadable_text", "found half a character (U+D800)")
        default().encode_record("DeadLetter", of_rejection(found, "dep", NOW))
    late = mapping.translate(row(**{**good, "at": "\ud800"}), NOW)
    assert isinstance(late, Rejection)
    assert "\\ud800" in of_rejection(late._replace(found="\ud800"), "dep", NOW)["found"]
