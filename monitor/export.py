"""Tables as CSV, for spreadsheets and process miners (PM4Py reads it by its three columns: case, activity, timestamp).

People are masked; times are ISO 8601 in the deployment's zone. A leading `=`, `+`, `-` or `@` is quoted: a spreadsheet
must not take what a department's export holds for a formula.
"""

from __future__ import annotations

import csv
from datetime import tzinfo
from typing import Any, TextIO

from sqlalchemy import and_, select

from monitor import tables
from monitor.mask import masked
from monitor.times import iso
from monitor.view import View

EVENT_COLUMNS = (
    "case",
    "activity",
    "timestamp",
    "type",
    "department",
    "authority",
    "region",
    "resource",
    "reported_at",
    "received_at",
    "event_id",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def events(view: View, out: TextIO, zone: tzinfo) -> int:
    """Effective events in business order within each case; returns how many."""
    e, aside, cases = tables.events.c, tables.set_aside, tables.cases
    joined = tables.events.join(cases, and_(cases.c.case_key == e.case_key, cases.c.forwards_to == "", cases.c.opened))
    joined = joined.outerjoin(aside, and_(aside.c.case_key == e.case_key, aside.c.sequence == e.sequence))
    order = (e.case_key, e.occurred_at, e.step, e.system, e.source_sequence, e.event_id)
    query = select(tables.events).select_from(joined).where(aside.c.standing.is_(None)).order_by(*order)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EVENT_COLUMNS)
    count = 0
    with view.snapshot() as snapshot:
        for row in snapshot.stream(query):
            writer.writerow(_event(row, zone))
            count += 1
    return count


def _event(row: Any, zone: tzinfo) -> list[str]:
    times = (iso(row.reported_at, zone) or "", iso(row.received_at, zone) or "")
    said = (row.type, row.department, row.authority, row.region, masked(row.actor))
    texts = (row.case_key, row.activity, iso(row.occurred_at, zone) or "", *said, *times, row.event_id)
    return [safe(text) for text in texts]


def safe(text: str) -> str:
    """Text that no spreadsheet runs."""
    return f"'{text}" if text.startswith(_FORMULA) else text
