"""Registers of cases: described in YAML, read from what offices keep, every fault told with its line or its row."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bus.errors import ConfigurationError
from casebus import registers
from monitor.times import micros
from schemas.problem import ProblemsError

SHANGHAI = ZoneInfo("Asia/Shanghai")
YAML = """
source: {path: cases.csv, format: csv, encoding: gb18030}
missing: "-"
columns:
  number: 办件编号
  start: {from: 受理时间, formats: "%Y/%m/%d %H:%M"}
  deadline: 承诺时限
  end: 办结时间
"""
HEAD = "办件编号,受理时间,承诺时限,办结时间\n"


def at(*moment: int) -> int:
    return micros(datetime(*moment, tzinfo=SHANGHAI))  # type: ignore[misc, arg-type]  # year to microsecond


def register(tmp_path: Path, yaml: str = YAML, rows: str = "") -> registers.Register:
    (tmp_path / "registers").mkdir()
    (tmp_path / "registers" / "platform.yaml").write_text(yaml, encoding="utf-8")
    (tmp_path / "cases.csv").write_bytes((HEAD + rows).encode("gb18030"))
    return registers.load_all(tmp_path, "Asia/Shanghai")["platform"]


def test_a_row_is_a_case_with_its_times(tmp_path: Path) -> None:
    """Numbers are cleaned as connectors clean them; what is told without a zone is the deployment's; a date is its whole day."""
    found = register(tmp_path, rows=" ０1 ,2026/1/5 9:30,2026-01-15,2026-01-15 16:00:00\n2,2026/1/6 0:00,-,2026-01-09\n").read()
    day = 86_400_000_000
    assert [tuple(one) for one in found.entries] == [
        ("case:01", "01", at(2026, 1, 5, 9, 30), at(2026, 1, 16) - 1, at(2026, 1, 15, 16), at(2026, 1, 15, 16)),
        ("case:2", "2", at(2026, 1, 6), None, at(2026, 1, 9), at(2026, 1, 9) + day - 1),
    ]


def test_rows_that_cannot_be_read_are_left_out_and_named(tmp_path: Path) -> None:
    """The others count; a number that comes twice is told, and its last row counts."""
    rows = "1,yesterday,-,-\n,2026/1/5 9:30,-,-\n3,2026/1/5 9:30,-,-\n3,2026/1/6 9:30,-,-\n"
    found = register(tmp_path, rows=rows).read()
    assert [(one.number, one.start) for one in found.entries] == [("3", at(2026, 1, 6, 9, 30))]
    assert [row.position for row in found.unread] == ["cases.csv:2", "cases.csv:3"]
    assert "受理时间: found 'yesterday'" in found.unread[0].text
    assert found.doubled == ["3"]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("deadline:", "due:", 4, "a register has no column `due`"),
        ("number:", "end2:", 4, "a register has no column `end2`"),
        ("  number: 办件编号\n", "", 4, "a register needs `number`"),
        ("format: csv", "format: cvs", 2, "there is no file format `cvs`"),
        ("missing:", "kind: kafka\nmissing:", 3, "no register can be of the kind `kafka`"),
        ("missing:", "zoone: x\nmissing:", 3, "`zoone` is no key of this place"),
        ("办结时间", "{value: start}", 4, "read as they stand"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    """`casebus check` says where, what, and what to write instead."""
    with pytest.raises(ProblemsError) as raised:
        register(tmp_path, YAML.replace(old, new))
    (problem,) = raised.value.problems
    assert said in problem.found
    assert problem.where.endswith(f"registers/platform.yaml:{line}")


def test_a_column_that_is_not_there_is_told_by_a_look(tmp_path: Path) -> None:
    """`casebus check --sources` says so before anybody asks for figures."""
    with pytest.raises(ConfigurationError, match="no column 完成时间"):
        register(tmp_path, YAML.replace("办结时间", "完成时间"), "1,2026/1/5 9:30,-,-\n").look()
