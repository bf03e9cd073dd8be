"""What samples show of a mapping: for each column how often it was filled, for each code how often it was met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from connectors import values
from connectors.config import Connector, Part
from connectors.samples import AT
from connectors.source import SourceRecord
from connectors.values import Refusal


class Coverage(NamedTuple):
    """Counts over `rows` rows of one table.

    `codes` are those that `on:` and `ignore:` name, `lookups` how often
    the keys of tables that stand in the YAML itself were asked for.
    """

    table: str
    rows: int
    columns: Mapping[str, int]
    codes: Mapping[str, int]
    lookups: Mapping[str, Mapping[str, int]]

    @property
    def missing(self) -> list[str]:
        """What no row has shown, in words."""
        found = [f"column {name}" for name, count in self.columns.items() if not count]
        found += [f"code {code}" for code, count in self.codes.items() if not count]
        return found + [f"{name}: {code}" for name, keys in self.lookups.items() for code, count in keys.items() if not count]


def of_samples(connector: Connector) -> list[Coverage]:
    """The coverage of each table by its own samples."""
    return [measured(name, part, [sample.row for sample in part.settings.samples]) for name, part in connector.parts.items()]


def measured(table: str, part: Part, rows: Sequence[Mapping[str, Any]]) -> Coverage:
    """Translates the rows and counts. The part is of no other use afterwards: its lookups go on counting."""
    columns = Counter({column.name: 0 for column in part.mapping.columns})
    codes = Counter(dict.fromkeys(_named_codes(part), 0))
    for row in rows:
        read = _read(part, row)
        columns.update(name for name, value in read.items() if value is not None)
        code = _code(part, read)
        codes.update([code] if code is not None and code in codes else [])
    return Coverage(table, len(rows), columns, codes, _asked(part, rows))


def _asked(part: Part, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    inline = [name for name, settings in part.settings.lookups.items() if settings.table is not None]
    asked = {name: part.tables[name].watched() for name in inline}
    for number, row in enumerate(rows):
        part.mapping.translate(SourceRecord("", number, row, b""), AT)
    return {name: dict(counts) for name, counts in asked.items()}


def _named_codes(part: Part) -> list[str]:
    choice = part.mapping.choice
    return sorted({*choice.plans, *choice.ignored})


def _read(part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns as far as the row can be read; a sample of a refusal stops where it is refused."""
    read: dict[str, Any] = {}
    try:
        for column in part.mapping.columns:
            read[column.name] = column.read(row, read)
    except Refusal:
        return read
    return read


def _code(part: Part, read: dict[str, Any]) -> str | None:
    code = part.mapping.choice.code
    try:
        return None if code is None else values.text_of(code(read))
    except (Refusal, KeyError):
        return None


def source_rows(records: Iterable[SourceRecord]) -> list[Mapping[str, Any]]:
    return [record.row for record in records if record.fault is None]
