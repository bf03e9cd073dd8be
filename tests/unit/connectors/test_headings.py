"""A look at the source before the first run: each missing column with the line that names it, and the nearest there is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import openpyxl
import pytest
from connector_world import CSV, MAPPING, connector, drop, good, reasons, rows

from bus.errors import ConfigurationError
from connectors import headings
from schemas.problem import ProblemsError

WRONG = MAPPING.replace("who: {}", "who: {from: 经办人员}")


def told(tmp_path: Path, source: str = CSV, mapping: str = WRONG) -> list[str]:
    return [str(problem) for problem in headings.missing(connector(tmp_path, source, mapping))]


def test_each_missing_column_is_told_with_its_line(tmp_path: Path) -> None:
    """By from:, or by its name where it has none; with a near name, where there is one."""
    drop(tmp_path, "id,case-no,at,经办人\n")
    has = "it has id, case-no, at, 经办人"
    assert told(tmp_path) == [
        f"connectors/dep.yaml:7: the source has no column `case_no`; {has}. Write `case-no`?",
        f"connectors/dep.yaml:9: the source has no column `经办人员`; {has}. Write `经办人`?",
    ]
    drop(tmp_path, "a,b\n")
    assert "Correct from: in the mapping, or how source: finds the headings." in told(tmp_path)[0]


def test_a_mapping_without_columns_is_told_at_its_events(tmp_path: Path) -> None:
    """Its expressions name the fields."""
    drop(tmp_path, "id,at\n")
    plain = "key: id\ncase: no\nheader: {occurred_at: \"time(at, 'iso', 'UTC')\"}\nevents: [{type: Accepted}]\n"
    (problem,) = told(tmp_path, CSV, plain)
    assert problem.startswith("connectors/dep.yaml:6: the source has no column `no`")


def test_what_is_there_is_no_fault(tmp_path: Path) -> None:
    """Width and blanks aside, as in reading."""
    drop(tmp_path, rows(good(1)).replace("who", " ｗｈｏ "))
    assert told(tmp_path, mapping=MAPPING) == []


def test_an_optional_column_may_be_missing(tmp_path: Path) -> None:
    """It is as empty then, in the look and in reading; one that is needed cannot be optional."""
    mapping = MAPPING.replace("who: {}", "who: {optional: true}")
    drop(tmp_path, "id,case_no,at\n1,C1,2025-06-01 09:00:00\n")
    assert told(tmp_path, mapping=mapping) == []
    assert reasons(connector(tmp_path, CSV, mapping)) == ["Accepted"]
    with pytest.raises(ProblemsError, match="neither required: nor computed"):
        connector(tmp_path, CSV, MAPPING.replace("who: {}", "who: {optional: true, required: true}"))


def test_a_workbook_says_its_columns(tmp_path: Path) -> None:
    """The first file of a pattern is looked at."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(("id", "case_no", "at", "经办人"))
    book.save(drop(tmp_path, b"", "rows.xlsx"))
    source = 'kind: files\nsource: {path: "drop/*.xlsx", format: xlsx, settle: 0}\n'
    (problem,) = told(tmp_path, source)
    assert "dep.yaml:9: the source has no column `经办人员`" in problem


@pytest.mark.parametrize("what", ["table: 表", 'query: "select * from 表"'])
def test_a_table_says_its_columns(tmp_path: Path, what: str) -> None:
    """Without a row in it."""
    with sqlite3.connect(tmp_path / "rows.db") as database:
        database.execute("create table 表 (id integer primary key, case_no, at, 经办人)")
    source = f'kind: sql\nsource: {{url: "sqlite:///rows.db", {what}, key: id}}\n'
    (problem,) = told(tmp_path, source)
    assert problem.startswith("connectors/dep.yaml:9: the source has no column `经办人员`; it has id, case_no, at, 经办人.")


def test_rows_without_a_key_are_told(tmp_path: Path) -> None:
    """They stand in no order, so nobody would ever read them."""
    path = tmp_path / "dep.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (id, case_no, at, who)")
        database.execute("INSERT INTO t VALUES (NULL, 'C1', '2025-06-01 09:00:00', 'u')")
    source = "kind: sql\nsource: {url: 'sqlite:///dep.db', table: t, key: id}\n"
    with pytest.raises(ConfigurationError, match="t has rows without id, and rows without a key are not read"):
        told(tmp_path, source, MAPPING)


@pytest.mark.parametrize(
    "source",
    [
        "kind: files\nsource: {path: drop/rows.jsonl, format: jsonl}\n",
        "kind: files\nsource: {path: drop/*.csv, format: csv}\n",
    ],
    ids=["a form without headings", "no file yet"],
)
def test_what_cannot_be_told_is_passed_over(tmp_path: Path, source: str) -> None:
    """Rows of JSON may leave members out; a folder may be empty."""
    drop(tmp_path, '{"id": 1}\n', "rows.jsonl")
    assert told(tmp_path, source) == []


def test_a_file_that_cannot_be_looked_at_is_an_error(tmp_path: Path) -> None:
    """As in reading."""
    with pytest.raises(ConfigurationError, match="is not there"):
        told(tmp_path)
