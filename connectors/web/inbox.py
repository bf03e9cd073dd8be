"""Calls that wait for Kafka: taken in from the server's thread, given out by the connector's, answered when they are settled.

What is here lives in memory only, and nobody was promised anything yet: a call is answered well only after the commit.
Whatever ends before (a full queue, a failed commit, the end of the process) is answered with "send it again", and a row
that came through all the same is recognised by its own number.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import count
from typing import NamedTuple

from connectors.source import Settled, SourceRecord


class Answer(NamedTuple):
    """What became of a call: `taken` in Kafka, row by row; or not, and why."""

    taken: bool
    rows: Sequence[Settled] = ()
    why: str = ""


class Call:
    """One request: its rows, and the answer that its caller waits for."""

    def __init__(self, number: int, records: Sequence[SourceRecord]) -> None:
        self.number = number
        self.records = [one._replace(position=f"call {number}, row {row}") for row, one in enumerate(records, 1)]
        self.answer: Future[Answer] = Future()
        self.answer.set_running_or_notify_cancel()  # a caller who waits no more cancels nothing: the answer comes all the same
        self._settled: list[Settled] = []

    def settle(self, row: Settled) -> None:
        self._settled.append(row)
        if len(self._settled) == len(self.records) and not self.answer.done():
            self.answer.set_result(Answer(True, self._settled))

    def refuse(self, why: str) -> None:
        if not self.answer.done():
            self.answer.set_result(Answer(False, why=why))


class Inbox:
    """The calls of one connector, bounded by rows; used from two threads."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._waiting: deque[Call] = deque()
        self._given: dict[str, Call] = {}
        self._rows = 0
        self._open = True
        self._wake: Callable[[], None] = lambda: None

    def wake_by(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def put(self, records: Sequence[SourceRecord]) -> Call | None:
        """A call that waits now; None where there is no room for it, or nobody takes calls any more."""
        with self._lock:
            if not self._open or self._rows + len(records) > self.room:
                return None
            call = Call(next(self._numbers), records)
            self._rows += len(records)
            self._waiting.append(call)
        self._wake()
        return call

    def give_up(self, call: Call) -> None:
        """Its caller waits no more: what nobody has taken yet is dropped; the rest goes its way."""
        with self._lock:
            if call in self._waiting:
                self._waiting.remove(call)
                self._rows -= len(call.records)

    def take(self, limit: int) -> list[SourceRecord]:
        """Rows of the calls that waited longest: whole calls, so a few more than `limit` where one call has so many."""
        taken: list[SourceRecord] = []
        with self._lock:
            while self._waiting and (not taken or len(taken) + len(self._waiting[0].records) <= limit):
                call = self._waiting.popleft()
                self._given |= {record.position: call for record in call.records}
                taken += call.records
        return taken

    def settled(self, rows: Sequence[Settled]) -> None:
        """Rows of calls that came before this process began have nobody waiting."""
        with self._lock:
            pairs = [(call, row) for row in rows if (call := self._given.pop(row.record.position, None)) is not None]
            self._rows -= len(pairs)
        for call, row in pairs:
            call.settle(row)

    def close(self) -> None:
        """Everybody who still waits is sent away."""
        with self._lock:
            self._open = False
            left = [*self._waiting, *self._given.values()]
            self._waiting.clear()
            self._given.clear()
            self._rows = 0
        for call in left:
            call.refuse("The connector was stopped before Kafka had it.")
