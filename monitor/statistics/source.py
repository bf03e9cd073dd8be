"""The view's events, case by case, as of a time T and as known at a time K.

Most cases need no fold: where nothing of a case lies beyond T or came after K, the published state is the answer. Only
cases in between are folded again, from their published bytes, with the router's own fold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, select

from monitor import tables
from monitor.chunks import chunks
from monitor.mask import person
from monitor.rows import Reader, department
from monitor.statistics.row import Row, Trace
from monitor.view import Snapshot
from schemas.case import Case, decode_state
from schemas.envelope import Event

#: Cases fetched together.
CHUNK = 400


class Folding(NamedTuple):
    """The router's part, handed in by who wires both: the monitor imports no router."""

    #: Events of one case in any order -> the case.
    fold: Callable[[Iterable[Event], str], Case]
    #: Events of one case -> those that count, in business order.
    effective: Callable[[Iterable[Event]], Sequence[Event]]
    #: Event types that are no work on a case: appointments, queue tickets, links, alerts.
    uncounted: frozenset[str] = frozenset()


class Window(NamedTuple):
    """Events that had happened by `at`, of those received by `known`; None: no bound."""

    at: int | None = None
    known: int | None = None


class Known(NamedTuple):
    """A case as of the window, None when it had not begun; and its whole trace, also beyond `at`."""

    case: Case | None
    trace: Trace


def known(snapshot: Snapshot, reader: Reader, folding: Folding, window: Window) -> Iterator[Known]:
    """Every case of the view, other names of cases left out."""
    for chunk in chunks(_grouped(snapshot), CHUNK):
        plain = [(key, rows) for key, rows in chunk if not _cut(rows, window)]
        yield from _as_published(snapshot, plain, folding)
        yield from _folded(snapshot, reader, [key for key, rows in chunk if _cut(rows, window)], folding, window)


def case_at(snapshot: Snapshot, reader: Reader, folding: Folding, key: str, window: Window) -> Case | None:
    """One case as of the window; None when it had not begun."""
    if window == Window():
        table = tables.cases.c
        found = snapshot.all(select(table.state).where(table.case_key == key))
        return decode_state(found[0].state).case if found else None
    return next((one.case for one in _folded(snapshot, reader, [key], folding, window)), None)


def _grouped(snapshot: Snapshot) -> Iterator[tuple[str, list[Any]]]:
    for key, group in groupby(snapshot.stream(_light()), key=attrgetter("case_key")):
        yield key, list(group)


def _light() -> Select[Any]:
    """The columns figures need, without the bytes, case by case."""
    e, aside, cases = tables.events.c, tables.set_aside, tables.cases
    joined = (
        tables.events.join(cases, and_(cases.c.case_key == e.case_key, cases.c.forwards_to == "", ~cases.c.expired))
    ).outerjoin(aside, and_(aside.c.case_key == e.case_key, aside.c.sequence == e.sequence))
    columns = (
        e.case_key,
        e.occurred_at,
        e.step,
        e.system,
        e.source_sequence,
        e.event_id,
        e.type,
        e.activity,
        e.department,
        e.actor,
    )
    return select(*columns, e.received_at, aside.c.standing).select_from(joined).order_by(e.case_key)


def _cut(rows: Sequence[Any], window: Window) -> bool:
    """Whether anything of the case lies beyond the window."""
    at, until = window
    return (at is not None and any(row.occurred_at > at for row in rows)) or (
        until is not None and any(row.received_at > until for row in rows)
    )


def _as_published(snapshot: Snapshot, cases: Sequence[tuple[str, list[Any]]], folding: Folding) -> Iterator[Known]:
    table = tables.cases.c
    query = select(table.case_key, table.state).where(table.case_key.in_([key for key, _ in cases]))
    states = {row.case_key: decode_state(row.state).case for row in snapshot.all(query)} if cases else {}
    for key, rows in cases:
        counted = sorted(Row(*row[:10]) for row in rows if row.standing is None and row.type not in folding.uncounted)
        yield Known(states[key], _trace(states[key], counted))


def _folded(snapshot: Snapshot, reader: Reader, keys: Sequence[str], folding: Folding, window: Window) -> Iterator[Known]:
    if not keys:
        return
    e = tables.events.c
    query = select(e.case_key, e.raw).where(e.case_key.in_(keys)).order_by(e.case_key)
    if window.known is not None:
        query = query.where(e.received_at <= window.known)
    for key, group in groupby(snapshot.all(query), key=attrgetter("case_key")):
        yield _fold(key, folding.effective([reader.decode(row.raw) for row in group]), folding, window.at)


def _fold(key: str, events: Sequence[Event], folding: Folding, at: int | None) -> Known:
    past = [event for event in events if at is None or event.occurred_at <= at]
    whole = folding.fold(events, key)
    rows = [row_of(key, event) for event in events if event.type not in folding.uncounted and event.id not in whole.set_aside]
    return Known(folding.fold(past, key) if past else None, _trace(whole, rows))


def _trace(case: Case, rows: Sequence[Row]) -> Trace:
    return Trace(case.key, tuple(rows), case.channel)


def row_of(key: str, event: Event) -> Row:
    order, header = event.order, event.header
    said = event.type, header["activity"] or event.type, department(header["authority"] or ""), person(header["actor"])
    return Row(key, *order, *said)
