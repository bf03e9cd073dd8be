"""Connectors on a real Kafka, by both clients: calls answered after the commit, topics read, deliveries that wait."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import live_connectors
import pytest
from live_connectors import MAPPING, NAMES, keys, ran, send

from bus import topics
from bus.broker import Broker
from bus.errors import ConfigurationError, RetryError
from bus.partition import partition_of
from bus.ports import Client, Message, Partition
from bus.topics import Topic
from casebus.wiring import Wall
from connectors import waiting
from connectors.config import Connector, read
from connectors.deliver import Deliveries, Pauses, Receiver
from connectors.runner import Runner
from connectors.source import Receipt
from connectors.web import gate as gates
from schemas.codec import default

pytestmark = pytest.mark.broker

TOKEN = "a-token-for-the-broker-tests"


@pytest.fixture(params=["kafka-python", "confluent"])
def client(request: pytest.FixtureRequest, broker: Broker) -> Iterator[Client]:
    with live_connectors.client(broker.bootstrap, request.param) as made:
        yield made


def connector(folder: Path, source: str) -> Connector:
    """One that no other test has: positions are kept by its name."""
    path = folder / "connectors" / f"dep{next(NAMES)}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{source}\n{MAPPING}", "utf-8")
    return read(path)


def row(number: int) -> dict[str, str]:
    return {"id": str(number), "case_no": f"C{number}", "at": "2025-06-01 09:00:00"}


def put(client: Client, topic: str, *values: Any, partition: int = 0) -> None:
    send(client, topic, *(json.dumps(value).encode() for value in values), partition=partition)


def test_a_call_is_answered_when_kafka_has_it(client: Client, tmp_path: Path) -> None:
    """What a caller was promised is there for every reader, once, however many called at the same time."""
    found = connector(tmp_path, f"kind: http\nsource: {{listen: '127.0.0.1:0', token: {TOKEN}, calls_a_second: 10000}}")
    runner, wake, stop = Runner(found, client, default(), Wall()), threading.Event(), threading.Event()
    runner.wake = wake.set
    runner.run_once()

    def work() -> None:
        while not stop.is_set():
            wake.wait(1)
            wake.clear()
            runner.run_once()

    thread = threading.Thread(target=work)
    thread.start()
    port = gates.gate("127.0.0.1", 0, None).port
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as caller:

        def call(number: int) -> int:
            return caller.post(f"/in/{found.name}", json=row(number), timeout=30).status_code

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(call, range(64)))
    stop.set()
    wake.set()
    thread.join()
    runner.close()
    assert set(answers) == {200}
    assert keys(client, found.name) == sorted(str(number) for number in range(64))


def test_a_topic_is_read_once_and_one_made_again_is_told(client: Client, tmp_path: Path, broker: Broker) -> None:
    """Positions are ours: no group of the topic's cluster is asked."""
    from kafka.admin import KafkaAdminClient

    topic = f"approval.ingress.t{next(NAMES)}"
    client.create([Topic(topic, "row", partitions=2)])
    found = connector(tmp_path, f"kind: kafka\nsource: {{topic: {topic}}}")
    put(client, topic, row(1), row(2))
    ran(client, found)
    put(client, topic, row(3), partition=1)
    ran(client, found)
    assert keys(client, found.name) == ["1", "2", "3"]
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.delete_topics([topic])
    admin.close()
    until(lambda: _created(client, topic))
    put(client, topic, row(9))
    with pytest.raises(ConfigurationError, match="was made again"):
        ran(client, found)


def _created(client: Client, topic: str) -> bool:
    try:
        client.create([Topic(topic, "row", partitions=2)])
        return client.ends([topic]) == {Partition(topic, 0): 0, Partition(topic, 1): 0}
    except (RetryError, ConfigurationError):
        return False


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Department:
    """Is away at first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.got: list[str] = []

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        if self.failures:
            self.failures -= 1
            raise RetryError("The line is down.")
        self.got.append(delivery["delivery_id"])
        return Receipt("here", False)


def test_a_delivery_that_waits_comes_at_its_time_though_nothing_else_comes(client: Client) -> None:
    """Nothing is polled then, and yet it is one transaction; written are its wait and its end, no more."""
    to, name = f"water@{next(NAMES)}", f"d{next(NAMES)}"
    value = {"delivery_id": name, "case": "case:C", "sequence": 1, "rule": "r", "to": to, "hand_over": None, "kind": "k"}
    whole = default().encode_record("Delivery", {**value, "decided_at": 0, "summary": {}})
    number = partition_of(to.encode(), 2)
    producer = client.producer(f"test-{next(NAMES)}")
    producer.begin()
    producer.send([Message(topics.DELIVERIES.name, number, to.encode(), whole, time.time_ns() // 1_000_000)])
    producer.commit()
    producer.close()
    department, others = Department(failures=1), Department(failures=0)
    found = [Receiver("water", [to], department, 5), Receiver("others", ["*"], others, 5)]
    stop = threading.Event()
    service = Deliveries(found, client, default(), f"test-{next(NAMES)}", Pauses(1.0, 1.0))
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        until(lambda: department.got)
        until(lambda: name not in waiting.read(client, default()))
    finally:
        stop.set()
        thread.join()
    assert department.got == [name]
    places = dict.fromkeys(client.ends([topics.RETRIES.name]), 0)
    written = [one.value is None for batch in client.read(places) for one in batch if one.key == name.encode()]
    assert written == [False, True]
