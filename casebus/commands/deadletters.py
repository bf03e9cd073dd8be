"""`casebus deadletters`: what was refused, where it stands at its source, why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import and_, select

from bus.errors import ConfigurationError
from casebus.commands import output
from casebus.commands.open_view import opened
from monitor import tables
from monitor.times import local
from monitor.view import View

COLUMNS = ("system", "position", "reason", "field", "found")


def show_all(folder: Path, reason: str | None, *, as_json: bool) -> int:
    with opened(folder) as (_, view):
        letters = [letter for letter in read(view) if reason in (None, letter["reason"])]
    if as_json:
        output.as_json([_plain(letter) for letter in letters])
    else:
        rows = [(letter["number"], *(letter[name] for name in COLUMNS)) for letter in letters]
        output.console().print(output.table(output.several(len(letters), "dead letter"), (">", *COLUMNS), rows))
    return 0


def show_one(folder: Path, number: int, *, as_json: bool) -> int:
    with opened(folder) as (wiring, view):
        letters = read(view)
    if number > len(letters):
        known = output.several(len(letters), "dead letter")
        raise ConfigurationError(f"The list has {known}. Take a number from `casebus deadletters list`.")
    letter = letters[number - 1]
    if as_json:
        output.as_json(_plain(letter))
    else:
        shown = {name: value for name, value in _plain(letter).items() if name != "number" and value not in ("", None)}
        shown["received_at"] = local(letter["received_at"], wiring.deployment.zone).isoformat(" ", "seconds")
        output.console().print(output.table(f"Dead letter {number}", ("", ""), shown.items()))
    return 0


def read(view: View) -> list[dict[str, Any]]:
    """Those that stand, in the order in which they were received, numbered.

    A refused event that counts after all (its application came, the end it was dated after was wrong) needs nobody any more.
    """
    table = tables.dead_letters
    order = (table.c.received_at, table.c.system, table.c.source_table, table.c.partition, table.c.offset)
    rows = view.all(select(table).order_by(*order))
    counting, last = _counting(view), _last_word(rows)
    standing = [row for row in rows if last.get(_event(row), row) is row and _event(row) not in counting]
    return [{"number": number, **row._mapping} for number, row in enumerate(standing, 1)]  # noqa: SLF001  SQLAlchemy's public name for a row as a mapping


def _event(row: Any) -> tuple[str, bytes]:
    return row.event_id, bytes(row.raw)


def _last_word(rows: Sequence[Any]) -> dict[tuple[str, bytes], Any]:
    """Of several letters about one event the last in its topic holds: it may have been refused for another reason at first."""
    written = sorted(rows, key=lambda row: (row.partition, row.offset))
    return {_event(row): row for row in written if row.event_id}


def _counting(view: View) -> set[tuple[str, bytes]]:
    """Events with a dead letter that count now, by id and published bytes: of two bodies with one id only one counts."""
    events, aside, cases = tables.events, tables.set_aside, tables.cases
    letters = select(tables.dead_letters.c.event_id).where(tables.dead_letters.c.event_id != "")
    counted = and_(cases.c.case_key == events.c.case_key, cases.c.forwards_to == "", ~cases.c.expired)
    same = and_(aside.c.case_key == events.c.case_key, aside.c.sequence == events.c.sequence)
    joined = events.join(cases, counted).outerjoin(aside, same)
    query = (
        select(events.c.event_id, events.c.raw)
        .select_from(joined)
        .where(aside.c.sequence.is_(None), events.c.event_id.in_(letters))
    )
    return {_event(row) for row in view.all(query)}


def _plain(letter: dict[str, Any]) -> dict[str, Any]:
    """For reading: the bytes as text where they are text, as hexadecimal digits where not."""
    raw = bytes(letter["raw"])
    try:
        shown = raw.decode()
    except UnicodeDecodeError:
        shown = raw.hex(" ")
    return {name: value for name, value in letter.items() if name not in {"partition", "offset"}} | {"raw": shown}
