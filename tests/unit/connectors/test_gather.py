"""Several rows to one: what follows with the same key, what a second table has, and a child that comes later."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from connector_world import NOW, connector, drop, records, row

from bus.errors import ConfigurationError
from connectors.config import Connector
from connectors.gather import LARGEST, Consecutive
from connectors.gathering import GatherSettings
from connectors.mapping import Rejection
from connectors.source import Batch, Settled, Settling, SourceRecord
from schemas.envelope import Event
from schemas.problem import ProblemsError

FILE = """
kind: files
source: {path: drop/rows.csv, format: csv}
gather: {by: case_no, into: papers}
"""
MAPPING = """
zone: UTC
columns:
  case_no: {required: true}
  at: {type: time, required: true}
  papers:
    type: rows
    default: []
    columns: {title: {from: paper}, copies: {type: whole}, gone: {type: bool, default: false}}
key: case_no
case: case_no
version: length(papers)
header: {occurred_at: at}
events:
  - type: Applied
    body: {materials: {each: papers, when: "!gone && title != null", name: title, count: copies}}
"""
HEAD = "case_no,at,paper,copies,gone\n"


def line(case: str, paper: str, copies: object = 1) -> str:
    return f"{case},2025-06-01,{paper},{copies},\n"


def given(found: Connector, read: list[SourceRecord]) -> list[tuple[str, int, list[str]]]:
    """Case, version and papers of each application."""
    result = []
    for record in read:
        one = found.mapping.translate(record, NOW)
        assert not isinstance(one, Rejection), one.text
        result += [(event.case, event.header["version"], [paper["name"] for paper in event.body["materials"]]) for event in one]
    return result


def test_rows_that_follow_each_other_are_one(tmp_path: Path) -> None:
    """With the place of the first, the bytes of all, and the list in their order."""
    found = connector(tmp_path, FILE, MAPPING)
    drop(tmp_path, HEAD + line("A", "form") + line("A", "map", 2) + line("B", "form") + line("A", "late"))
    read = records(found)
    assert [one.position for one in read] == ["rows.csv:2+1", "rows.csv:4", "rows.csv:5"]
    assert read[0].raw.count(b"\n") == 1
    assert given(found, read) == [("case:A", 2, ["form", "map"]), ("case:B", 1, ["form"]), ("case:A", 1, ["late"])]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_batches_cut_no_group(tmp_path: Path, limit: int) -> None:
    """However few rows come at once; and reading goes on from any position with the same rows behind it."""
    found = connector(tmp_path, FILE, MAPPING)
    rows = [("A", "1"), ("A", "2"), ("A", "3"), ("B", "1"), ("C", "1"), ("C", "2")]
    drop(tmp_path, HEAD + "".join(line(*one) for one in rows))
    batches = list(found.open().fetch(None, limit))
    whole = [("case:A", 3, ["1", "2", "3"]), ("case:B", 1, ["1"]), ("case:C", 2, ["1", "2"])]
    assert given(found, [record for batch in batches for record in batch.records]) == whole
    for number, batch in enumerate(batches):
        behind = [record for later in batches[number + 1 :] for record in later.records]
        assert given(found, records(found, batch.position, limit)) == given(found, behind)


def test_a_child_that_comes_later_gives_the_row_once_more(tmp_path: Path) -> None:
    """Whole, and newer by the mapping's version; when nothing has come nothing is given."""
    found = connector(tmp_path, FILE, MAPPING)
    text = HEAD + line("A", "form") + line("B", "form")
    drop(tmp_path, text)
    (*_, last) = found.open().fetch(None, 100)
    assert list(found.open().fetch(last.position, 100)) == []
    drop(tmp_path, text + line("B", "map") + line("C", "form"))
    assert given(found, records(found, last.position)) == [("case:B", 2, ["form", "map"]), ("case:C", 1, ["form"])]


def test_a_row_without_a_key_stands_alone(tmp_path: Path) -> None:
    """Two unknown cases are not one; each is refused for itself."""
    found = connector(tmp_path, FILE, MAPPING)
    drop(tmp_path, HEAD + line("", "form") + line("", "map"))
    assert [len(one.row["papers"]) for one in records(found)] == [1, 1]


def test_an_unreadable_row_is_refused_alone(tmp_path: Path) -> None:
    """The group around it goes on."""
    found = connector(tmp_path, FILE, MAPPING)
    drop(tmp_path, HEAD + line("A", "form") + "A,too few\n" + line("A", "map"))
    broken, whole = records(found)
    assert broken.fault is not None
    assert given(found, [whole]) == [("case:A", 2, ["form", "map"])]


def test_a_wrong_child_refuses_the_row_with_its_place(tmp_path: Path) -> None:
    """Which of the rows, which column."""
    found = connector(tmp_path, FILE, MAPPING)
    drop(tmp_path, HEAD + line("A", "form") + line("A", "map", "many"))
    refused = found.mapping.translate(records(found)[0], NOW)
    assert isinstance(refused, Rejection)
    assert (refused.reason, refused.field) == ("unreadable_number", "copies")
    assert "in row 2, found 'many'" in refused.text


def test_too_many_rows_of_one_key_are_a_mistake(tmp_path: Path) -> None:
    """A key that is none would put a whole file into one row."""
    found = connector(tmp_path, FILE, MAPPING)
    drop(tmp_path, HEAD + "".join(line("A", str(number)) for number in range(LARGEST + 1)))
    (one,) = records(found)
    assert one.fault is not None
    assert one.fault.reason == "too_many_rows"


class Told:
    """A source that hears what became of its rows."""

    def __init__(self, *rows: SourceRecord) -> None:
        self.rows = rows
        self.heard: list[tuple[str, str]] = []

    def fetch(self, _: str | None, __: int) -> Any:
        yield Batch(self.rows, "1")

    def settled(self, rows: Any) -> None:
        self.heard += [(one.record.position, one.reason) for one in rows]

    def close(self) -> None:
        """Nothing is held."""


def test_each_row_hears_what_became_of_the_one_it_made() -> None:
    """A flag is written back to all of them."""
    rows = [SourceRecord(str(number), number, {"k": key}, b"x") for number, key in enumerate("AAB")]
    source = Told(*rows)
    gathered = Consecutive(source, GatherSettings(by="k", into="rows"))  # type: ignore[arg-type]  the validator makes a list of it
    for batch in gathered.fetch(None, 10):
        gathered.settled([Settled(record, 0, f"r{number}") for number, record in enumerate(batch.records)])
    assert source.heard == [("0", "r0"), ("1", "r0"), ("2", "r0")]


def test_a_file_that_was_corrected_in_place_doubles_no_row_of_the_group_it_begins_with(tmp_path: Path) -> None:
    """It is read anew from its first row, which belongs to the group that is held."""
    found = connector(tmp_path, FILE, MAPPING)
    drop(tmp_path, HEAD + line("A", "form") + line("A", "map"))
    position = [batch.position for batch in found.open().fetch(None, 10)][-1]
    drop(tmp_path, HEAD + line("A", "form") + line("A", "plan"))
    assert given(found, records(found, position)) == [("case:A", 2, ["form", "plan"])]


def queue(folder: Path, gather: str) -> Connector:
    """A table with a flag."""
    with sqlite3.connect(folder / "rows.db") as made:
        made.execute("create table 表 (id integer primary key, case_no text, at text, paper text, copies int, gone text, f text)")
        made.execute("create table 材料 (case_no text, paper text, copies int, gone text)")
        made.execute("insert into 材料 values ('A', 'x', 1, null)")
    source = "{url: 'sqlite:///rows.db', table: 表, key: id, flag: {column: f}}"
    return connector(folder, f"kind: sql\nsource: {source}\ngather: {gather}\n", MAPPING)


def put(folder: Path, *rows: tuple[str, str]) -> None:
    with sqlite3.connect(folder / "rows.db") as database:
        database.executemany("insert into 表 (case_no, at, paper) values (?, '2025-06-01', ?)", rows)


def one_pass(
    found: Connector, position: str | None, batches: int = 100, crash: bool = False
) -> tuple[list[tuple[str, int, list[str]]], str | None]:
    """What a pass gives, broken off after so many batches; with `crash` before the last one's flags."""
    source, read = found.open(), []
    for number, batch in enumerate(source.fetch(position, 3), 1):
        read += given(found, list(batch.records))
        position = batch.position
        if crash and number == batches:
            break
        assert isinstance(source, Settling)
        source.settled([Settled(one, 1) for one in batch.records])
        if number == batches:
            break
    return read, position


@pytest.mark.parametrize("crash", [False, True])
def test_a_group_of_a_queue_holds_each_row_once_wherever_a_pass_ends(tmp_path: Path, crash: bool) -> None:
    """What is held has no flag yet, or lost it: it comes once more."""
    found = queue(tmp_path, "{by: case_no, into: papers}")
    put(tmp_path, ("A", "1"), ("A", "2"), ("B", "1"), ("B", "2"))
    read, position = one_pass(found, None, 1, crash)
    assert read == [("case:A", 2, ["1", "2"])]
    read, position = one_pass(found, position)
    assert read[-1] == ("case:B", 2, ["1", "2"])
    put(tmp_path, ("B", "3"))
    read, position = one_pass(found, position, 1, crash)
    assert read == [("case:B", 3, ["1", "2", "3"])]
    assert one_pass(found, position)[0] == ([("case:B", 3, ["1", "2", "3"])] if crash else [])
    assert one_pass(found, position)[0] == []


def test_with_once_the_rows_that_were_not_given_are_settled_too(tmp_path: Path) -> None:
    """Without a flag they would come again, one less each time."""
    found = queue(tmp_path, "{by: case_no, into: papers, once: true, children: {table: 材料}}")
    put(tmp_path, ("A", "1"), ("A", "2"), ("A", "3"))
    read, position = one_pass(found, None)
    assert read == [("case:A", 1, ["x"])]
    assert one_pass(found, position)[0] == []


TABLE = """
kind: sql
source: {url: "sqlite:///rows.db", table: 申请, key: id}
gather: {by: [区, 号], into: papers, children: {table: 材料, by: [区, 办件号], order: id}}
"""


def database(folder: Path) -> sqlite3.Connection:
    made = sqlite3.connect(folder / "rows.db", isolation_level=None)
    made.execute("create table 申请 (id integer, 区 text, 号 integer, case_no text, at text)")
    made.execute("create table 材料 (id integer, 区 text, 办件号 integer, paper text, copies text, gone text)")
    return made


def test_a_second_table_gives_the_children(tmp_path: Path) -> None:
    """By several columns, under Chinese names, in their order, more keys than one query takes."""
    made = database(tmp_path)
    for number in range(450):
        made.execute("insert into 申请 values (?, 'N', ?, ?, '2025-06-01')", (number, number, f"C{number}"))
        for paper in range(number % 3):
            made.execute("insert into 材料 values (?, 'N', ?, ?, '1', null)", (number * 10 - paper, number, f"p{paper}"))
    made.execute("insert into 材料 values (0, 'S', 1, 'of another district', '1', null)")
    found = connector(tmp_path, TABLE, MAPPING)
    papers = [case[2] for case in given(found, records(found, limit=1000))]
    assert papers == [[f"p{paper}" for paper in reversed(range(number % 3))] for number in range(450)]


def test_with_once_rows_that_ask_for_the_same_children_give_one(tmp_path: Path) -> None:
    """The last of a batch: all would say the same."""
    made = database(tmp_path)
    for number in range(3):
        made.execute("insert into 申请 values (?, 'N', ?, 'C1', '2025-06-01')", (number, number // 2))
    found = connector(tmp_path, TABLE.replace("by: [区, 号], into", "once: true, by: [区, 号], into"), MAPPING)
    assert [one.position for one in records(found)] == ["申请:1", "申请:2"]


def test_children_that_cannot_be_asked_for_name_the_mapping(tmp_path: Path) -> None:
    """A table that is not there."""
    made = database(tmp_path)
    made.execute("insert into 申请 values (1, 'N', 1, 'C1', '2025-06-01')")
    made.execute("drop table 材料")
    with pytest.raises(ConfigurationError, match=r"connectors/dep\.yaml: gather: .*材料"):
        records(connector(tmp_path, TABLE, MAPPING))


def test_rows_inside_a_row_need_no_gathering(tmp_path: Path) -> None:
    """JSON brings its lists along."""
    found = connector(tmp_path, "kind: files\nsource: {path: drop/rows.jsonl, format: jsonl}\n", MAPPING)
    drop(tmp_path, '{"case_no": "A", "at": "2025-06-01", "papers": [{"paper": "form"}, {"paper": " "}]}\n', "rows.jsonl")
    assert given(found, records(found)) == [("case:A", 2, ["form"])]


@pytest.mark.parametrize("papers", ["form", 5, [1], [None], {"paper": "form"}])
def test_what_is_no_list_of_rows_is_refused(tmp_path: Path, papers: object) -> None:
    """And never another exception."""
    found: list[Event] | Rejection = connector(tmp_path, FILE, MAPPING).mapping.translate(
        row(case_no="A", at="2025-06-01", papers=papers), NOW
    )
    assert isinstance(found, Rejection)
    assert found.reason == "unreadable_value"


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("each: papers", "each: case_no", "takes a list, or each: <a column of type rows> (papers)"),
        ("name: title", "name: heading", "there is no column `heading`"),
        ("name: title", "title: title", "`materials[].title` is no field here"),
        ("type: rows\n", "type: list\n", "columns: belong to `type: rows`"),
        ("title: {from: paper}", "title: {value: at}", "columns of inner rows are read from the row"),
        ("into: papers}", "into: papers, children: {table: a, query: b}}", "write either table: or query:"),
        ("into: papers}", "into: papers, children: {table: a, by: [a, b]}}", "must name as many columns"),
    ],
)
def test_a_fault_is_told_when_the_file_is_read(tmp_path: Path, wrong: str, right: str, told: str) -> None:
    """With what to write instead."""
    with pytest.raises(ProblemsError) as caught:
        connector(tmp_path, FILE.replace(wrong, right), MAPPING.replace(wrong, right))
    assert told in str(caught.value)
