"""The plain transactional loop of a client, as one would write it by hand: the measure that others are held against.

    uv run python -P bench/plain_loop.py [--records 20000] [--bootstrap HOST:PORT]

Read an Avro record of 300 bytes, count it in a dictionary, write the count to a changelog and one Avro record to an
output, commit each 500, exactly once, one process, one partition. Three ways on one broker in one run, each measured
three times in turn, the median printed:

- `kafka-python as it comes`: KafkaConsumer, KafkaProducer.send, its own transaction calls, nothing of ours;
- `bus, kafka-python` and `bus, confluent`: the same work through `bus.transaction.Loop`, with all its rules.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import fastavro
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import OffsetAndMetadata, TopicPartition

from bus import connect
from bus.broker import Broker
from bus.ports import Client, Message, Record, Written
from bus.settings import KafkaSettings
from bus.topics import Topic
from bus.transaction import Loop

BATCH = 500
ROUNDS = 3
SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Row",
        "fields": [{"name": "case", "type": "string"}, {"name": "at", "type": "long"}, {"name": "text", "type": "string"}],
    }
)


def encode(row: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, SCHEMA, row)
    return buffer.getvalue()


def decode(data: bytes) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(data), SCHEMA, None)


class Count:
    """The work itself, the same for all: one changelog record and one output for each record read."""

    def __init__(self, changelog: str, output: str) -> None:
        self.changelog, self.output = changelog, output
        self.counts: dict[bytes, int] = {}
        self.done = 0

    def one(self, key: bytes, value: bytes) -> tuple[bytes, bytes]:
        """The new state of the key, and the record to write out."""
        row = decode(value)
        count = self.counts[key] = self.counts.get(key, 0) + 1
        return b"%d" % count, encode(row)

    # bus.ports.Processor

    def assigned(self, partitions: frozenset[int]) -> None:
        """Nothing is kept on disk here."""

    def process(self, records: Sequence[Record]) -> list[Message]:
        messages = []
        for record in records:
            key = record.key or b""
            state, out = self.one(key, record.value or b"")
            messages.append(Message(self.changelog, 0, key, state, record.timestamp))
            messages.append(Message(self.output, 0, key, out, record.timestamp))
        return messages

    def committed(self, written: Sequence[Written]) -> None:
        self.done += len(written) // 2

    def aborted(self) -> None:
        raise RuntimeError("a benchmark with an aborted transaction measures nothing")


class Course:
    """A topic full of records, and places to write to, new for each run."""

    def __init__(self, bootstrap: str, records: int) -> None:
        self.bootstrap, self.records = bootstrap, records
        self.client = connect(KafkaSettings(brokers=bootstrap))
        self.source = self.topics("source")[0]
        producer = self.client.producer("bench-fill")
        for start in range(0, records, 5000):
            producer.begin()
            producer.send(row(self.source, number) for number in range(start, min(start + 5000, records)))
            producer.commit()
        producer.close()

    def topics(self, *names: str) -> list[str]:
        topics = [f"bench.{name}.{time.monotonic_ns()}" for name in names]
        self.client.create([Topic(name, "key", partitions=1) for name in topics])
        return topics

    def through_bus(self, kind: str) -> float:
        client: Client = connect(KafkaSettings(brokers=self.bootstrap, client=kind))
        work = Count(*self.topics("changelog", "output"))
        group = f"bench-{time.monotonic_ns()}"
        loop = Loop(client, group, [self.source], work, group, max_batch=BATCH)
        while not loop.partitions:
            loop.step()
        rate = self.timed(loop.step, lambda: work.done)
        loop.close()
        client.close()
        return rate

    def as_it_comes(self) -> float:
        work = Count(*self.topics("changelog", "output"))
        group = f"bench-{time.monotonic_ns()}"
        consumer = KafkaConsumer(
            self.source,
            bootstrap_servers=self.bootstrap,
            group_id=group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=group)
        producer.init_transactions()
        while not consumer.assignment():
            consumer.poll(timeout_ms=100, max_records=1)
        consumer.seek_to_beginning()
        rate = self.timed(lambda: by_hand(consumer, producer, work), lambda: work.done)
        consumer.close()
        producer.close()
        return rate

    def timed(self, step: Callable[[], object], done: Callable[[], int]) -> float:
        started = time.perf_counter()
        while done() < self.records:
            step()
        return self.records / (time.perf_counter() - started)


def row(topic: str, number: int) -> Message:
    key = b"cn.cq:500103-2026-%06d" % (number % 1000)
    text = {"case": key.decode(), "at": 1_767_225_600_000_000 + number, "text": "x" * 262}
    return Message(topic, 0, key, encode(text), 1_767_225_600_000)


def by_hand(consumer: Any, producer: Any, work: Count) -> None:
    fetched = consumer.poll(timeout_ms=5000, max_records=BATCH)
    if not fetched:
        return
    membership = consumer.group_metadata()
    producer.begin_transaction()
    futures = []
    for records in fetched.values():
        for record in records:
            state, out = work.one(record.key, record.value)
            futures.append(producer.send(work.changelog, state, record.key, partition=0))
            futures.append(producer.send(work.output, out, record.key, partition=0))
    producer.flush()
    for future in futures:
        future.get()
    offsets = {
        TopicPartition(place.topic, place.partition): OffsetAndMetadata(records[-1].offset + 1, "", -1)
        for place, records in fetched.items()
    }
    producer.send_offsets_to_transaction(offsets, membership)
    producer.commit_transaction()
    work.done += len(futures) // 2


def measure(bootstrap: str, records: int) -> dict[str, float]:
    course = Course(bootstrap, records)
    ways: dict[str, Callable[[], float]] = {
        "kafka-python as it comes": course.as_it_comes,
        "bus, kafka-python": lambda: course.through_bus("kafka-python"),
        "bus, confluent": lambda: course.through_bus("confluent"),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, run in ways.items():
            rates[name].append(run())
    course.client.close()
    return {name: statistics.median(found) for name, found in rates.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--bootstrap", help="a broker that runs; without it one is started")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        bootstrap = options.bootstrap
        if not bootstrap:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            bootstrap = stack.enter_context(Broker(folder)).bootstrap
        rates = measure(bootstrap, options.records)
    if options.json:
        print(json.dumps(rates))
    else:
        for name, rate in rates.items():
            print(f"{name:28} {rate:10,.0f} records/s")


if __name__ == "__main__":
    main()
