"""Write in a transaction, read what is committed: what any Kafka must do.

By librdkafka, which is not what is tested here and, unlike kafka-python, does not hang where a node is gone.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from bus import jars


def copy_jars(cache: Path) -> None:
    """Fill another `XDG_CACHE_HOME` with the jars of this one: a warm cache of a test's own."""
    for jar, source in zip(jars.locked(), jars.fetch(), strict=True):
        copy = cache / "casebus" / "jars" / jar.path
        copy.parent.mkdir(parents=True)
        try:
            os.link(source, copy)
        except OSError:  # another file system
            shutil.copy(source, copy)


def write(bootstrap: str, *values: bytes, replicas: int = 1) -> None:
    """One transaction with these values on partition 0 of topic `t`."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    if "t" not in admin.list_topics(timeout=20).topics:
        admin.create_topics([NewTopic("t", 1, replicas)])["t"].result(20)
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "writer", "log_level": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    for value in values:
        producer.produce("t", value, partition=0)
    producer.commit_transaction(30)


def read(bootstrap: str, count: int) -> list[bytes]:
    """The first `count` committed values of partition 0 of topic `t`, within 20 seconds."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False, "log_level": 0})
    consumer.assign([TopicPartition("t", 0, 0)])
    found: list[bytes] = []
    deadline = time.monotonic() + 20
    while len(found) < count and time.monotonic() < deadline:
        found += [message.value() for message in consumer.consume(count - len(found), 0.5) if not message.error()]
    consumer.close()
    return found
