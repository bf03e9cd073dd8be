"""CSV with a header whose rows know their lines."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from schemas.problem import Problem


class Row:
    """One row: stripped cells by column, an absent one empty. `where` is `file:line`."""

    def __init__(self, where: str, cells: Mapping[str, str]) -> None:
        self.where = where
        self._cells = cells

    def __getitem__(self, column: str) -> str:
        return self._cells.get(column, "")


def rows(path: Path, columns: tuple[str, ...], problems: list[Problem]) -> list[Row]:
    """The rows of a file that must have these columns; faults of the file as a whole are added to the problems."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _rows(path, csv.DictReader(file, strict=True), columns, problems)
    except FileNotFoundError:
        problems.append(Problem(str(path), "the file is not there", f"Create it with the columns {','.join(columns)}."))
    except UnicodeDecodeError as error:
        problems.append(Problem(str(path), f"not UTF-8 at byte {error.start}", "Save it as CSV in UTF-8."))
    except csv.Error as error:
        problems.append(Problem(str(path), f"no CSV: {error}", "Separate by commas; put quotes around cells that hold one."))
    return []


def _rows(path: Path, reader: csv.DictReader[str], columns: tuple[str, ...], problems: list[Problem]) -> list[Row]:
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        problems.append(Problem(f"{path}:1", f"no column {', '.join(missing)}", f"Head it: {','.join(columns)}."))
        return []
    return [Row(f"{path}:{reader.line_num}", _clean(row)) for row in reader]


def _clean(row: Mapping[str | None, str | list[str] | None]) -> dict[str, str]:
    return {key: value.strip() for key, value in row.items() if key is not None and isinstance(value, str)}
