"""What people want of a connector, as records: to pause, to begin anew, to go back. The workers read them, nobody is called.

An order is a record in `connector.control` with the key `connector/word`; of each word the last one counts. The connector's
name alone says the partition, so that whoever has the partition has the connector and everything wanted of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from bus.partition import partition_of
from bus.ports import Client, Message, Partition, Record
from bus.topics import CONTROL


class Word(StrEnum):
    """What an order is about; orders about the same replace each other."""

    PAUSE = "pause"
    RESTART = "restart"
    REWIND = "rewind"


class Rewind(NamedTuple):
    """Go to a position (None: the beginning), once for each `id`."""

    id: str
    to: str | None


class Orders(NamedTuple):
    """What is wanted of one connector. `restart` changes with each wish to begin anew."""

    paused: bool = False
    restart: str = ""
    rewind: Rewind | None = None


NONE = Orders()


class Book:
    """The orders that stand, by connector; records may be told again and in pieces, but of one key never out of order."""

    def __init__(self) -> None:
        self._orders: dict[str, Orders] = {}
        self._read: dict[tuple[str, str], int] = {}

    def of(self, name: str) -> Orders:
        return self._orders.get(name, NONE)

    def take(self, records: Iterable[Record]) -> None:
        for record in records:
            name, _, word = (record.key or b"").decode().rpartition("/")
            if word in set(Word) and record.offset > self._read.get((name, word), -1):
                self._read[name, word] = record.offset
                self._orders[name] = _with(self.of(name), Word(word), json.loads(record.value) if record.value else None)


def _with(orders: Orders, word: Word, value: dict[str, Any] | None) -> Orders:
    """These orders and one more; None takes its word back."""
    if word is Word.PAUSE:
        return orders._replace(paused=value is not None)
    if word is Word.RESTART:
        return orders._replace(restart=str(value["id"]) if value else "")
    return orders._replace(rewind=Rewind(value["id"], value["to"]) if value else None)


def partition(name: str) -> int:
    """The control partition, and so the worker, of a connector."""
    return partition_of(name.encode(), CONTROL.partitions or 1)


def message(name: str, word: Word, value: dict[str, Any] | None, stamp: int) -> Message:
    """One order; None takes it back. `stamp` is milliseconds."""
    body = None if value is None else json.dumps(value, ensure_ascii=False).encode()
    return Message(CONTROL.name, partition(name), f"{name}/{word}".encode(), body, stamp)


def read(client: Client, numbers: Iterable[int]) -> list[Record]:
    """Everything wanted so far in these partitions. Raises RetryError."""
    places = {Partition(CONTROL.name, number): 0 for number in numbers}
    return [record for batch in client.read(places) for record in batch] if places else []


def everything(client: Client) -> Book:
    """All orders that stand. Raises RetryError."""
    book = Book()
    book.take(read(client, range(CONTROL.partitions or 1)))
    return book
