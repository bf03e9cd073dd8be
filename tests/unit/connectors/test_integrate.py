"""The integrator's tools: first look and mapping, preview, samples without personal data, coverage, the editors' schema."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from connector_world import CSV, MAPPING, NOW, connector, deployment, drop, good, rows
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bus.errors import ConfigurationError
from casebus.__main__ import app
from connectors.config import Connector, read
from connectors.integrate import coverage, editor, guess, look, preview, record, scrub

SMALL = "\n".join(
    [
        "编号,办件编号,状态,时间,经办人",
        *(f"{n},C{n // 2:04},{'受理' if n % 2 else '申请'},2025/6/{n + 1} 9:05,王五" for n in range(8)),
    ]
)


def drafted(folder: Path, seen: look.Seen, name: str = "dep") -> Connector:
    return read(deployment(folder, guess.draft(seen, name, "Asia/Shanghai"), name))


def types(found: Connector) -> list[str]:
    shown = [preview.as_dict(one) for one in preview.rows(found, 100, NOW)]
    return ["+".join(event["type"] for event in one["gives"]) if "gives" in one else one["refused"]["reason"] for one in shown]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_sample_file_becomes_a_mapping_that_works(tmp_path: Path, encoding: str) -> None:
    """Encoding, delimiter, key, case, code, time: each with the reason why it was taken."""
    drop(tmp_path, SMALL.replace(",", ";").encode(encoding), "s.csv")
    seen = look.file("drop/s.csv", tmp_path)
    assert (seen.source["encoding"], seen.source["delimiter"]) == (encoding, ";")
    found = drafted(tmp_path, seen)
    assert types(found) == ["Applied", "Accepted"] * 4
    text = found.path.read_text("utf-8")
    assert 'code: {from: "状态", required: true}  # guess: its name' in text
    assert 'formats: "%Y/%m/%d %H:%M"' in text


def test_json_lines_and_workbooks_are_looked_at_too(tmp_path: Path) -> None:
    """Nested fields by their paths; the first sheet."""
    import openpyxl

    lines = [
        {"id": n, "case": {"no": f"C{n // 2:04}"}, "state": ["applied", "granted"][n % 2], "at": f"2025-06-0{n + 1}T09:00:00Z"}
        for n in range(6)
    ]
    drop(tmp_path, "".join(json.dumps(line) + "\n" for line in lines), "s.jsonl")
    assert types(drafted(tmp_path, look.file("drop/s.jsonl", tmp_path), "j")) == ["Applied", "Decided"] * 3
    book = openpyxl.Workbook()
    for line in SMALL.splitlines():
        book.worksheets[0].append(line.split(","))
    book.save(tmp_path / "s.xlsx")
    assert types(drafted(tmp_path, look.file("s.xlsx", tmp_path), "x")) == ["Applied", "Accepted"] * 4


def test_a_table_is_looked_at_with_its_key_and_its_watermark(tmp_path: Path) -> None:
    """The primary key is known, the column that changes with the row is guessed by its name."""
    with sqlite3.connect(tmp_path / "d.db") as database:
        database.execute("create table one (id integer primary key, case_no text, status text, at text, updated text)")
        line = "('C001', 'accepted', '2025-06-01 09:00:00', '2025-06-01 09:00:01')"
        database.execute(f"insert into one (case_no, status, at, updated) values {line}, {line}")
    found = drafted(tmp_path, look.table("sqlite:///d.db", None, tmp_path))
    assert (found.parts[""].source_settings.key, found.parts[""].source_settings.watermark) == (["id"], "updated")
    assert types(found) == ["Accepted"] * 2
    with sqlite3.connect(tmp_path / "d.db") as database:
        database.execute("create table two (id integer)")
    with pytest.raises(ConfigurationError, match=r"has 2 tables \(one, two\). Name one of them: --table NAME"):
        look.table("sqlite:///d.db", None, tmp_path)
    with pytest.raises(ConfigurationError, match=r"There is no table three\. Name one of one, two"):
        look.table("sqlite:///d.db", "three", tmp_path)


AROUND = """
zone: Asia/Shanghai
columns:
  id: {required: true}
  case_no: {from: ../number, required: true}
  at: {type: time, required: true}
  who: {from: ../person.label}
  op: {from: agent.label}
key: id
case: case_no
header: {occurred_at: at, actor: op}
events: [{type: Applied, body: {applicant: {name: who}}}]
"""


def test_samples_of_nested_rows_hold_no_people_either(tmp_path: Path) -> None:
    """Neither in what stands around the row, nor its neighbours, nor inside it; what is not personal stays."""
    steps = [{"id": n, "at": "2025-06-01T09:00:00", "agent": {"label": "李四", "room": "B4"}} for n in (1, 2)]
    whole = {"number": "110105194912310021", "person": {"label": "张三", "kind": "P"}, "联系人": ["王五"], "steps": steps}
    drop(tmp_path, json.dumps(whole, ensure_ascii=False) + "\n", "rows.jsonl")
    source = "kind: files\nsource: {path: drop/rows.jsonl, format: jsonl, record: steps}\n"
    found = connector(tmp_path, source, AROUND)
    (taken,) = record.samples(found, preview.rows(found, 10, NOW))
    assert taken.row["agent"] == {"label": "某某", "room": "B4"}
    around = {"number": "110105194912310021", "person": {"label": "某某", "kind": "P"}, "联系人": ["某某"], "..": None}
    assert taken.row[".."] == around


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["id", "状态", "at", "x y"]), st.text(max_size=12) | st.none() | st.integers()),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_a_table_holds_the_draft_is_yaml(found: list[dict[str, Any]]) -> None:
    """Names and values of any kind: quoted, so that they change nothing else."""
    names = sorted({name for one in found for name in one}) or ["id"]
    seen = look.Seen("files", {"path": "a.csv", "format": "csv"}, {name: [one.get(name) for one in found] for name in names}, {})
    made = yaml.safe_load(guess.draft(seen, "dep", "Asia/Shanghai"))
    assert {"at", "number"} <= set(made["columns"])
    assert set(made["key"]) - {"text(at.at)"} <= set(made["columns"]) or made["key"] == "serial"
    assert {column["from"] for column in made["columns"].values()} <= set(names)


def test_a_preview_shows_rows_beside_what_they_give(tmp_path: Path) -> None:
    """Events in words, refusals with the mapping's line."""
    drop(tmp_path, rows(good(1), "2,,2025-06-01 09:00:00,u"))
    first, second = (preview.as_dict(one) for one in preview.rows(connector(tmp_path), 10, NOW))
    assert first["gives"] == [{"type": "Accepted", "case": "case:C1", "occurred_at": "2025-06-01T01:00:00+00:00", "actor": "u1"}]
    assert second["refused"]["reason"] == "missing_case"
    assert second["refused"]["where"].startswith("connectors/dep.yaml:")


def test_samples_are_one_of_each_kind_without_people_in_them(tmp_path: Path) -> None:
    """What the mapping calls personal is hidden whole, what looks like an identity or a telephone wherever it stands."""
    heads = "id,case_no,at,who,手机,note\n"
    text = (
        heads + "1,C1,2025-06-01 09:00:00,Li Si,13812345678,身份证11010519491231002X号\n2,C2,2025-06-01 09:00:00,Wu,,\n3,,,,,\n"
    )
    drop(tmp_path, text)
    found = connector(tmp_path)
    taken = list(record.samples(found, preview.rows(found, 10, NOW)))
    assert [one.says for one in taken] == [{"gives": [{"type": "Accepted", "case": "case:C1"}]}, {"refused": "missing_case"}]
    (one, _) = taken
    assert one.row["id"] == "1"
    assert one.row["who"] == "xx xx"
    assert not {"13812345678", "身份证11010519491231002X号"} & set(one.row.values())
    again = deployment(tmp_path, found.path.read_text("utf-8") + record.block(taken))
    assert len(read(again).settings.samples) == 2


def test_a_case_number_that_looks_like_an_identity_stays(tmp_path: Path) -> None:
    """Otherwise the sample would tell of another case."""
    number = "11010519491231002X"
    assert scrub.scrubbed(connector(tmp_path).parts[""], {"id": "1", "case_no": number, "x": number})["case_no"] == number


@given(st.text(max_size=40))
def test_what_is_hidden_keeps_its_shape(text: str) -> None:
    """Patterns of a mapping still fit, and the same stays the same."""
    hidden = scrub.hidden(text)
    assert len(hidden) == len(text)
    assert [one.isdigit() for one in hidden] == [one.isdigit() for one in text]
    assert scrub.hidden(text) == hidden


@pytest.mark.parametrize(
    ("clean", "number"),
    [
        ("identity", "11010519491231002X"),
        ("identity", "110105491231002"),
        ("credit_code", "91350100M000100Y43"),
        ("phone", "13912345678"),
        ("phone", "023-63812345"),
        ("phone", "(0596)2912345"),
    ],
)
def test_numbers_that_prove_themselves_still_do(tmp_path: Path, clean: str, number: str) -> None:
    """Otherwise a mapping that checks them would refuse every sample, and none would be taken."""
    hidden = scrub.hidden(number)
    assert (len(hidden), hidden == number) == (len(number), False)
    assert set(number[-5:]) != set(hidden[-5:])
    drop(tmp_path, f"id,case_no,at,who\n1,C1,2025-06-01 09:00:00,{number}\n")
    found = connector(tmp_path, CSV, MAPPING.replace("who: {}", f"who: {{clean: {clean}}}"))
    (one,) = record.samples(found, preview.rows(found, 10, NOW))
    assert (one.row["who"], "gives" in one.says) == (hidden, True)


def test_coverage_says_what_no_sample_shows(tmp_path: Path) -> None:
    """Columns, codes of `on:`, keys of inline lookups."""
    mapping = MAPPING.replace("who: {}", "who: {}\n  kind: {lookup: kinds}").replace(
        "- {type: Accepted}", "- {type: Accepted, on: X}\n  - {type: Received, on: Y}"
    )
    mapping += """
choose: kind
lookups: {kinds: {table: {a: X, b: Y}}}
samples:
  - row: {id: '1', case_no: C, at: 2025-06-01 09:00:00, kind: a}
    gives: [{type: Accepted}]
"""
    (found,) = coverage.of_samples(connector(tmp_path, CSV, mapping))
    assert (found.rows, found.columns["at"], found.codes, found.lookups) == (1, 1, {"X": 1, "Y": 0}, {"kinds": {"a": 1, "b": 0}})
    assert found.missing == ["column who", "code Y", "kinds: b"]


def test_the_schema_knows_every_key_and_what_may_be_short() -> None:
    """Editors complete by it; `include: x` and `case: x` are no faults."""
    found = editor.schema()
    assert {"profile", "tables", "events", "columns", "samples"} <= set(found["properties"])
    assert "Accepted" in found["$defs"]["EventSettings"]["properties"]["type"]["enum"]
    assert {"type": "string"} in found["properties"]["include"]["anyOf"]
    assert found["properties"]["case"]["anyOf"][0] == {"type": "string"}
    assert "required" not in found
    assert "from" in found["$defs"]["ColumnSettings"]["properties"]
    assert set(found["$defs"]["Table"]["properties"]) >= {"source", "events", "samples"}


def test_the_command_prints_json_and_tells_faults(tmp_path: Path) -> None:
    """Figures for programs; an unknown connector, a file that is there."""
    (tmp_path / "casebus.yaml").write_text("name: small\nzone: Asia/Shanghai\n")
    drop(tmp_path, rows(good(1)))
    connector(tmp_path)

    def told(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["connector", *arguments])

    assert json.loads(told("preview", "dep", str(tmp_path), "--json").output)[0]["gives"][0]["type"] == "Accepted"
    (table,) = json.loads(told("test", "dep", str(tmp_path), "--source", "--json").output)["tables"]
    assert (table["rows"], table["missing"]) == (1, [])
    assert json.loads(told("schema").output)["title"] == "casebus connector"
    assert "There is no connector other" in str(told("preview", "other", str(tmp_path)).exception)
    assert "is there already" in str(told("new", "dep", str(tmp_path), "--from", "drop/rows.csv").exception)
    assert "is none of .csv" in str(told("new", "two", str(tmp_path), "--from", "casebus.yaml").exception)


NESTED = (
    '{"office": "03", "case": {"no": "C00%d", "region": "12", "steps": [{"code": "accepted", "at": "2025-06-01T09:00:00Z", '
    '"by": {"name": "li"}, "id": "a%d"}, {"code": "granted", "at": "2025-06-02T09:00:00Z", "id": "b%d", "marks": [1, 2]}]}}\n'
)


def test_rows_in_a_list_inside_json_are_found_with_what_stands_around_them(tmp_path: Path) -> None:
    """The list that holds most objects is the record; the case's number stands above it."""
    drop(tmp_path, "".join(NESTED % (n, n, n) for n in range(4)), "s.json")
    seen = look.file("drop/s.json", tmp_path)
    assert seen.source == {"path": "drop/s.json", "format": "jsonl", "record": "case.steps"}
    assert list(seen.fields) == ["code", "at", "by.name", "id", "../no", "../region", "../../office"]
    assert seen.fields["../no"][:3] == ["C000", "C000", "C001"]
    found = drafted(tmp_path, seen)
    assert types(found) == ["Accepted", "Decided"] * 4
    assert 'number: {from: "../no", clean: "key", required: true}' in found.path.read_text("utf-8")


DOCUMENT = {
    "code": 0,
    "data": {
        "total": 4,
        "list": [
            {
                "bizNo": f"NY{n}",
                "flow": [{"node": node, "at": f"2025-06-0{n + 1}T0{hour}:00:00", "op": "赵"} for hour, node in steps],
            }
            for n, steps in enumerate([[(8, "ACCEPT"), (9, "REFUSED")], [(8, "ACCEPT"), (9, "GRANTED")], [(8, "ACCEPT")], []])
        ],
    },
}


def test_one_document_of_json_is_looked_at_with_lists_inside_lists(tmp_path: Path) -> None:
    """The steps of all cases; where no field differs in every row, the key is what differs when it is taken together."""
    drop(tmp_path, json.dumps(DOCUMENT, indent=1), "s.json")
    seen = look.file("drop/s.json", tmp_path)
    assert seen.source == {"path": "drop/s.json", "format": "json", "record": "data.list.flow"}
    found = drafted(tmp_path, seen)
    assert types(found) == ["Accepted", "Decided", "Accepted", "Decided", "Accepted"]
    text = found.path.read_text("utf-8")
    assert "key: [number, code]  # guess: no field differs in every row, but these together do" in text
    assert 'actor: {from: "op"}' in text


TITLED = [
    ["XX市2025年第三季度办理情况统计表", None, None, None, None],
    ["填报单位：住保中心", None, None, "填报日期：2025.10.8", None],
    ["序号", "受理编号", "办理情况", None, "联系电话"],
    [None, None, "日期", "结果", None],
    [1, "ZB-0001", "2025.7.2", "同意", "13800000001"],
    [2, "ZB-0002", "2025年7月3日", "不同意", "13800000002"],
    [3, "ZB-0003", "2025-07-04", "同意", None],
    ["合计", 3, None, None, None],
]


def test_titles_above_the_headings_are_passed_over(tmp_path: Path) -> None:
    """In a workbook the headings may be two rows; rows that sum up are left out; a refusal is none of the granted."""
    import openpyxl

    book = openpyxl.Workbook()
    for line in TITLED:
        book.worksheets[0].append(line)
    book.save(tmp_path / "s.xlsx")
    seen = look.file("s.xlsx", tmp_path)
    assert (seen.source["header_row"], seen.source["totals"]) == ([3, 4], ["合计"])
    found = drafted(tmp_path, seen)
    assert types(found) == ["Decided"] * 3
    results = [one["gives"][0]["result"] for one in map(preview.as_dict, preview.rows(found, 10, NOW))]
    assert results == ["GRANTED", "REFUSED", "GRANTED"]


def test_notes_above_the_headings_of_a_csv_are_passed_over(tmp_path: Path) -> None:
    """The delimiter is that of most lines; a telephone is no case's number."""
    lines = [f"SW{n:04};2025年9月{n}日 上午9时;已受理;水务,{n}部;1380000000{n}" for n in range(1, 5)]
    drop(tmp_path, "\n".join(["导出时间,2025-09-30", "", "申请单号;申请时间;状态;申请单位;联系电话", *lines]) + "\n", "s.csv")
    seen = look.file("drop/s.csv", tmp_path)
    assert (seen.source["header_row"], seen.source["delimiter"]) == (3, ";")
    found = drafted(tmp_path, seen)
    assert types(found) == ["Accepted"] * 4
    assert 'number: {from: "申请单号", clean: "key", required: true}  # guess: its name' in found.path.read_text("utf-8")


def test_a_table_behind_a_sheet_of_notes_and_one_in_wide_unicode_are_found(tmp_path: Path) -> None:
    """As spreadsheet programs write them."""
    import openpyxl

    book = openpyxl.Workbook()
    book.worksheets[0].append(["本表由系统导出"])
    sheet = book.create_sheet("明细")
    for line in SMALL.splitlines():
        sheet.append(line.split(","))
    book.save(tmp_path / "s.xlsx")
    seen = look.file("s.xlsx", tmp_path)
    assert seen.source["sheet"] == "明细"
    assert types(drafted(tmp_path, seen)) == ["Applied", "Accepted"] * 4
    drop(tmp_path, SMALL.replace(",", "\t").encode("utf-16"), "s.txt")
    seen = look.file("drop/s.txt", tmp_path)
    assert (seen.source["encoding"], seen.source["delimiter"]) == ("utf-16", "\t")
    assert types(drafted(tmp_path, seen)) == ["Applied", "Accepted"] * 4


def test_xml_is_looked_at_with_its_record_and_its_namespace(tmp_path: Path) -> None:
    """Attributes, children, and the parents' attributes; the element that repeats most is the record."""
    step = '<step state="accepted" serial="{0}"><at>2025-06-01T09:00:00Z</at><who><name>li</name></who></step>'
    steps = ["".join(step.format(f"{n}-{m}") for m in (1, 2)) for n in range(4)]
    cases = "".join(f'<case number="C00{n}">{inner}<note>x</note></case>' for n, inner in enumerate(steps))
    drop(tmp_path, f'<?xml version="1.0"?><all xmlns="urn:x"><sent>1</sent>{cases}</all>', "s.xml")
    seen = look.file("drop/s.xml", tmp_path)
    assert {**seen.source, "path": ""} == {"path": "", "format": "xml", "record": "case/step", "namespace": "urn:x"}
    assert list(seen.fields) == ["@state", "@serial", "at", "who/name", "../@number", "../note"]
    assert types(drafted(tmp_path, seen)) == ["Accepted"] * 8
    drop(tmp_path, "<all><one>1</one></all>", "s.xml")
    with pytest.raises(ConfigurationError, match=r"No element of s\.xml holds several fields"):
        look.file("drop/s.xml", tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.json", '[\n1,\n{"a":\n1}\n', r"s\.json holds no object, neither in a line nor as a whole"),
        ("s.jsonl", "[1, 2]", r"s\.jsonl holds no object"),
        ("s.xml", "<all><one>", r"s\.xml is no XML"),
        (
            "s.xml",
            '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a><c x="1" y="2">&b;</c></a>',
            "declares a document type",
        ),
    ],
)
def test_a_sample_that_cannot_be_read_is_told(tmp_path: Path, name: str, text: str, said: str) -> None:
    """Spoilt, hostile, or JSON in one piece over many lines."""
    drop(tmp_path, text, name)
    with pytest.raises(ConfigurationError, match=said):
        look.file(f"drop/{name}", tmp_path)


def test_the_demo_s_own_xml_and_json_are_understood(tmp_path: Path) -> None:
    """Real nesting of two departments, written by other code."""
    from casebus import demo_exports

    demo_exports.write(tmp_path / "exports", 40, 3)
    planning = look.file("exports/planning.xml", tmp_path)
    market = look.file("exports/market.jsonl", tmp_path)
    assert (planning.source["record"], planning.source["namespace"]) == ("case/step", "urn:jichuan:planning")
    assert {"../@number", "@serial", "at"} <= planning.fields.keys()
    assert {"case.no", "step.code"} <= market.fields.keys()
    for seen in (planning, market):
        assert set(types(drafted(tmp_path, seen, Path(seen.source["path"]).stem)))
