"""The supervision speaks: what indicators find becomes an alert, once, and never while history is loaded.

An alert is first a row (`monitor.outbox`), in the database transaction of the tables it was judged from. It stands for
good: a yellow card is not taken back because the case went on. It is withdrawn when what is known now says that it should
not have been raised then: a correction, or an event that was keyed in late. A judgement that the router refuses, because
it knew more by then, is made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, insert, select, update

from monitor import tables
from monitor.chunks import chunks
from monitor.gather import LATELY, lines, some, standing, standing_keys, told_of
from monitor.indicator import Found, Panel
from monitor.lights import Clockwork
from monitor.outbox import RAISED, WITHDRAWN, Row, identity
from monitor.rows import Rows
from monitor.sight import Seen, Told, seen
from monitor.times import DAY
from monitor.view import Snapshot, View
from schemas.case import Case, decode_state
from schemas.clock import Light

_AT_ONCE = 500
#: Cases judged in one transaction of a look over all of them: some hundredths of a second.
_FEW = 25
_REASON = {
    "en": "What is known now says that it was not so.",
    "zh": "根据更正或补充的信息，该预警不成立。",
}
_OVER = {"en": "It is over.", "zh": "情况已恢复正常。"}


class Judge(NamedTuple):
    """Who judges: the indicators that may speak, by which clock, in which language."""

    panel: Panel
    clockwork: Clockwork
    now: Callable[[], int]
    language: str = "en"

    def after_batch(self, connection: Connection, rows: Rows) -> None:
        """For `View.apply_batch`: judge the cases that a batch has changed, in its transaction."""
        for keys in chunks(rows.replaced, _AT_ONCE):
            now = self.now()
            desk = _Desk(connection, self, keys)
            snapshot = Snapshot(connection)
            for one in some(snapshot, self.clockwork, now, keys):
                desk.speak(one.case.key, self._speaking(one), now)
            desk.mend(now)

    def sweep(self, view: View) -> int:
        """Judge what the passing of time has changed; returns how many alerts are new. Withdraws nothing."""
        new = 0
        after: str | None = ""
        while after is not None:
            found, after = self.part(view, after)
            new += found
        return new + self.departments(view, self.about(view))

    def part(self, view: View, after: str) -> tuple[int, str | None]:
        """The next cases behind this key: how many alerts are new, and the last key; None when there are no more."""
        now, new = self.now(), 0
        with view.writing() as connection:
            snapshot = Snapshot(connection)
            keys = standing_keys(snapshot, now, after, _FEW)
            found = [one for case in standing(snapshot, self.clockwork, now, keys) for one in self._speaking(case)]
            if found:
                desk = _Desk(connection, self, {one.case for one in found})
                new = sum(desk.speak(one.case, [one], now) for one in found)
        return new, keys[-1] if len(keys) == _FEW else None

    def about(self, view: View) -> list[Found]:
        """What is to be said about departments: reads only."""
        with view.snapshot() as snapshot:
            return [one for line in lines(snapshot, self.clockwork, self.now()) for one in self.panel.of_department(line)]

    def departments(self, view: View, about: list[Found]) -> int:
        """Say it, and end what is over."""
        now = self.now()
        with view.writing() as connection:
            desk = _Desk(connection, self, [""])
            new = desk.speak("", about, now)
            desk.end(about, now)
        return new

    def _speaking(self, one: Seen) -> list[Found]:
        """Hits with a light. What ended long ago is history, for the desk and for nobody's telephone."""
        if one.case.ended_at is not None and one.case.ended_at < one.now - LATELY * DAY and one.unfollowed is None:
            return []
        return [found for found in self.panel.of_case(one) if found.hit.light is not Light.NONE]


def alert_id(found: Found, times: int = 0) -> str:
    """`times` it was withdrawn before."""
    hit = found.hit
    said = (found.case or found.who, found.indicator.name, hit.light, hit.about, *([str(times)] if times else []))
    return hashlib.blake2b("\x1f".join(said).encode(), digest_size=16).hexdigest()


class _Desk:
    """The alerts of some cases, as they stand in the caller's transaction."""

    def __init__(self, connection: Connection, judge: Judge, keys: Collection[str]) -> None:
        self._connection, self._judge = connection, judge
        table = tables.alerts.c
        rows = connection.execute(select(tables.alerts).where(table.case_key.in_(list(keys))))
        self._rows: dict[tuple[str, str], Any] = {(row.alert, row.type): row for row in rows}
        self._sequences = _sequences(connection, keys)
        self._refused = _refused(connection, keys) if any(row.sent for row in self._rows.values()) else frozenset()
        self._standing: set[str] = set()

    def speak(self, case: str, found: Iterable[Found], now: int) -> int:
        """Put in what was not said before, and again what was refused; returns how many are new."""
        ids = {self._live(one): one for one in found}
        self._standing |= ids.keys()
        new = [self._row(alert, one, case, now) for alert, one in ids.items() if (alert, RAISED) not in self._rows]
        if new:
            self._connection.execute(insert(tables.alerts), new)
        return len(new)

    def mend(self, now: int) -> None:
        """After a batch: say again what was refused, withdraw what proves wrong."""
        doubtful: dict[str, list[Any]] = {}
        for (alert, kind), row in self._rows.items():
            if identity(alert, kind, row.attempt) in self._refused:
                self._again(row, now)
            elif kind == RAISED and alert not in self._standing and (alert, WITHDRAWN) not in self._rows:
                doubtful.setdefault(row.case_key, []).append(row)
        if doubtful:
            self._doubt(doubtful, now)

    def end(self, found: Iterable[Found], now: int) -> None:
        """What is about departments ends when it is over."""
        still = {self._live(one) for one in found}
        for (alert, kind), row in self._rows.items():
            if kind == RAISED and alert not in still and (alert, WITHDRAWN) not in self._rows:
                self._withdraw(row, _OVER, now)

    def _live(self, found: Found) -> str:
        """The id under which it stands, or would: what was withdrawn comes back under another one."""
        ids = (alert_id(found, times) for times in count())
        return next(alert for alert in ids if (alert, WITHDRAWN) not in self._rows)

    def _again(self, row: Any, now: int) -> None:
        """The router knew more than was judged. What does not hold by what is known now was never said."""
        here = (tables.alerts.c.alert == row.alert) & (tables.alerts.c.type == row.type)
        if row.type == RAISED and row.alert not in self._standing:
            self._connection.execute(delete(tables.alerts).where(here))
            return
        judged = {"judged_sequence": self._sequences.get(row.case_key, 0), "raised_at": now}
        self._connection.execute(update(tables.alerts).where(here).values(attempt=row.attempt + 1, sent=False, **judged))

    def _doubt(self, doubtful: dict[str, list[Any]], now: int) -> None:
        """Judge each of these again as of when it was raised, by what is known now."""
        snapshot, keys = Snapshot(self._connection), list(doubtful)
        told = told_of(snapshot, keys)
        for case in _cases(snapshot, keys):
            for row in doubtful[case.key]:
                if row.alert not in self._then(case, told.get(case.key, []), row.raised_at):
                    self._withdraw(row, _REASON, now)

    def _then(self, case: Case, told: list[Told], at: int) -> set[str]:
        judge = self._judge
        return {self._live(one) for one in judge.panel.of_case(seen(case, told, judge.clockwork, at))}

    def _withdraw(self, row: Any, reason: dict[str, str], now: int) -> None:
        said = {
            "type": WITHDRAWN,
            "text": reason[self._judge.language],
            "raised_at": now,
            "attempt": 1,
            "sent": False,
            "told": False,
        }
        sequence = {"judged_sequence": self._sequences.get(row.case_key, 0)}
        self._connection.execute(insert(tables.alerts), {**row._asdict(), **said, **sequence})

    def _row(self, alert: str, found: Found, case: str, now: int) -> Row:
        return {
            "alert": alert,
            "type": RAISED,
            "case_key": case,
            "indicator": found.indicator.name,
            "light": str(found.hit.light).upper(),
            "who": found.who,
            "about": found.hit.about,
            "text": found.text(self._judge.language),
            "judged_sequence": self._sequences.get(case, 0),
            "raised_at": now,
            "attempt": 1,
            "sent": False,
            "told": False,
        }


def _cases(snapshot: Snapshot, keys: Collection[str]) -> list[Case]:
    table = tables.cases.c
    return [decode_state(row.state).case for row in snapshot.all(select(table.state).where(table.case_key.in_(keys)))]


def _refused(connection: Connection, keys: Collection[str]) -> frozenset[str]:
    """Ids of alerts that the router refused: it knew more of the case than they had judged."""
    e, aside = tables.events.c, tables.set_aside.c
    joined = tables.events.join(tables.set_aside, and_(aside.case_key == e.case_key, aside.sequence == e.sequence))
    query = select(e.event_id).select_from(joined).where(e.case_key.in_(list(keys)), aside.standing == "stale")
    return frozenset(row.event_id for row in connection.execute(query))


def _sequences(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    """How far the journal of these cases had been seen when they were judged."""
    table = tables.cases.c
    query = select(table.case_key, table.sequence).where(table.case_key.in_(list(keys)))
    return {row.case_key: row.sequence for row in connection.execute(query)}
