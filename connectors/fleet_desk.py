"""Where people order connectors about and see how they stand: by the command line and by the page, through Kafka alone.

Whoever asks talks to no worker: orders are records that the owner of the connector reads, now or when there is one, and
standings are records that he wrote. So it works from anywhere, with any number of workers and with none.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

from bus.errors import ConfigurationError
from bus.ports import Client
from connectors import fleet_orders
from connectors.fleet_orders import Word
from connectors.fleet_status import Board, Standing
from connectors.positions import Ledger, Progress


def wall() -> int:
    """Microseconds UTC."""
    return time.time_ns() // 1000


class Desk:
    """One for each process; may be used from several threads. All of it raises RetryError where Kafka does not answer."""

    def __init__(self, client: Client, now: Callable[[], int] = wall) -> None:
        self._client = client
        self._now = now
        self._board = Board(client)
        self._ledger = Ledger(client)
        self._lock = threading.Lock()

    def standings(self) -> list[Standing]:
        with self._lock:
            return self._board.look(self._now())

    def workers(self) -> dict[str, int]:
        """Those heard of lately, each with how many connectors it has."""
        with self._lock:
            self._board.look(self._now())
            return self._board.workers(self._now())

    def standing(self, name: str) -> Standing | None:
        return next((one for one in self.standings() if one.name == name), None)

    def position(self, name: str) -> Progress:
        return self._ledger.fresh(name)

    def check(self, name: str, known: list[str] | None = None) -> None:
        """Raises ConfigurationError for a connector that no worker ever told of and no file names."""
        names = [*(known or ()), *(one.name for one in self.standings())]
        if name not in names:
            raise ConfigurationError(f"There is no connector {name}. Name one of: {', '.join(sorted(set(names))) or 'none'}.")

    def pause(self, name: str, by: str) -> None:
        """It stops after its batch, wherever it is, until it is resumed; a restart of its worker changes nothing."""
        self._order(name, Word.PAUSE, self._signed(by))

    def resume(self, name: str) -> None:
        self._order(name, Word.PAUSE, None)

    def restart(self, name: str, by: str) -> None:
        """Everything of it anew, failures forgotten."""
        self._order(name, Word.RESTART, {"id": _id()} | self._signed(by))

    def rewind(self, name: str, to: str | None, by: str) -> str:
        """Go to a position (None: the beginning), once; returns the order's id, which the position bears when it is done."""
        order = _id()
        self._order(name, Word.REWIND, {"id": order, "to": to} | self._signed(by))
        return order

    def _signed(self, by: str) -> dict[str, Any]:
        """Who wanted it, for whoever looks into the topic."""
        return {"by": by, "at": self._now()}

    def _order(self, name: str, word: Word, value: dict[str, Any] | None) -> None:
        with closing(self._client.producer(f"connector-orders-{name}")) as producer:
            producer.begin()
            producer.send([fleet_orders.message(name, word, value, self._now() // 1000)])
            producer.commit()


def _id() -> str:
    return uuid.uuid4().hex[:12]
