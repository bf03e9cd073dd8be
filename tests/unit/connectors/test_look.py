"""A first look at what departments really hand over: tables without a key, workbooks in pieces, rows that do not fit."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import openpyxl
import pytest

from bus.errors import ConfigurationError
from connectors.integrate import look


@pytest.mark.parametrize(
    ("rows", "key", "why"),
    [
        ([(1, 1, "x"), (1, 2, "x")], "b", "this one differs in every row"),
        ([(1, 1, None), (1, 2, None), (2, 1, None)], ["a", "b"], "these together differ in every row"),
        ([(None, 1, 1), (1, 1, 2), (2, 2, 2)], ["b", "c"], "these together differ in every row"),
        ([(1, 1, 1), (1, 1, 1)], "a", "rows that are alike here are lost"),
    ],
)
def test_a_table_without_a_key_is_said_to_have_what_it_has(
    tmp_path: Path, rows: list[tuple[object, ...]], key: object, why: str
) -> None:
    """A key that is none loses rows: that it differs in every row is said only where it does."""
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("create table t (a, b, c)")
        database.executemany("insert into t values (?, ?, ?)", rows)
    seen = look.table("sqlite:///a.db", "t", tmp_path)
    assert seen.source["key"] == key
    assert why in seen.guessed["key"]


@pytest.mark.parametrize("part", ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"])
@pytest.mark.parametrize(
    "put", [None, b"<a", b"<a/>", b"<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>9</v></c></row></sheetData></worksheet>"]
)
def test_a_workbook_in_pieces_is_told(tmp_path: Path, part: str, put: bytes | None) -> None:
    """A part that is missing, cut off, or another one: a sentence, or a sheet without rows."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id", "at"])
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "s.xlsx", "w") as made:
        for name in whole.namelist():
            if (data := put if name == part else whole.read(name)) is not None:
                made.writestr(name, data)
    try:
        assert look.file("s.xlsx", tmp_path).fields == {}
    except ConfigurationError as error:
        assert str(error).startswith("s.xlsx: the file s.xlsx cannot be read: it")  # noqa: PT017  either answer is a good one


def test_a_file_whose_rows_are_all_refused_says_why(tmp_path: Path) -> None:
    """It has rows: a cell too many in each of them."""
    (tmp_path / "s.csv").write_text("id,at\n1,2026-03-01,\n2,2026-03-02,\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"at s\.csv:2: found 3 cells where the header has 2\. Correct the row"):
        look.file("s.csv", tmp_path)
