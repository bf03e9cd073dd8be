"""What the doctor asks of a real Kafka: mistakes planted in one of its own, each found with its cure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import ConfigResource, KafkaAdminClient

from bus import connect, node
from bus.addresses import free_ports
from bus.broker import new_id
from bus.cluster import Cluster, Ports
from bus.jars import fetch
from bus.java import java
from bus.node import Node
from bus.ports import Message
from bus.settings import KafkaSettings
from bus.topics import EVENTS, standard

pytestmark = pytest.mark.broker


def started(folder: Path, **changed: str) -> Node:
    """A broker with these settings on top of ours. `{port}` in a value is its port."""
    cluster = Cluster(new_id(), (Ports(*free_ports(2)),))
    plain = node.properties
    changes = {name.replace("_", "."): value.format(port=cluster.ports[0].client) for name, value in changed.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node, "properties", lambda number, cluster: plain(number, cluster) | changes)
        running = Node(folder, 1, cluster, java(fetch()))
        running.prepare()
        running.launch()
    running.ready()
    return running


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker with limits below ours, whose topics stand but for two mistakes, and an event that lies astray."""
    limits = {"transaction_max_timeout_ms": "7000", "group_min_session_timeout_ms": "10000"}
    running = started(tmp_path_factory.mktemp("mistaken"), **limits)
    try:
        address = running.cluster.bootstrap
        settings = KafkaSettings(brokers=address, partitions=2, transaction_timeout_ms=6500, session_timeout_ms=6000)
        client = connect(settings)
        client.create(standard(2))
        producer = client.producer("another-program")
        producer.begin()
        producer.send([Message(EVENTS.name, number, b"case:1", astray(), 0) for number in (0, 1)])
        producer.commit()
        producer.close()
        client.close()
        mistake(address)
        yield address
    finally:
        running.stop()


def astray() -> bytes:
    import monitor_world

    return monitor_world.event("Applied", 1, "case:1").raw


def mistake(address: str) -> None:
    """As an administrator would who means well."""
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.alter_configs([ConfigResource("TOPIC", "case.journal", {"retention.ms": "604800000"})])
    admin.close()


def found(casebus: Any, folder: Path, brokers: str, more: str = "") -> dict[str, dict[str, str]]:
    """What `casebus doctor` says of a deployment on these brokers, by what it looked at."""
    folder.mkdir(exist_ok=True)
    text = f"name: town\nkafka: {{brokers: '{brokers}', partitions: 2{more}}}\n"
    (folder / "casebus.yaml").write_text(text, "utf-8")
    for part in ("directory", "catalogue", "connectors"):
        (folder / part).mkdir(exist_ok=True)
    ended = casebus("doctor", folder, "--json")
    assert ended.code == 2, ended.err
    return {one["what"]: one for one in json.loads(ended.out)["findings"]}


def test_mistakes_in_a_real_kafka_are_found(mistaken: str, casebus: Any, tmp_path: Path) -> None:
    """Retention, time-outs, another partitioner; what is well is told as well."""
    said = found(casebus, tmp_path, mistaken, ", transaction_timeout_ms: 8000, session_timeout_ms: 6000")
    assert "case.journal: retention.ms is 604800000 instead of -1" in said["what topics keep"]["found"]
    assert "--entity-name case.journal --add-config retention.ms=-1" in said["what topics keep"]["cure"]
    assert "transaction.max.timeout.ms is 7,000" in said["brokers' limits"]["found"]
    assert "group.min.session.timeout.ms is 10,000" in said["brokers' limits"]["found"]
    assert said["copies of topics"]["found"] == "1 of each at least, on 1 broker"
    assert said["addresses that brokers tell"]["found"] == mistaken


def test_events_of_another_partitioner_are_found(mistaken: str, casebus: Any, tmp_path: Path) -> None:
    """One of the two lies right."""
    said = found(casebus, tmp_path, mistaken, ", transaction_timeout_ms: 6500")
    assert "1 of hall, of the last 2" in said["places of events"]["found"]
    assert "murmur2" in said["places of events"]["cure"]
    assert said["clocks"]["cure"] == ""


def test_a_broker_that_sends_its_clients_elsewhere_is_found(casebus: Any, tmp_path: Path) -> None:
    """Reached by its address, it calls itself by one that nobody answers at: the client would only time out."""
    running = started(tmp_path / "kafka", advertised_listeners="PLAINTEXT://kafka.invalid:{port}")
    try:
        said = found(casebus, tmp_path / "town", running.cluster.bootstrap)
    finally:
        running.stop()
    assert "broker 1 calls itself kafka.invalid" in said["addresses that brokers tell"]["found"]
    assert "advertised.listeners" in said["addresses that brokers tell"]["cure"]


def test_nobody_at_the_address_is_found(casebus: Any, tmp_path: Path) -> None:
    """At once: no client is asked."""
    said = found(casebus, tmp_path, f"127.0.0.1:{free_ports(1)[0]}")
    assert "nobody listens there" in said["brokers' addresses"]["found"]
