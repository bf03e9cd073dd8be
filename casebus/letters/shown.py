"""The dead letters as the view has them, and which of them somebody has still to see."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Select, and_, select

from connectors.deadletters import id_of
from monitor import tables
from monitor.view import View

Row = dict[str, Any]


def rows(view: View) -> list[Row]:
    """Every letter in the order of receipt, with its id, but those that a later letter about the same thing has replaced."""
    table = tables.dead_letters
    order = (table.c.received_at, table.c.system, table.c.source_table, table.c.partition, table.c.offset)
    found = view.all(select(table).order_by(*order))
    last = _last_word(found)
    return [_named(row) for row in found if last[_about(row)] is row]


def _named(row: Any) -> Row:
    return {"id": id_of(row.partition, row.offset), **row._mapping}  # noqa: SLF001  SQLAlchemy's public name for a row as a mapping


def _about(row: Any) -> tuple[Any, ...]:
    """What a letter is about: an event with its bytes, or a row at its place with its bytes (it may be read twice)."""
    raw = bytes(row.raw)
    return (row.event_id, raw) if row.event_id else (row.stage, row.system, row.source_table, row.position, row.source_key, raw)


def _last_word(found: Sequence[Any]) -> dict[tuple[Any, ...], Any]:
    """Of several letters about one thing the last in its topic holds: it may have been refused for another reason at first."""
    return {_about(row): row for row in sorted(found, key=lambda row: (row.partition, row.offset))}


def counting(view: View, ids: Select[Any] | Collection[str]) -> set[tuple[str, bytes]]:
    """Of these events those that count now, by id and published bytes: of two bodies with one id only one counts."""
    events, aside, cases = tables.events, tables.set_aside, tables.cases
    counted = and_(cases.c.case_key == events.c.case_key, cases.c.forwards_to == "", ~cases.c.expired)
    same = and_(aside.c.case_key == events.c.case_key, aside.c.sequence == events.c.sequence)
    joined = events.join(cases, counted).outerjoin(aside, same)
    query = select(events.c.event_id, events.c.raw).select_from(joined).where(aside.c.sequence.is_(None))
    return {(row.event_id, bytes(row.raw)) for row in view.all(query.where(events.c.event_id.in_(ids)))}


def counting_after_all(view: View) -> set[tuple[str, bytes]]:
    """Refused events that count now: their application came, the end they were dated after was wrong."""
    return counting(view, select(tables.dead_letters.c.event_id).where(tables.dead_letters.c.event_id != ""))


def standing(view: View) -> list[Row]:
    """Those that need somebody: a refused event that counts after all needs nobody any more."""
    good = counting_after_all(view)
    return [row for row in rows(view) if not is_of(row, good)]


def is_of(row: Row, events: Iterable[tuple[str, bytes]]) -> bool:
    return (row["event_id"], bytes(row["raw"])) in events
