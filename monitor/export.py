"""The event log as a file: CSV here, XES and XLSX beside (`monitor.xes`, `monitor.xlsx`). `write` takes the name's ending.

Effective events of counted cases, in business order. People have a pseudonym that is theirs in the whole file, so that
who hands over to whom can still be mined; times are ISO 8601 in the deployment's zone.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from sqlalchemy import and_, select

from monitor import tables
from monitor.mask import masked
from monitor.times import iso
from monitor.view import Snapshot, View
from schemas.problem import Problem, ProblemsError

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
#: What neither XML 1.0 nor a worksheet can hold.
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Exported(NamedTuple):
    """One event; times are microseconds since 1970-01-01 UTC, `resource` a pseudonym, empty where nobody is named."""

    event_id: str
    type: str
    activity: str
    department: str
    authority: str
    region: str
    resource: str
    occurred_at: int
    reported_at: int | None
    received_at: int


class Trail(NamedTuple):
    """One case with what a log says of it."""

    case: str
    region: str
    item: str
    department: str
    channel: str
    outcome: str
    events: tuple[Exported, ...]


class People:
    """A pseudonym for each name, numbered in order of appearance; `clear` leaves names as they are."""

    def __init__(self, *, clear: bool = False) -> None:
        self._known: dict[str, str] = {"": ""}
        self._clear = clear

    def named(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = name if self._clear else f"{masked(name)} {len(self._known)}"
        return self._known[name]


def trails(snapshot: Snapshot, people: People) -> Iterator[Trail]:
    """Case by case, as they come from the database: no more than one case is held."""
    for _, rows in groupby(snapshot.stream(_query()), key=lambda row: row.case_key):
        events = list(rows)
        first = events[0]
        about = (first.case_key, first.case_region, first.item, first.case_department, first.channel, first.outcome)
        case, region, item, department, channel, outcome = map(sayable, about)
        yield Trail(case, region, item, department, channel, outcome, tuple(_event(row, people) for row in events))


def write(view: View, file: Path, zone: tzinfo, *, clear: bool = False) -> int:
    """The log, in the format that the file's ending names; returns how many events. The file is there when it is whole."""
    from monitor import xes, xlsx

    formats: dict[str, Callable[[Iterable[Trail], Path, tzinfo], int]] = {
        ".csv": as_csv,
        ".xes": xes.write,
        ".xlsx": xlsx.write,
    }
    if file.suffix not in formats:
        known = ", ".join(f"{file.stem}{suffix}" for suffix in formats)
        raise ProblemsError(Problem(str(file), "no format has this ending", f"Name one of: {known}."))
    unfinished = file.with_name(f"{file.name}.part")
    with view.snapshot() as snapshot:
        count = formats[file.suffix](trails(snapshot, People(clear=clear)), unfinished, zone)
    unfinished.replace(file)
    return count


def as_csv(found: Iterable[Trail], file: Path, zone: tzinfo) -> int:
    with file.open("w", encoding="utf-8", newline="") as out:
        return lines(found, out, zone)


def lines(found: Iterable[Trail], out: TextIO, zone: tzinfo) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EVENT_COLUMNS)
    count = 0
    for cells in table(found, zone):
        writer.writerow([safe(cell) for cell in cells])
        count += 1
    return count


def table(found: Iterable[Trail], zone: tzinfo) -> Iterator[list[str]]:
    """One row of text an event, in the order of `EVENT_COLUMNS`."""
    for trail in found:
        for one in trail.events:
            said = (one.type, one.department, one.authority, one.region, one.resource)
            times = (iso(one.reported_at, zone) or "", iso(one.received_at, zone) or "")
            yield [trail.case, one.activity, iso(one.occurred_at, zone) or "", *said, *times, one.event_id]


def safe(text: str) -> str:
    """Text that no spreadsheet runs: it must not take what a department's export holds for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def sayable(text: str) -> str:
    """Text without what a file format cannot hold."""
    return _UNSAYABLE.sub("\ufffd", text)


def _query() -> Any:
    e, aside, cases = tables.events.c, tables.set_aside, tables.cases.c
    counted = and_(cases.case_key == e.case_key, cases.forwards_to == "", cases.opened)
    joined = tables.events.join(tables.cases, counted)
    joined = joined.outerjoin(aside, and_(aside.c.case_key == e.case_key, aside.c.sequence == e.sequence))
    order = (e.case_key, e.occurred_at, e.step, e.system, e.source_sequence, e.event_id)
    own = (cases.region.label("case_region"), cases.department.label("case_department"), cases.item, cases.channel, cases.outcome)
    names = ("case_key", "actor", *(name for name in Exported._fields if name != "resource"))
    query = select(*(e[name] for name in names), *own).select_from(joined)
    return query.where(aside.c.standing.is_(None)).order_by(*order)


def _event(row: Any, people: People) -> Exported:
    event_id, kind, activity, department, authority, region = (sayable(getattr(row, name)) for name in _TEXTS)
    resource, times = sayable(people.named(row.actor)), (row.occurred_at, row.reported_at, row.received_at)
    return Exported(event_id, kind, activity, department, authority, region, resource, *times)


_TEXTS = ("event_id", "type", "activity", "department", "authority", "region")
