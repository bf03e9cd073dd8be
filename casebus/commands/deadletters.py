"""`casebus deadletters`: what was refused, where it stands at its source, why, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from bus.errors import ConfigurationError
from casebus.commands import output
from casebus.commands.open_view import opened
from monitor import tables
from monitor.view import View

COLUMNS = ("system", "position", "reason", "field", "found")


def show_all(folder: Path, reason: str | None, *, as_json: bool) -> int:
    with opened(folder) as (_, view):
        letters = [letter for letter in read(view) if reason in (None, letter["reason"])]
    if as_json:
        output.as_json([_plain(letter) for letter in letters])
    else:
        rows = [(letter["number"], *(letter[name] for name in COLUMNS)) for letter in letters]
        output.console().print(output.table(f"{len(letters)} dead letters", (">", *COLUMNS), rows))
    return 0


def show_one(folder: Path, number: int, *, as_json: bool) -> int:
    with opened(folder) as (_, view):
        letters = read(view)
    if number > len(letters):
        raise ConfigurationError(f"There are {len(letters)} dead letters. Take a number from `casebus deadletters list`.")
    letter = letters[number - 1]
    if as_json:
        output.as_json(_plain(letter))
    else:
        shown = {name: value for name, value in _plain(letter).items() if value not in ("", None)}
        output.console().print(output.table(f"Dead letter {number}", ("", ""), shown.items()))
    return 0


def read(view: View) -> list[dict[str, Any]]:
    """All of them, numbered in a lasting order: by system, then by position in it, then as they came."""
    table = tables.dead_letters
    order = (table.c.received_at, table.c.system, table.c.source_table, table.c.partition, table.c.offset)
    rows = view.all(select(table).order_by(*order))
    return [{"number": number, **row._mapping} for number, row in enumerate(rows, 1)]  # noqa: SLF001  SQLAlchemy's public name for a row as a mapping


def _plain(letter: dict[str, Any]) -> dict[str, Any]:
    """For reading: the bytes as text where they are text, as hexadecimal digits where not."""
    raw = bytes(letter["raw"])
    try:
        shown = raw.decode()
    except UnicodeDecodeError:
        shown = raw.hex(" ")
    return {name: value for name, value in letter.items() if name not in {"partition", "offset"}} | {"raw": shown}
