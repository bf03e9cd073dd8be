"""Which connectors are this worker's: Kafka's group protocol shares the partitions of the control topic, and they the names.

A connector belongs to the partition of its name's hash, whatever the other connectors are called, so that none moves when
another is added. Where a worker dies, its session ends after 6 s and the others get its partitions. For a moment two can have
the same connector (Kafka gives partitions away before the old owner hears of it): the transactional id keeps that harmless.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from bus.errors import RetryError
from bus.ports import Client, Consumer, Partition, Record
from bus.topics import CONTROL
from connectors import fleet_orders
from connectors.fleet_orders import Book


class Share(Protocol):
    """This worker's part of the connectors, and what is wanted of them."""

    @property
    def book(self) -> Book: ...
    def step(self, timeout: float) -> bool:
        """Hear what is new, waiting `timeout` seconds at most; True when the part is another one. Raises RetryError."""
        ...

    @property
    def joined(self) -> bool:
        """Whether it has a part: without one it has nothing to do."""
        ...

    def has(self, name: str) -> bool: ...
    def close(self) -> None: ...


class Grouped:
    """A member of a group of workers."""

    def __init__(self, client: Client, group: str) -> None:
        self.book = Book()
        self._client = client
        self._group = group
        self._consumer: Consumer | None = None
        self._numbers: frozenset[int] = frozenset()

    def step(self, timeout: float) -> bool:
        """After an error it has no part any more, until it has joined again."""
        try:
            return self._step(timeout)
        except RetryError:
            self.close()
            raise

    @property
    def joined(self) -> bool:
        return bool(self._numbers)

    def has(self, name: str) -> bool:
        return fleet_orders.partition(name) in self._numbers

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        consumer, self._consumer, self._numbers = self._consumer, None, frozenset()
        if consumer is not None:
            consumer.close()

    def _step(self, timeout: float) -> bool:
        first = self._consumer is None
        consumer = self._consumer = self._consumer or self._client.consumer(self._group, [CONTROL.name])
        records = consumer.poll(timeout)
        if consumer.rebalanced():
            self._join(consumer)
            return True
        self.book.take(records)
        return first

    def _join(self, consumer: Consumer) -> None:
        """Whatever is wanted of the new ones is known before they begin: a paused one must not read a single row."""
        consumer.rewind()
        numbers = frozenset(place.number for place in consumer.assignment())
        self.book.take(fleet_orders.read(self._client, sorted(numbers - self._numbers)))
        self._numbers = numbers


class Alone:
    """These connectors and no others, without a group: for one who wants to have them here."""

    def __init__(self, client: Client, names: frozenset[str]) -> None:
        self.book = Book()
        self._client = client
        self._names = names
        self._news: Iterator[list[Record]] | None = None

    def step(self, timeout: float) -> bool:
        if self._news is None:
            numbers = range(CONTROL.partitions or 1)
            self.book.take(fleet_orders.read(self._client, numbers))
            places = {Partition(CONTROL.name, number): 0 for number in numbers}
            self._news = self._client.read(places, until_end=False, timeout=timeout)
            return True
        try:
            self.book.take(next(self._news))
        except RetryError:
            self.close()
            raise
        return False

    @property
    def joined(self) -> bool:
        return self._news is not None

    def has(self, name: str) -> bool:
        return name in self._names

    def close(self) -> None:
        self._news = None
