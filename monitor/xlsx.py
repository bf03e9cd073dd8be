"""The event log as a workbook. A worksheet ends at 1,048,576 rows: a longer log goes on in the next one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from pathlib import Path
from typing import Any

from monitor.export import EVENT_COLUMNS, Trail, table

#: Rows of a worksheet below its heading.
ROWS = 1_048_575
#: Characters that a cell can hold.
_CELL = 32_767


def write(found: Iterable[Trail], file: Path, zone: tzinfo) -> int:
    """Returns how many events."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet, count = _sheet(book, 1), 0
    for row in table(found, zone):
        if count and count % ROWS == 0:
            sheet = _sheet(book, count // ROWS + 1)
        sheet.append([_text(sheet, cell) for cell in row])
        count += 1
    book.save(file)
    return count


def _sheet(book: Any, number: int) -> Any:
    sheet = book.create_sheet(f"events {number}" if number > 1 else "events")
    sheet.freeze_panes = "A2"
    sheet.append(EVENT_COLUMNS)
    return sheet


def _text(sheet: Any, cell: str) -> Any:
    """A cell that is text whatever it looks like: openpyxl takes what begins with `=` for a formula."""
    from openpyxl.cell import WriteOnlyCell

    made = WriteOnlyCell(sheet, cell[:_CELL])
    made.data_type = "s"
    return made
