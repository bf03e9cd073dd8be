"""The view's events, case by case, as of a time T and as known at a time K.

Most cases need no fold: where nothing of a case lies beyond T or came after K, the published state is the answer. Only
cases in between are folded again, from their published bytes, with the router's own fold. What was known at K is worked out
from what had been received by K and from nothing else: a link, a correction, a new version of a row that came later had
taken nothing back then, and forwarded nothing. (A row that wandered through three cases, read in another order than that of
its receipts, may count in the first one too: that one was only told of the newest version.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, select, true

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
#: The journal's word for a key that is tied to another one, and the events that tie and untie.
LINK, _TYING = "LINK", ("Linked", "Corrected")
#: An alert that judged an older case than was known when it came: it never counts.
STALE = "stale"


class Folding(NamedTuple):
    """The router's part, handed in by who wires both: the monitor imports no router."""

    #: Events of one case in any order -> the case.
    fold: Callable[[Iterable[Event], str], Case]
    #: Events journaled under a key, and the key -> those that count there, in business order.
    effective: Callable[[Iterable[Event], str], Sequence[Event]]
    #: Event types that are no work on a case: appointments, queue tickets, links, alerts.
    uncounted: frozenset[str] = frozenset()
    #: Links and corrections of a key and of all it was ever tied to, and the key -> whether it is another name of a case.
    another_name: Callable[[Iterable[Event], str], bool] = lambda events, key: False  # noqa: ARG005  no links, no other names


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
    source = _Source(snapshot, reader, folding, window)
    then = _Names(snapshot, reader, folding, window.known) if window.known is not None else None
    for chunk in chunks(_grouped(snapshot, all_keys=then is not None), CHUNK):
        yield from source.cases(chunk, then)


def case_at(snapshot: Snapshot, reader: Reader, folding: Folding, key: str, window: Window) -> Case | None:
    """One case as of the window; None when it had not begun."""
    source = _Source(snapshot, reader, folding, window)
    if window.known is not None:
        return next((one.case for one in source.as_known([key])), None)
    return (source.published([key]) if window.at is None else source.past([key])).get(key)


class _Names:
    """Which keys were other names of a case at some time; they may be none now, and none then that are now."""

    def __init__(self, snapshot: Snapshot, reader: Reader, folding: Folding, until: int) -> None:
        self._snapshot, self._reader, self._folding, self._until = snapshot, reader, folding, until
        table = tables.entries.c
        self._tied: dict[str, set[str]] = defaultdict(set)
        for row in snapshot.all(select(table.case_key, table.target).where(table.kind == LINK).distinct()):
            self._tied[row.case_key].add(row.target)

    def of_interest(self, key: str) -> bool:
        """False for keys that were never tied to another one: most of them."""
        return key in self._tied

    def another(self, key: str) -> bool:
        """Whether it was another name, by what had been received."""
        e = tables.events.c
        keys = {key, *self._tied[key]} - {""}
        query = select(e.event_id, e.raw).where(e.case_key.in_(keys), e.type.in_(_TYING), e.received_at <= self._until)
        found = {row.event_id: self._reader.decode(row.raw) for row in self._snapshot.all(query)}
        return self._folding.another_name(found.values(), key)


class _Source:
    """The three ways to know a case: as published, folded up to `at`, folded again from what had been received."""

    def __init__(self, snapshot: Snapshot, reader: Reader, folding: Folding, window: Window) -> None:
        self._snapshot, self._reader, self._folding, self._window = snapshot, reader, folding, window

    def cases(self, chunk: Sequence[tuple[str, list[Any]]], then: _Names | None = None) -> Iterator[Known]:
        """Cases with their light rows."""
        at, until = self._window
        chunk = [one for one in chunk if then is None or not then.of_interest(one[0]) or not then.another(one[0])]
        untold = {key for key, rows in chunk if until is not None and _otherwise(rows, until)}
        going_on = {key for key, rows in chunk if at is not None and any(row.occurred_at > at for row in rows)}
        known_as = self.published([key for key, _ in chunk if key not in untold | going_on])
        begun = [key for key, rows in chunk if key in going_on - untold and any(row.occurred_at <= at for row in rows)]
        known_as |= self.past(begun) if begun else {}
        for key, rows in chunk:
            if key not in untold:
                yield Known(known_as.get(key), Trace(key, self._counted(rows), rows[0].channel))
        if untold:
            yield from self.as_known(sorted(untold))

    def _counted(self, rows: Iterable[Any]) -> tuple[Row, ...]:
        """Only events that count, as rows in business order."""
        uncounted = self._folding.uncounted
        return tuple(sorted(Row(*row[: len(Row._fields)]) for row in rows if row.standing is None and row.type not in uncounted))

    def published(self, keys: Sequence[str]) -> dict[str, Case]:
        table = tables.cases.c
        query = select(table.case_key, table.state).where(table.case_key.in_(keys))
        return {row.case_key: decode_state(row.state).case for row in self._snapshot.all(query)}

    def past(self, keys: Sequence[str]) -> dict[str, Case]:
        """Cases folded from those of their effective events that had happened at `at`."""
        e, aside = tables.events.c, tables.set_aside
        joined = tables.events.outerjoin(aside, and_(aside.c.case_key == e.case_key, aside.c.sequence == e.sequence))
        query = select(e.case_key, e.raw).select_from(joined).where(aside.c.standing.is_(None), e.occurred_at <= self._window.at)
        return {key: self._folding.fold(events, key) for key, events in self._events(query, keys)}

    def as_known(self, keys: Sequence[str]) -> Iterator[Known]:
        """Cases from what had been received at `known`: what counts of it is resolved again."""
        e, aside, at = tables.events.c, tables.set_aside, self._window.at
        joined = tables.events.outerjoin(aside, and_(aside.c.case_key == e.case_key, aside.c.sequence == e.sequence))
        never = func.coalesce(aside.c.standing, "") == STALE
        query = select(e.case_key, e.raw).select_from(joined).where(e.received_at <= self._window.known, ~never)
        for key, received in self._events(query, keys):
            events = self._folding.effective(received, key)
            whole, past = self._folding.fold(events, key), [event for event in events if at is None or event.occurred_at <= at]
            rows = [
                row_of(key, one) for one in events if one.type not in self._folding.uncounted and one.id not in whole.set_aside
            ]
            yield Known(self._folding.fold(past, key) if past else None, Trace(key, tuple(rows), whole.channel))

    def _events(self, query: Select[Any], keys: Sequence[str]) -> Iterator[tuple[str, list[Event]]]:
        column = tables.events.c.case_key
        found = self._snapshot.all(query.where(column.in_(keys)).order_by(column))
        for key, group in groupby(found, key=attrgetter("case_key")):
            yield key, [self._reader.decode(row.raw) for row in group]


#: The columns of a `Row`, without the bytes.
_COLUMNS = ("case_key", "occurred_at", "step", "system", "source_sequence", "event_id", "type", "activity", "department", "actor")


def _otherwise(rows: Iterable[Any], until: int) -> bool:
    """Whether the published state knows more than was known by then, or something else: it counts under another key now."""
    return any(row.received_at > until or row.forwards_to for row in rows)


def _grouped(snapshot: Snapshot, *, all_keys: bool = False) -> Iterator[tuple[str, list[Any]]]:
    """The rows of each case; with `all_keys` also those of keys that are other names of a case now."""
    e, aside, cases = tables.events.c, tables.set_aside, tables.cases
    here = true() if all_keys else cases.c.forwards_to == ""
    joined = tables.events.join(cases, and_(cases.c.case_key == e.case_key, here, ~cases.c.expired))
    joined = joined.outerjoin(aside, and_(aside.c.case_key == e.case_key, aside.c.sequence == e.sequence))
    columns = (*(e[name] for name in _COLUMNS), e.received_at, cases.c.channel, cases.c.forwards_to, aside.c.standing)
    query = select(*columns).select_from(joined).order_by(e.case_key)
    for key, group in groupby(snapshot.stream(query), key=attrgetter("case_key")):
        yield key, list(group)


def row_of(key: str, event: Event) -> Row:
    order, header = event.order, event.header
    said = event.type, header["activity"] or event.type, department(header["authority"] or ""), person(header["actor"])
    return Row(key, *order, *said)
