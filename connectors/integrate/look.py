"""A first look at a source: its fields with some values, read through the kind that will read it later."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from lxml import etree

from bus.errors import ConfigurationError
from connectors.databases import connected, named
from connectors.formats import objects
from connectors.formats.jsondocument import LARGEST
from connectors.formats.workbook import Workbook, WorkbookSettings
from connectors.integrate import heads, trees
from connectors.kinds import kinds
from connectors.kinds.sql import located
from connectors.source import Context
from schemas import yamlfile

#: Rows looked at.
ROWS = 500
_ENCODINGS = ("utf-8-sig", "gb18030")


class Seen(NamedTuple):
    """What a look found: the kind, its `source:` settings, fields with values, and which of the settings are guesses.

    `aside` are fields that are worth a column, but play no part that could be guessed.
    """

    kind: str
    source: Mapping[str, Any]
    fields: Mapping[str, Sequence[Any]]
    guessed: Mapping[str, str]
    aside: Sequence[str] = ()


def table(url: str, name: str | None, base: Path) -> Seen:
    """A table of a database, or a view; `name` may have its schema in front. Raises ConfigurationError where it must be named."""
    with connected(located(url, base)) as connection:
        there = sa.inspect(connection)
        schema, short = named(name) if name else (None, None)
        names = [*there.get_table_names(schema), *there.get_view_names(schema)]
        if short is None and len(names) != 1:
            known = ", ".join(names) or "none"
            raise ConfigurationError(f"The database has {len(names)} tables ({known}). Name one of them: --table NAME.")
        short = short or names[0]
        if short not in names:
            raise ConfigurationError(f"There is no table {name}. Name one of {', '.join(names) or 'none'}.")
        columns: list[sa.Column[Any]] = [sa.Column(column["name"]) for column in there.get_columns(short, schema)]
        chosen = sa.Table(short, sa.MetaData(), *columns, schema=schema)
        rows = [dict(row) for row in connection.execute(sa.select(chosen).limit(ROWS)).mappings()]
        primary = there.get_pk_constraint(short, schema)["constrained_columns"]
    fields = {column.name: [row[column.name] for row in rows] for column in chosen.columns}
    key, why = (list(primary), "") if primary else _key(fields)
    guessed = {"key": f"the table has no primary key; {why}"} if why else {}
    if sa.make_url(url).password:
        guessed["url"] = "better with its password from the environment: user:${NAME}@host"
    return Seen("sql", {"url": url, "table": name or short, "key": key[0] if len(key) == 1 else key}, fields, guessed)


def _key(fields: Mapping[str, Sequence[Any]]) -> tuple[list[str], str]:
    """The first column that differs in every row, else the first ones that do together, and why."""
    if alone := next((name for name, values in fields.items() if _unique([values])), None):
        return [alone], "this one differs in every row"
    filled = [name for name, values in fields.items() if None not in values]
    for number in range(2, len(filled) + 1):
        if _unique([fields[name] for name in filled[:number]]):
            return filled[:number], "these together differ in every row"
    return [
        next(iter(fields))
    ], "no columns differ in every row, and rows that are alike here are lost: ask for a number of their own"


def _unique(columns: Sequence[Sequence[Any]]) -> bool:
    rows = list(zip(*columns, strict=True))
    return not any(None in row for row in rows) and len({tuple(map(str, row)) for row in rows}) == len(rows)


def file(name: str, base: Path) -> Seen:
    """A sample file, by its ending. Raises ConfigurationError for one that cannot be read so."""
    path = base / name
    if not path.is_file():
        raise ConfigurationError(f"The file {path} is not there. Put it there, or correct --from.")
    look = _FORMS.get(path.suffix.lower())
    if look is None:
        known = ", ".join(_FORMS)
        raise ConfigurationError(f"{path.name} is none of {known}. Write its connector by hand: docs/connectors.md.")
    source, fields, guessed = look(path)
    return Seen("files", {"path": name, **source}, fields, guessed)


Look = tuple[dict[str, Any], dict[str, list[Any]], dict[str, str]]


def _csv(path: Path) -> Look:
    """Its headings may stand below titles and notes."""
    encoding = "utf-16" if _wide(path) else next((one for one in _ENCODINGS if _reads(path, one)), None)
    if encoding is None:
        raise ConfigurationError(f"{path.name} is neither UTF-8 nor GB18030. Write encoding: in a connector of your own.")
    with path.open(encoding=encoding, newline="") as file:
        lines = list(islice(file, ROWS))
    delimiter = max(",;\t|", key=lambda sign: (sum(sign in line for line in lines), sum(line.count(sign) for line in lines)))
    reader = csv.reader(lines, delimiter=delimiter)
    rows = [(reader.line_num, row) for row in reader]
    (place,) = heads.found([row for _, row in rows]) if rows else (0,)
    source = {"format": "csv", "encoding": "utf-8" if encoding == "utf-8-sig" else encoding, "delimiter": delimiter}
    guessed = {"encoding": "these bytes can be read so", "delimiter": "the sign that most lines have"}
    return _below_heads(path, source | ({"header_row": rows[place][0]} if place else {}), [row for _, row in rows], guessed)


def _below_heads(path: Path, source: dict[str, Any], rows: Sequence[Sequence[Any]], guessed: dict[str, str]) -> Look:
    """The rows below the headings, without those that sum up."""
    if words := heads.totals(rows):
        source["totals"] = words
    why = {"header_row": "titles stand above the headings", "totals": "what begins so only sums up"}
    return source, _read(path, source, []), guessed | why


def _wide(path: Path) -> bool:
    """By its mark: what spreadsheet programs call Unicode text."""
    with path.open("rb") as file:
        return file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _reads(path: Path, encoding: str) -> bool:
    try:
        path.read_text(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _json(path: Path) -> Look:
    """An object a line, or one document; the rows are those of the list in it that holds most."""
    lined = path.suffix.lower() != ".json" or _decoded(_head(path)) is None
    lines = _lines(path) if lined else []
    form, lines = ("jsonl", lines) if lines else ("json", _document(path))
    rows = trees.of_json(lines)
    source = {"format": form, **({"record": ".".join(rows.record)} if rows.record else {})}
    return source, _read(path, source, rows.fields), {"record": "the list that holds most objects"}


def _lines(path: Path) -> list[Any]:
    with path.open("rb") as file:
        return [found for line in islice(file, ROWS) if isinstance(found := _decoded(line), dict)]


def _head(path: Path) -> bytes:
    """The whole of it, where that may be one document."""
    return path.read_bytes() if path.stat().st_size <= LARGEST else b""


def _document(path: Path) -> list[Any]:
    """The objects of one document. Raises ConfigurationError where there are none."""
    whole = _decoded(_head(path))
    found = [one for one in (whole if isinstance(whole, list) else [whole]) if isinstance(one, dict)]
    if not found:
        raise ConfigurationError(
            f"{path.name} holds no object, neither in a line nor as a whole. Ask for a sample that is whole."
        )
    return found[:ROWS]


def _decoded(line: bytes) -> Any:
    """None for a spoilt line: real exports have some."""
    try:
        return objects.decoded(line.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return None


def _xml(path: Path) -> Look:
    """The record is the element that repeats most and holds several fields."""
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True)
        root = etree.parse(str(path), parser).getroot()
    except (etree.XMLSyntaxError, OSError) as error:
        raise ConfigurationError(f"{path.name} is no XML ({error}). Ask for a sample that is whole.") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ConfigurationError(f"{path.name} declares a document type. Send it without <!DOCTYPE>: entities are not expanded.")
    rows = trees.of_xml(root)
    if not rows.record:
        raise ConfigurationError(
            f"No element of {path.name} holds several fields. Write its connector by hand: docs/connectors.md."
        )
    space = etree.QName(root).namespace
    source = {"format": "xml", "record": "/".join(rows.record), **({"namespace": space} if space else {})}
    return source, _read(path, source, rows.fields), {"record": "the element that repeats most"}


def _xlsx(path: Path) -> Look:
    """The first sheet with a table; its headings may stand below titles, in two rows where the upper one is merged."""
    name, rows = next((one for one in _sheets(path) if sum(len(row) > 1 for row in one[1]) > 1), (None, []))
    places = [place + 1 for place in heads.found(rows, two=True)]
    row = places[0] if len(places) == 1 else places
    source = {"format": "xlsx"} | ({"sheet": name} if name else {}) | ({"header_row": row} if row != 1 else {})
    return _below_heads(path, source, rows, {"sheet": "the first that holds a table"})


def _sheets(path: Path) -> Iterator[tuple[str | None, list[list[Any]]]]:
    """Each with its rows, of which the empty cells at the end are left out; the first one goes without its name."""
    for number in count(1):
        settings = WorkbookSettings(path=path.name, format="xlsx", sheet=number)
        book = Workbook(path, settings, Context(path.parent, [], path.name), None)
        names = book.sheets()
        if number > len(names):
            return
        yield names[number - 1] if number > 1 else None, [_trimmed(row) for row in islice(book.cells(), ROWS)]


def _trimmed(row: Sequence[Any]) -> list[Any]:
    filled = [place for place, value in enumerate(row, 1) if value not in (None, "")]
    return list(row[: max(filled, default=0)])


def _read(path: Path, source: Mapping[str, Any], fields: Sequence[str]) -> dict[str, list[Any]]:
    """Values by field, read by the very reader that will read them later; without `fields` those that it finds.

    Raises ConfigurationError where it refuses all rows.
    """
    kind = kinds()["files"]
    node = yamlfile.Map(path, 1)
    node.update({"path": path.name, **source})
    opened = kind.open(kind.settings(node), Context(path.parent, list(fields), path.name))
    try:
        found = [record for batch in islice(opened.fetch(None, ROWS), 1) for record in batch.records]
    finally:
        opened.close()
    rows = [record.row for record in found if record.fault is None]
    if not rows and (one := next(iter(found), None)) and one.fault:
        raise ConfigurationError(f"No row of {path.name} can be read; at {one.position}: {one.fault.found}. {one.fault.instead}.")
    names = fields or list(dict.fromkeys(name for row in rows for name in row))
    nested = source["format"] in ("json", "jsonl")
    return {name: [trees.value(row, name) if nested else row.get(name) for row in rows] for name in names}


_FORMS: dict[str, Callable[[Path], Look]] = {
    ".csv": _csv,
    ".txt": _csv,
    ".json": _json,
    ".jsonl": _json,
    ".ndjson": _json,
    ".xlsx": _xlsx,
    ".xml": _xml,
}
