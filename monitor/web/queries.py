"""What single pages ask of the view's tables: bounded, by an index."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, or_, select

from monitor import tables
from monitor.rows import Reader
from monitor.statistics.source import Window
from monitor.view import Snapshot
from monitor.web.models.case import Recorded


def key_of(snapshot: Snapshot, number: str) -> list[str]:
    """Keys of the cases with this number or key; another name of a case leads to it. At most 20."""
    table = tables.cases.c
    query = select(table.case_key, table.forwards_to).where(or_(table.case_key == number, table.number == number)).limit(20)
    return sorted({str(row.forwards_to or row.case_key) for row in snapshot.all(query)})


def recorded(snapshot: Snapshot, reader: Reader, key: str, window: Window) -> list[Recorded]:
    """What was recorded of a case, in business order; within the window. A case has some tens of events."""
    e, aside = tables.events.c, tables.set_aside.c
    joined = tables.events.outerjoin(tables.set_aside, and_(aside.case_key == e.case_key, aside.sequence == e.sequence))
    query: Any = select(e.raw, e.sequence, aside.standing).select_from(joined).where(e.case_key == key)
    query = query.where(e.occurred_at <= window.at) if window.at is not None else query
    query = query.where(e.received_at <= window.known) if window.known is not None else query
    found = [Recorded(reader.decode(row.raw), row.sequence, row.standing or "") for row in snapshot.all(query)]
    return sorted(found, key=lambda one: (one.event.order, one.sequence))
