"""How each connector stands, reported into a topic: the command line and the page read it without asking any worker.

Two kinds of records: of a connector (key: its name) whenever something about it has changed, and of a worker (key: `/` and
its id) every few seconds, with the time of each connector's last pass. Who has a connector is the worker that passed it last
and is still heard of; where there is none, nobody tends it.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import structlog

from bus.errors import BusError
from bus.ports import Client, Message, Partition, Producer
from bus.topics import STATUS

log = structlog.get_logger(__name__)
SECOND = 1_000_000
BEAT = 5 * SECOND  # between two reports of a worker, in microseconds
SILENT = 20 * SECOND  # a worker not heard of for so long is gone
FORGOTTEN = 86_400 * SECOND  # reports of workers that went without a word are removed
ALL_AGAIN = 12  # beats after which everything is reported again, should a report of a former owner have come late
_PLACE = Partition(STATUS.name, 0)


class State(StrEnum):
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    #: Waiting helps: it is tried again at `due`.
    RESTARTING = "RESTARTING"
    #: Somebody must act; it is tried again all the same, at `due` or when its file changes.
    FAILED = "FAILED"
    #: No worker has it.
    UNATTENDED = "UNATTENDED"


class Standing(NamedTuple):
    """One connector. Times are microseconds UTC; `rows`, `events` and `letters` count since the beginning."""

    name: str
    state: State
    kind: str = ""
    about: str = ""
    file: str = ""
    worker: str = ""
    since: int = 0
    passed: int = 0
    position: str | None = None
    rows: int = 0
    events: int = 0
    letters: int = 0
    error: str = ""
    due: int = 0
    #: What is wrong with its file, while the former contents of it run on.
    file_error: str = ""

    def same(self, other: Standing | None) -> bool:
        """Nothing but the times differs."""
        return other is not None and self._replace(since=0, passed=0) == other._replace(since=0, passed=0)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Standing:
        """From a record, though another version of this program wrote it."""
        known = {name: value[name] for name in cls._fields if name in value}
        return cls(**known | {"state": State(value["state"])})


class Reporter:
    """Collects what the connectors of one worker tell, from any thread, and writes it down now and then from one."""

    def __init__(self, client: Client, worker: str) -> None:
        self.worker = worker
        self._client = client
        self._producer: Producer | None = None
        self._lock = threading.Lock()
        self._told: dict[str, Standing] = {}
        self._news: dict[str, Standing | None] = {}
        self._passes: dict[str, int] = {}
        self._beats = 0
        self._beat_at = 0

    def tell(self, standing: Standing) -> None:
        """This is how it stands now; `since` is filled in here."""
        with self._lock:
            self._passes[standing.name] = standing.passed
            before = self._told.get(standing.name)
            if not standing.same(before):
                kept = before.since if before is not None and before.state is standing.state else standing.passed
                self._told[standing.name] = standing._replace(worker=self.worker, since=kept)
                self._news[standing.name] = self._told[standing.name]

    def forget(self, name: str) -> None:
        """Another worker tells of it from now on."""
        with self._lock:
            for held in (self._told, self._news, self._passes):
                held.pop(name, None)

    def remove(self, name: str) -> None:
        """There is no such connector any more."""
        self.forget(name)
        with self._lock:
            self._news[name] = None

    def states(self) -> Counter[State]:
        """How many connectors of this worker are in each state."""
        with self._lock:
            return Counter(one.state for one in self._told.values())

    def flush(self, now: int) -> int:
        """Write what is new; returns how many records. What cannot be written is kept for the next time."""
        with self._lock:
            news, self._news = self._news, {}
            messages = [_message(name, None if one is None else one._asdict(), now) for name, one in news.items()]
            beating = now - self._beat_at >= BEAT
            if beating:
                messages.append(_message(f"/{self.worker}", {"at": now, "passes": dict(self._passes)}, now))
        if messages and not self._written(messages):
            with self._lock:
                self._news = news | self._news
            return 0
        if beating:
            self._count(now)
        return len(messages)

    def close(self, now: int) -> None:
        """Say that this worker has ended."""
        self._written([_message(f"/{self.worker}", None, now)])
        if self._producer is not None:
            self._producer.close()

    def _count(self, now: int) -> None:
        self._beat_at, self._beats = now, self._beats + 1
        if self._beats == 1:
            self._written([_message(f"/{name}", None, now) for name in _lost(self._client, now)])
        if self._beats % ALL_AGAIN == 0:
            with self._lock:
                self._news = {**self._told, **self._news}

    def _written(self, messages: list[Message]) -> bool:
        if not messages:
            return True
        try:
            self._producer = self._producer or self._client.producer(f"connect-status-{self.worker}")
            self._producer.begin()
            self._producer.send(messages)
            self._producer.commit()
        except BusError as error:
            log.warning("status not reported", reason=str(error))
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(BusError):
                producer.abort()
            producer.close()


def _message(key: str, value: Mapping[str, Any] | None, now: int) -> Message:
    body = None if value is None else json.dumps(value, ensure_ascii=False).encode()
    return Message(*_PLACE, key.encode(), body, now // 1000)


class Board:
    """What all workers reported, read on from where the last look ended."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._next = 0
        self._standings: dict[str, Standing] = {}
        self._workers: dict[str, dict[str, Any]] = {}

    def look(self, now: int) -> list[Standing]:
        """Every connector, by name. Raises RetryError."""
        for batch in self._client.read({_PLACE: self._next}):
            for record in batch:
                self._next = record.offset + 1
                self._take((record.key or b"").decode(), json.loads(record.value) if record.value else None)
        alive = {name: said for name, said in self._workers.items() if now - said["at"] < SILENT}
        return [_as_tended(self._standings[name], alive) for name in sorted(self._standings)]

    def workers(self, now: int) -> dict[str, int]:
        """The workers heard of lately, each with how many connectors it has, as of the last look."""
        return {name: len(said["passes"]) for name, said in self._workers.items() if now - said["at"] < SILENT}

    def lost(self, now: int) -> list[str]:
        return [name for name, said in self._workers.items() if now - said["at"] > FORGOTTEN]

    def _take(self, key: str, value: dict[str, Any] | None) -> None:
        held: dict[str, Any] = self._workers if key.startswith("/") else self._standings
        name = key.removeprefix("/")
        if value is None:
            held.pop(name, None)
        else:
            held[name] = value if key.startswith("/") else Standing.of(value)


def _as_tended(standing: Standing, alive: Mapping[str, dict[str, Any]]) -> Standing:
    """With its last pass, and whoever made it."""
    passes = [(said["passes"][standing.name], name) for name, said in alive.items() if standing.name in said["passes"]]
    if not passes:
        return standing._replace(state=State.UNATTENDED, worker="", due=0)
    passed, worker = max(passes)
    return standing._replace(passed=max(passed, standing.passed), worker=worker)


def _lost(client: Client, now: int) -> list[str]:
    board = Board(client)
    try:
        board.look(now)
    except BusError:
        return []
    return board.lost(now)
