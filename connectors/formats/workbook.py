"""XLSX, row by row, read only: date cells, text, serial numbers; formulas count by the value that was stored with them."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from itertools import accumulate, islice, zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from bus.errors import BusError
from connectors.formats.common import FileSettings, Mark, headings, unreadable
from connectors.formats.merged import Ranges, empty, filled, ranges
from connectors.formats.rolling import Rolling
from connectors.source import Context, SourceRecord
from connectors.values import Damaged

#: A spreadsheet keeps 15 digits of a number; a longer one has been rounded.
_DIGITS = 10**15
_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"})
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_LARGEST = 2 << 30
_TEXTS = 128 << 20
_RATIO = 200


class WorkbookSettings(FileSettings):
    """`sheet` is a name or a number from 1; `header_row` counts from 1; `totals` begins a row that only sums up.

    Headings in two rows (`header_row: [3, 4]`), the upper one merged over several columns, read `upper/lower`. `names`
    stands for the headings, where two are the same.
    """

    format: Literal["xlsx"]
    sheet: str | int = 1
    header_row: list[Annotated[int, Field(ge=1, le=1000)]] = Field([1], min_length=1, max_length=2)
    names: list[str] | None = None
    totals: list[str] = Field(default_factory=list)

    @field_validator("totals", "header_row", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    @field_validator("header_row")
    @classmethod
    def _downwards(cls, rows: list[int]) -> list[int]:
        if rows != sorted(set(rows)):
            raise ValueError("write the upper row first, then the lower one")
        return rows


class Workbook(Rolling):
    """One sheet of one workbook."""

    def __init__(self, path: Path, settings: WorkbookSettings, context: Context, mark: Mark | None, name: str = "") -> None:
        self._path = path
        self._name = name or path.name
        self._settings = settings
        self._context = context
        self._formulas = self._checked()
        self._merged: Ranges | None = None
        super().__init__(self._rows, mark)

    def _checked(self) -> bool:
        """Refuse what no spreadsheet program writes; tell whether the workbook has formulas."""
        try:
            with zipfile.ZipFile(self._path) as archive:
                size = sum(info.file_size for info in archive.infolist())
                if size > _LARGEST or size > _RATIO * max(self._path.stat().st_size, 1 << 16):
                    raise self._wrong(f"it unpacks to {size:,} bytes", "Split it, or export CSV")
                self._check_texts(archive)
                return [self._has_formulas(archive, name) for name in archive.namelist() if name.endswith(".xml")].count(True) > 0
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
            raise self._wrong(f"it is no workbook ({error})", "Save it as .xlsx without a password") from None

    def _check_texts(self, archive: zipfile.ZipFile) -> None:
        """The texts of all cells stand in one part, which is held in memory."""
        size = max((info.file_size for info in archive.infolist() if info.filename.endswith("sharedStrings.xml")), default=0)
        if size > _TEXTS:
            raise self._wrong(f"its texts unpack to {size:,} bytes, more than {_TEXTS:,}", "Split it, or export CSV")

    def _has_formulas(self, archive: zipfile.ZipFile, name: str) -> bool:
        with archive.open(name) as part:
            head = part.read(1 << 16)
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                raise self._wrong(f"its part {name} declares a document type", "Save it again with a spreadsheet program")
            if "/worksheets/" not in name:
                return False
            while head:
                if _FORMULA.search(head):
                    return True
                head = part.read(1 << 20)
        return False

    def _wrong(self, found: str, instead: str) -> Exception:
        return unreadable(self._name, found, instead, self._context)

    def _rows(self) -> Iterator[SourceRecord]:
        numbered = enumerate(self.cells(), 1)
        names = self._headings(numbered)
        for number, cells in filled(numbered, self._merged or {}):
            if self._counts(cells):
                yield self._record(number, names, cells)

    @property
    def names(self) -> Sequence[str] | None:
        return self._headings(enumerate(self.cells(), 1))

    def _headings(self, numbered: Iterator[tuple[int, tuple[Any, ...]]]) -> list[str]:
        rows = self._settings.header_row
        head = [cells for number, cells in islice(numbered, rows[-1]) if number in rows]
        return headings(self._settings.names or _titles(head), self._name, rows[-1], self._context)

    def _counts(self, cells: tuple[Any, ...]) -> bool:
        """False for a blank row and for one that sums up."""
        if all(map(empty, cells)):
            return False
        return not (isinstance(cells[0], str) and cells[0].strip() in self._settings.totals)

    def _record(self, number: int, names: list[str], cells: tuple[Any, ...]) -> SourceRecord:
        row = {name: _value(cell) for name, cell in zip(names, cells, strict=False) if name}
        raw = json.dumps(cells, ensure_ascii=False, default=_shown).encode()
        return SourceRecord(f"{self._name}:{number}", number, row, raw)

    def cells(self) -> Iterator[tuple[Any, ...]]:
        """Every row of the sheet, whatever it is."""
        if not self._formulas:
            yield from self._sheet(values=True)
            return
        for stored, written in zip(self._sheet(values=True), self._sheet(values=False), strict=False):
            yield tuple(_computed(value, source) for value, source in zip(stored, written, strict=False))

    def sheets(self) -> list[str]:
        """The names of its sheets, in order."""
        with self._opened(values=True) as book:
            return list(book.sheetnames)

    def _sheet(self, values: bool) -> Iterator[tuple[Any, ...]]:
        with self._opened(values) as book:
            self._check_days(book.epoch)
            sheet = self._chosen(book)
            if self._merged is None:  # once: a workbook with formulas is read twice side by side
                self._merged = self._ranges(sheet._worksheet_path)  # noqa: SLF001  read only, the library passes over them
            sheet.reset_dimensions()  # what the file says of its size is often wrong
            yield from sheet.iter_rows(values_only=True)

    def _ranges(self, part: str) -> Ranges:
        with zipfile.ZipFile(self._path) as archive, archive.open(part) as xml:
            try:
                return ranges(xml)
            except ValueError as error:
                raise self._wrong(str(error), "Take the merging away, or export CSV") from None

    def _check_days(self, epoch: datetime) -> None:
        """A cell that shows a number has no date in it: by the other count it would be read four years off."""
        right, wrong = ("excel_1904", "excel") if epoch.year == 1904 else ("excel", "excel_1904")
        for name, column in self._context.columns.items():
            if wrong in column.formats:
                found = f"it counts days from {epoch:%Y-%m-%d}, and the column {name} is read as {wrong}"
                raise self._wrong(found, f"Write formats: {right}")

    @contextmanager
    def _opened(self, values: bool) -> Iterator[Any]:
        """With `values` formulas count by what was stored with them. Raises ConfigurationError where it is damaged."""
        import openpyxl

        try:
            # as an open file: by its path the library would judge it by its name, which an unpacked one has not
            with self._path.open("rb") as file, closing(openpyxl.load_workbook(file, read_only=True, data_only=values)) as book:
                yield book
        except BusError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno:
                raise  # of the disk; the library's own have no number
            # the library raises whatever its own code stumbles over in a damaged part
            raise self._wrong(f"its sheet is damaged ({error})", "Save it again with a spreadsheet program") from None

    def _chosen(self, book: Any) -> Any:
        wanted = self._settings.sheet
        names = book.sheetnames
        if isinstance(wanted, int) and 1 <= wanted <= len(names):
            return book[names[wanted - 1]]
        if wanted not in names:
            raise self._wrong(f"it has no sheet {wanted}; it has {', '.join(names)}", "Correct sheet: in the mapping")
        return book[wanted]


def _titles(head: list[tuple[Any, ...]]) -> list[str]:
    """One title a column. Of cells merged over several columns only the first holds the title."""
    lines = [["" if cell is None else str(cell) for cell in cells] for cells in head]
    if len(lines) < 2:
        return lines[0] if lines else []
    pairs = list(zip_longest(*lines, fillvalue=""))
    groups: Iterator[str] = accumulate((own for own, _ in pairs), lambda left, own: own or left)
    return [f"{group}/{title}" if group and title else own or title for group, (own, title) in zip(groups, pairs, strict=True)]


def _computed(value: Any, source: Any) -> Any:
    """A formula that gave an empty text looks like one that nobody has worked out."""
    formula = source if isinstance(source, str) else getattr(source, "text", None)  # of an array it is an object
    if value is None and isinstance(formula, str) and formula.startswith("="):
        return Damaged(
            "formula_without_value",
            f"found the formula {formula}, without a value",
            'Open and save it once; let it give a word in place of "", or send values',
        )
    return value


def _value(cell: Any) -> Any:
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and abs(cell) >= _DIGITS:
        return Damaged("damaged_number", f"found the number {cell!r}, which has lost digits", "Store it as text")
    if isinstance(cell, str) and cell in _ERRORS:
        return Damaged("error_in_cell", f"found {cell}", "Correct the cell at the source")
    return cell


def _shown(cell: Any) -> str:
    if isinstance(cell, Damaged):
        return cell.found
    return cell.isoformat() if isinstance(cell, (datetime, date, time)) else str(cell)
