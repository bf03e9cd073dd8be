"""What single pages ask of the view's tables: bounded, by an index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, or_, select

from monitor import tables
from monitor.statistics.compute import Inputs
from monitor.statistics.source import STALE, Folding, Window
from monitor.view import Snapshot
from monitor.web.access import Scope, within
from monitor.web.models.case import Entry, Recorded


def key_of(snapshot: Snapshot, number: str, allowed: Scope) -> list[str]:
    """Keys of the cases with this number or key, as far as one may see them; another name of a case leads to it."""
    table = tables.cases.c
    query = select(table.case_key, table.forwards_to).where(or_(table.case_key == number, table.number == number)).limit(200)
    keys = {str(row.forwards_to or row.case_key) for row in snapshot.all(query)}
    if allowed is not None:
        rows = snapshot.all(select(table.case_key, table.region).where(table.case_key.in_(keys)))
        keys = {row.case_key for row in rows if within(row.region, allowed)}
    return sorted(keys)[:20]


def recorded(snapshot: Snapshot, inputs: Inputs, key: str, window: Window) -> list[Recorded]:
    """What was recorded of a case, in business order; within the window. A case has some tens of events.

    As known then, what counted is worked out again: what was taken back later still stood.
    """
    e, aside = tables.events.c, tables.set_aside.c
    joined = tables.events.outerjoin(tables.set_aside, and_(aside.case_key == e.case_key, aside.sequence == e.sequence))
    query: Any = select(e.raw, e.sequence, aside.standing).select_from(joined).where(e.case_key == key)
    query = query.where(e.occurred_at <= window.at) if window.at is not None else query
    query = query.where(e.received_at <= window.known) if window.known is not None else query
    found = [Recorded(inputs.reader.decode(row.raw), row.sequence, row.standing or "") for row in snapshot.all(query)]
    found = found if window.known is None else list(_then(found, inputs.folding, key))
    return sorted(found, key=lambda one: (one.event.order, one.sequence))


def _then(found: list[Recorded], folding: Folding, key: str) -> Iterator[Recorded]:
    """With the standing that each had by what was known; a reason that nothing gives any more is told as replaced."""
    events = [one.event for one in found if one.standing != STALE]
    counted = folding.effective(events, key)
    aside = folding.fold(counted, key).set_aside
    counts = {id(event) for event in counted}
    for one in found:
        reason = aside.get(one.event.id, "") if id(one.event) in counts else one.standing or SUPERSEDED
        yield one._replace(standing=reason)


SUPERSEDED = "superseded"
#: Journal entries that say what the bus decided.
_DECIDED = ("DELIVERY", "COMPENSATION", "LINK")


def decided(snapshot: Snapshot, key: str, window: Window) -> list[Entry]:
    """What the bus decided about a case, in its order; within the window, by when it was recorded."""
    table, e = tables.entries.c, tables.events.c
    joined = tables.entries.outerjoin(tables.events, and_(e.case_key == table.case_key, e.sequence == table.sequence))
    columns = (table.sequence, table.recorded_at, table.kind, table.rule, table.target, table.facts)
    query: Any = select(*columns).select_from(joined).where(table.case_key == key, table.kind.in_(_DECIDED), e.sequence.is_(None))
    until = [one for one in window if one is not None]
    query = query.where(table.recorded_at <= min(until)) if until else query
    rows = snapshot.all(query.order_by(table.recorded_at, table.sequence))
    return [Entry(row.sequence, row.recorded_at, row.kind, row.rule, row.target, json.loads(row.facts)) for row in rows]
