"""Faults in a connector's YAML: told with file, line, what was found, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from connector_world import CSV, MAPPING, connector, deployment, drop, good, reasons, rows

from connectors.config import load
from schemas.problem import ProblemsError

HEAD = """\
kind: files
source: {path: drop/rows.csv, format: csv}
zone: Asia/Shanghai
columns:
  id: {}
  at: {type: time}
key: id
case: id
header: {occurred_at: at}
events:
  - {type: Accepted}
"""

#: What stands in the file, what is written in its place, and what is told about it.
FAULTS = {
    "an unknown column": ("key: id", "key: nummer", "dep.yaml:7: there is no column `nummer`. Declare it under columns:, or"),
    "a bare word": ("{type: Accepted}", "{type: StepCompleted, body: {step: review}}", "write the text in quotes: \"'review'\"."),
    "an unknown event": (
        "type: Accepted",
        "type: Approved",
        "dep.yaml:11: there is no event type `Approved`. Write one of Accepted, ",
    ),
    "an unknown field": (
        "{type: Accepted}",
        "{type: Accepted, body: {limit: 5}}",
        "`limit` is no field here. Write one of promised_days,",
    ),
    "a missing field": (
        "{type: Accepted}",
        "{type: StepCompleted}",
        "dep.yaml:11: `step` is missing. Add it: step: <column or expression>.",
    ),
    "no time": ("{occurred_at: at}", "{actor: id}", "dep.yaml:9: `header.occurred_at` is missing. Add it: occurred_at:"),
    "an unknown header": (
        "{occurred_at: at}",
        "{occurred_at: at, when: at}",
        "`header.when` is no field here. Write one of links, region,",
    ),
    "a wrong constant": (
        "{type: Accepted}",
        "{type: Decided, body: {result: \"'YES'\"}}",
        "`result`: found 'YES'. Translate it to one of GRANTED,",
    ),
    "a syntax error": ("key: id", 'key: "id +"', "dep.yaml:7: 'id +' is no expression"),
    "an unknown function": ("key: id", "key: sha(id)", "there is no function sha. Write one of credit_code,"),
    "a fenced function": ("key: id", "key: string(size(id))", "the function size is not for mappings. Write length(text)"),
    "an unknown lookup": ("id: {}", "id: {lookup: codes}", "dep.yaml:5: there is no lookup `codes` under lookups:"),
    "an unknown lookup in an expression": (
        "key: id",
        "key: lookup('codes', id)",
        "dep.yaml:7: there is no lookup `codes` under lookups: (there are none). Declare it, or name one that is",
    ),
    "an unknown cleaning": ("id: {}", "id: {clean: wash}", "dep.yaml:5: `columns.id.clean` is"),
    "an unknown zone": ("Asia/Shanghai", "Asia/Peking", "dep.yaml:3: `zone` is 'Asia/Peking': 'Asia/Peking' is no time zone."),
    "a wrong format": ("{type: time}", '{type: time, formats: "%Q"}', "'%Q' is no part of a time format. Write one of %Y,"),
    "a format of text": ("id: {}", "id: {formats: iso}", "formats, precision and not_before/not_after belong to `type: time`"),
    "an unknown kind": ("kind: files", "kind: ftp", "dep.yaml:1: there is no kind `ftp`. Write one of files,"),
    "an unknown key": ("zone:", "timezone:", "dep.yaml:3: `timezone` is no key of this place. Write `zone`?"),
    "events without choose": (
        "{type: Accepted}",
        "{type: Accepted, on: A}",
        "nothing says what is compared. Write choose: <column>.",
    ),
    "two events of one id": (
        "- {type: Accepted}",
        "- {type: Accepted}\n  - {type: Received}",
        "dep.yaml:12: one row can give two events named `event`",
    ),
    "a Chinese column": ("id: {}", "编号: {}", "`编号` cannot stand in an expression, write a name of ASCII letters"),
    "no case": ("case: id\n", "", "dep.yaml:10: no case is named. Write case: <the column with the case's number>."),
    "a misspelt include": ("kind: files", "include: parts/steps.yaml\nkind: files", "dep.yaml:1: "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_line_and_remedy(tmp_path: Path, fault: str) -> None:
    """One fault in a file that is right otherwise gives one sentence about it."""
    old, new, told = FAULTS[fault]
    assert old in HEAD
    deployment(tmp_path, HEAD.replace(old, new, 1))
    with pytest.raises(ProblemsError) as caught:
        load(tmp_path / "connectors")
    said = str(caught.value)
    assert told in said
    assert "Traceback" not in said


def test_the_file_without_fault_is_taken(tmp_path: Path) -> None:
    """The faults above are told because of what was changed, not for another reason."""
    deployment(tmp_path, HEAD)
    assert [found.name for found in load(tmp_path / "connectors")] == ["dep"]


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """Whoever mends a deployment wants the whole list."""
    deployment(tmp_path, HEAD.replace("key: id", "key: a").replace("case: id", "case: b"), "one")
    deployment(tmp_path, HEAD.replace("type: Accepted", "type: Nothing"), "two")
    with pytest.raises(ProblemsError) as caught:
        load(tmp_path / "connectors")
    assert [problem.where.rpartition("/")[2] for problem in caught.value.problems] == ["one.yaml:7", "one.yaml:8", "two.yaml:11"]


def test_two_files_for_one_system_are_told(tmp_path: Path) -> None:
    """Their positions and ids would mix."""
    deployment(tmp_path, "system: same\n" + HEAD, "one")
    deployment(tmp_path, "system: same\n" + HEAD, "two")
    with pytest.raises(ProblemsError, match="the system `same` stands in one"):
        load(tmp_path / "connectors")


def test_an_included_part_tells_its_own_lines(tmp_path: Path) -> None:
    """A fault in a shared part is told where it stands, not where it is included."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/steps.yaml").write_text("case: id\nheader:\n  occurred_at: wann\n")
    text = "include: parts/steps.yaml\n" + HEAD.replace("case: id\nheader: {occurred_at: at}\n", "")
    deployment(tmp_path, text)
    with pytest.raises(ProblemsError, match=r"parts/steps.yaml:3: there is no column `wann`"):
        load(tmp_path / "connectors")


def test_what_an_included_part_includes_counts_too(tmp_path: Path) -> None:
    """The nearer wins: own keys, then those of the part, then those of its part; a profile may stand in any of them."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/steps.yaml").write_text("include: [parts/zone.yaml]\ncase: id\nbatch: 7\n")
    (tmp_path / "parts/zone.yaml").write_text("zone: Asia/Urumqi\ncase: nothing\nbatch: 5\nheader: {occurred_at: at}\n")
    text = "include: parts/steps.yaml\n" + HEAD.replace("case: id\nheader: {occurred_at: at}\n", "")
    deployment(tmp_path, text)
    (found,) = load(tmp_path / "connectors")
    assert (found.settings.batch, found.settings.case and found.settings.case.number) == (7, "id")
    (tmp_path / "parts/zone.yaml").write_text("header:\n  occurred_at: wann\n")
    with pytest.raises(ProblemsError, match=r"parts/zone.yaml:2: there is no column `wann`"):
        load(tmp_path / "connectors")
    (tmp_path / "parts/national.yaml").write_text("profile: national-five-tables\n")
    deployment(tmp_path, 'include: parts/national.yaml\nsource: {url: "sqlite:///front.db"}\n')
    assert len(load(tmp_path / "connectors")[0].parts) == 5


def test_parts_that_include_each_other_are_told(tmp_path: Path) -> None:
    """With the way that leads round, at the line that closes it."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/a.yaml").write_text("batch: 7\ninclude: parts/b.yaml\n")
    (tmp_path / "parts/b.yaml").write_text("include: parts/a.yaml\n")
    deployment(tmp_path, "include: parts/a.yaml\n" + HEAD)
    told = r"parts/b.yaml:1: a.yaml includes itself: a.yaml > b.yaml > a.yaml. Take one of these include: out."
    with pytest.raises(ProblemsError, match=told):
        load(tmp_path / "connectors")


def test_samples_are_run_when_the_file_is_loaded(tmp_path: Path) -> None:
    """A sample that gives something else is told with its line and the difference."""
    samples = """
samples:
  - row: {id: "1", at: "2025-06-01T09:00:00"}
    gives: [{type: Accepted, case: "case:1"}]
  - row: {id: "", at: "2025-06-01T09:00:00"}
    refused: missing_key
  - row: {id: "2", at: "2025-06-01T09:00:00"}
    gives: [{type: Accepted, case: "case:3"}]
"""
    deployment(tmp_path, HEAD + samples)
    with pytest.raises(ProblemsError) as caught:
        load(tmp_path / "connectors")
    (problem,) = caught.value.problems
    assert problem.where == "connectors/dep.yaml:18"
    assert "sample 3: Accepted.case is 'case:2', 'case:3' was expected" in problem.found


def test_a_small_table_needs_a_small_file(tmp_path: Path) -> None:
    """Without columns: every name is a field of the source; nine lines make a connector."""
    drop(tmp_path, rows(good(1), "2,C2,2025-06-01 09:00:00,u"))
    small = """
    kind: files
    source: {path: drop/rows.csv, format: csv}
    key: id
    case: case_no
    header: {occurred_at: "time(at, '%Y-%m-%d %H:%M:%S', 'Asia/Shanghai')", actor: who}
    events: [{type: Accepted}]
    """
    assert reasons(connector(tmp_path, small, "")) == ["Accepted", "Accepted"]


def test_columns_computed_from_others_may_stand_anywhere(tmp_path: Path) -> None:
    """The order is ours to find; a circle is told."""
    drop(tmp_path, rows(good(1)))
    mapping = MAPPING.replace("columns:\n", "columns:\n  both: {value: first + '-' + id}\n  first: {value: case_no + '!'}\n")
    assert reasons(connector(tmp_path, CSV, mapping.replace("key: id", "key: both"))) == ["Accepted"]
    circle = MAPPING.replace("columns:\n", "columns:\n  a: {value: b + '1'}\n  b: {value: a + '1'}\n")
    with pytest.raises(ProblemsError, match="there is no column `b`"):
        connector(tmp_path, CSV, circle)
