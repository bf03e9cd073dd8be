"""Following a table: rows in the order of (watermark, key), those that become visible late, and those without a watermark.

With a snapshot everything is read first in the order of the key. Where following will begin is laid down before the first row
is read, so that nothing falls between the two.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from math import inf
from typing import Any

import structlog

from connectors.source import Batch, Context, SourceRecord
from connectors.sqlread.clock import Clock
from connectors.sqlread.settings import SqlSettings
from connectors.sqlread.table import Cut, Page, Table
from connectors.sqlread.values import Row, restored, stored
from connectors.sqlread.window import Rules, Window, behind, digest

log = structlog.get_logger(__name__)

State = dict[str, Any]
#: The position of each connector's table at which this process looked last and found nothing new, and when: no position can
#: remember it, because there was no batch.
_looked: dict[tuple[str, str], tuple[str | None, float]] = {}
#: Seconds before the time now from which to read when the clock was set back: what was written since we looked last.
_BACK = 3600.0


class Follow:
    """`connectors.source.Source`. Seconds of `clock` count how long ago a row was read; `now` says the time to watermarks."""

    def __init__(
        self,
        settings: SqlSettings,
        context: Context,
        clock: Callable[[], float] = time.time,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._settings = settings
        self._zone = context.zone
        self._name = context.where, settings.name
        self._since = 0.0
        self._table = Table(settings, context)
        self._clock = clock
        self._now = now or self._table.now
        mark = settings.watermark
        key = tuple(settings.key)
        self._cuts = {"main": Cut((mark, *key) if mark and mark not in key else key)}
        if mark and mark not in key and settings.nulls == "read":
            self._cuts["nulls"] = Cut(key, lambda column: column(mark).is_(None))

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """Batches behind the position, each in a query of its own: no cursor is held while a batch is published."""
        state, began, given = _read(position), self._clock(), 0
        if self._settings.snapshot and not position:
            state["snapshot"] = self._beginning()
        if "snapshot" in state:
            yield from self._snapshot(state, limit)
        at, when = _looked.get(self._name, (None, 0.0))
        self._since = when if at == position else 0.0
        for name, cut in self._cuts.items():
            for batch in self._pass(name, cut, state, limit):
                given += 1
                yield batch
        if not given:
            _looked[self._name] = position, began

    def close(self) -> None:
        """Engines belong to the process; nothing is held between passes."""

    # -- following

    def _pass(self, name: str, cut: Cut, state: State, limit: int) -> Iterator[Batch]:
        window = self._window(name, state)
        after, ended = window.floor, False
        while not ended:
            page = self._table.page(cut, after, limit)
            ended = page.ended
            after = self._table.keys(page.rows[-1:], cut)[0] if page.rows else after
            fresh = self._fresh(page, cut, window, state["rows"])
            if ended:
                window.end()
            if fresh:
                state["rows"] += len(fresh)
                state[name] = window.state(self._clock())
                yield Batch(fresh, json.dumps(state, ensure_ascii=False))
        if window.hiding:
            log.warning("too many rows are dated in the future", table=self._settings.name, remedy="correct their watermark")

    def _window(self, name: str, state: State) -> Window:
        if name == "nulls":  # no order in time: whatever can be remembered is looked at each time
            return Window(state.get(name, {}), Rules(inf, self._settings.remember), self._clock())
        clock = Clock(self._now(), self._zone) if self._settings.watermark else None
        rules = Rules(self._settings.overlap, self._settings.remember, *([clock.ahead] if clock else []))
        window = Window(state.get(name, {}), rules, self._clock(), self._since)
        if clock and window.floor is not None and clock.ahead(window.floor):
            earlier = clock.back(window.floor, max(self._settings.overlap, _BACK))
            if earlier is not None:
                log.warning("the clock of the watermark was set back", table=self._settings.name, reading_from=str(earlier[0]))
                window.fall_back(earlier)
        return window

    def _fresh(self, page: Page, cut: Cut, window: Window, before: int) -> list[SourceRecord]:
        records = self._table.records(page, before)
        keys = self._table.keys(page.rows, cut)
        return [one for key, one in zip(keys, records, strict=True) if window.new(key, digest(one.raw))]

    # -- the snapshot before it

    def _beginning(self) -> State:
        """Where each way of following will begin: some way before the end there is now."""
        starts = {name: stored(self._table.key_before_the_last(cut, self._settings.remember)) for name, cut in self._cuts.items()}
        return {"starts": starts, "seen": ""}

    def _snapshot(self, state: State, limit: int) -> Iterator[Batch]:
        at: State = state["snapshot"]
        cut, ended = Cut(tuple(self._settings.key)), False
        seen = base64.b64decode(at["seen"])
        while not ended:
            page = self._table.page(cut, restored(at.get("after")), limit)
            ended = page.ended
            records = self._table.records(page, state["rows"])
            seen += b"".join(digest(one.raw) for row, one in zip(page.rows, records, strict=True) if self._again(row, at))
            if ended:
                del state["snapshot"]
                kept = base64.b64encode(seen).decode()
                state |= {name: {"floor": at["starts"][name], "seen": kept} for name in self._cuts}
            if records:
                at |= {"after": stored(self._table.keys(page.rows[-1:], cut)[0]), "seen": base64.b64encode(seen).decode()}
                state["rows"] += len(records)
                yield Batch(records, json.dumps(state, ensure_ascii=False))

    def _again(self, row: Row, at: State) -> bool:
        """Whether following will meet this row once more."""
        mark = row[str(self._settings.watermark)]
        cut = self._cuts.get("main" if mark is not None else "nulls")
        if cut is None:
            return False
        start = restored(at["starts"]["main" if mark is not None else "nulls"])
        return start is None or behind(self._table.keys([row], cut)[0], start)  # wrong at the worst, a row is given twice


def _read(position: str | None) -> State:
    """A position as it is written here; the first ones knew only where they stood."""
    state: State = json.loads(position) if position else {"rows": 0}
    if "after" in state:
        return {"rows": state["rows"], "main": {"floor": state["after"]}}
    return state
