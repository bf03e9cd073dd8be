"""One suite over the double in memory and both clients on a real broker."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bus import connect
from bus.memory import Cluster
from bus.ports import Client, Consumer, Message, Producer, Record
from bus.settings import KafkaSettings
from bus.topics import Topic

SESSION, TRANSACTION = 1.5, 3.0  # seconds; short, because tests wait for them

_names = itertools.count(int(time.time() * 1000))


class Bus:
    """A client and what a test does around it. Every topic, group and id is new."""

    def __init__(self, client: Client, kind: str) -> None:
        self.client = client
        self.kind = kind
        self._closing: list[Producer | Consumer] = []

    def topic(self, partitions: int = 1, *, compacted: bool = False) -> str:
        name = f"contract.t{next(_names)}"
        self.client.create([Topic(name, "key", partitions=partitions, compacted=compacted)])
        return name

    def name(self) -> str:
        return f"contract-{next(_names)}"

    def producer(self, transactional_id: str | None = None) -> Producer:
        producer = self.client.producer(transactional_id or self.name())
        self._closing.append(producer)
        return producer

    def consumer(self, group: str, *topics: str) -> Consumer:
        consumer = self.client.consumer(group, topics)
        self._closing.append(consumer)
        return consumer

    def member(self, group: str, *topics: str) -> Consumer:
        """A consumer that has joined and stands at what is committed."""
        consumer = self.consumer(group, *topics)
        self.settle(consumer)
        return consumer

    def settle(self, *consumers: Consumer) -> None:
        """Poll until each has part of the assignment and nothing changes any more, each in a thread as in real life."""
        if self.kind == "memory":
            for consumer in consumers:
                consumer.poll(0)
        else:
            self._settle(consumers)
        for consumer in consumers:
            consumer.rebalanced()
            consumer.rewind()

    def _settle(self, consumers: tuple[Consumer, ...]) -> None:
        with ThreadPoolExecutor(len(consumers)) as pool:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                list(pool.map(lambda consumer: consumer.poll(0.3), consumers))
                assigned = [consumer.assignment() for consumer in consumers]
                if all(assigned) and len(frozenset().union(*assigned)) == sum(map(len, assigned)):
                    return
        raise AssertionError(f"the group did not settle: {assigned}")

    def put(self, *messages: Message) -> None:
        producer = self.producer()
        producer.begin()
        producer.send(messages)
        producer.commit()

    def take(self, consumer: Consumer, count: int) -> list[Record]:
        """Poll until so many records have come."""
        records: list[Record] = []
        deadline = time.monotonic() + 20
        while len(records) < count and time.monotonic() < deadline:
            records += consumer.poll(1)
        return records

    def read(self, topic: str, partitions: int = 1) -> list[Record]:
        from bus.ports import Partition

        starts = {Partition(topic, number): 0 for number in range(partitions)}
        return [record for batch in self.client.read(starts) for record in batch]

    def values(self, topic: str, partitions: int = 1) -> list[bytes | None]:
        return [record.value for record in self.read(topic, partitions)]

    def let_transactions_expire(self) -> None:
        if isinstance(self.client, Cluster):
            self.client.clock.advance(seconds=TRANSACTION + 1)
        else:
            time.sleep(TRANSACTION + 2.5)  # the coordinator looks once a second

    def close(self) -> None:
        for one in self._closing:
            one.close()
        self.client.close()


@pytest.fixture(
    params=[
        "memory",
        pytest.param("kafka-python", marks=pytest.mark.broker),
        pytest.param("confluent", marks=pytest.mark.broker),
    ]
)
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    kind = request.param
    if kind == "memory":
        client: Client = Cluster(transaction_timeout=TRANSACTION)
    else:
        address = request.getfixturevalue("broker").bootstrap
        times = {"session_timeout_ms": int(SESSION * 1000), "transaction_timeout_ms": int(TRANSACTION * 1000)}
        client = connect(KafkaSettings(brokers=address, client=kind, **times))
    bus = Bus(client, kind)
    yield bus
    bus.close()
