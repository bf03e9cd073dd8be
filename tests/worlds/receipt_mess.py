"""What is wrong with the receipt log's exports on purpose, as its manifest tells it: which rows, and which reasons fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: The reasons that fit each kind of mess that must be rejected.
FIT = {
    "bad_bytes": {"unreadable_text"},
    "broken_line": {"broken_line"},
    "column_shift": {"ragged_row"},
    "empty_element": {"missing_value", "missing_time"},
    "excel_sci_case_no": {"damaged_number"},
    "impossible_date": {"unreadable_time"},
    "missing_case_no": {"missing_case"},
    "missing_time": {"missing_time"},
    "orphan_local_no": {"unknown_case"},
    "unknown_case": {"unknown_case"},
    "unknown_status": {"unknown_code"},
    "wrong_year": {"implausible_time"},
}


def manifest(answers: Path) -> list[dict[str, Any]]:
    """Every row that was spoilt, in the folder of the right answers."""
    return [json.loads(line) for line in (answers / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def spoilt(answers: Path, **like: str) -> dict[tuple[str, int], str]:
    """The kind of mess of the rows that are like this (`expect="reject"`), by system and place."""
    found = (row for row in manifest(answers) if all(row[name] == value for name, value in like.items()))
    return {(row["system"], _place(row["at"])): row["kind"] for row in found}


def _place(at: dict[str, int]) -> int:
    """The manifest counts the CSV's data rows without the header; a position counts the file's lines."""
    ((name, number),) = at.items()
    return number + 1 if name == "data_row" else number
