"""Connectors on a real Kafka: clients of it, topics that somebody fills, and what came of it on the bus."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from bus import connect, topics
from bus.ports import Client, Message
from bus.settings import KafkaSettings
from casebus.wiring import Wall
from connectors.config import Connector
from connectors.runner import Runner
from schemas.codec import default

#: Positions are kept by a connector's name: each gets one that no other test has.
NAMES = itertools.count(int(time.time() * 1000))

#: A table of steps: `id`, `case_no`, `at`.
MAPPING = """
zone: Asia/Shanghai
columns: {id: {required: true}, case_no: {required: true}, at: {type: time, required: true}}
key: id
case: case_no
header: {occurred_at: at}
events: [{type: Accepted}]
"""


@contextmanager
def client(bootstrap: str, library: str = "kafka-python") -> Iterator[Client]:
    """A client of this Kafka, on which every topic of a deployment is."""
    settings = KafkaSettings.model_validate({"brokers": bootstrap, "client": library, "partitions": 2})
    with closing(connect(settings)) as made:
        made.create(topics.standard(2))
        yield made


def send(client: Client, topic: str, *values: bytes, partition: int = 0) -> None:
    """In one transaction, stamped with this machine's time."""
    with closing(client.producer(f"test-{next(NAMES)}")) as producer:
        producer.begin()
        producer.send(Message(topic, partition, None, value, time.time_ns() // 1_000_000) for value in values)
        producer.commit()


def ran(client: Client, found: Connector) -> None:
    """One pass of a connector."""
    with closing(Runner(found, client, default(), Wall())) as runner:
        runner.run_once()


def keys(client: Client, system: str) -> list[str]:
    """The rows of a system that are on the bus, each as often as it is there."""
    places = dict.fromkeys(client.ends([topics.EVENTS.name]), 0)
    events = [default().decode(one.value or b"") for batch in client.read(places) for one in batch]
    return sorted(one.header["source"]["key"] for one in events if one.header["source"]["system"] == system)
