"""Deliveries as records of a topic: exactly once in our own Kafka, at least once on a cluster of the department's."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from connector_world import CSV, NOW, connector

from bus import topics
from bus.errors import ConfigurationError
from bus.memory import Cluster
from bus.ports import Client, Message
from bus.settings import KafkaSettings
from bus.topics import Topic
from connectors import outlets
from connectors.deliver import Deliveries, Pauses
from connectors.receivers import receivers
from schemas.codec import default

ORDER: dict[str, Any] = {
    "delivery_id": "d1",
    "case": "case:C1",
    "sequence": 1,
    "rule": "hand_up",
    "to": "water@1",
    "hand_over": None,
    "kind": "handed_up",
    "decided_at": NOW,
    "summary": {"名": "王"},
}
TOPIC = Topic("water.inbox", "case", partitions=3)


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.create([*topics.standard(2), TOPIC])
    made.publish([Message(topics.DELIVERIES.name, 0, b"water@1", default().encode_record("Delivery", ORDER), 0)])
    return made


def run(cluster: Cluster, folder: Path, target: str, own: Client | None) -> None:
    found = receivers([connector(folder, f"{CSV}deliver: {{to: '*', kind: kafka, target: {target}}}\n")], own)
    Deliveries(found, cluster, default(), "deliver", Pauses(0, 0)).run_to_end(threading.Event())


def test_in_our_own_kafka_it_stands_exactly_once(cluster: Cluster, tmp_path: Path) -> None:
    """Whether a commit was refused or its answer was lost: the record is part of the delivery's transaction."""
    cluster.fail_next_commit()
    cluster.fail_after_commit()
    for _ in range(2):
        run(cluster, tmp_path, "{topic: water.inbox}", cluster)
    (record,) = cluster.records("water.inbox")
    assert (record.key, json.loads(record.value or b""), dict(record.headers)["delivery_id"]) == (b"case:C1", ORDER, b"d1")


def test_on_another_cluster_it_is_committed_there(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its failure is a failed attempt like any other, and the next one brings it."""
    foreign, asked = Cluster(), []
    foreign.create([TOPIC])
    foreign.fail_next_commit()

    def connect(settings: KafkaSettings) -> Cluster:
        asked.append(settings.bootstrap)
        return foreign

    monkeypatch.setattr(outlets, "connect", connect)
    run(cluster, tmp_path, "{topic: water.inbox, cluster: {brokers: 'water:9092'}}", None)
    assert [dict(record.headers)["delivery_id"] for record in foreign.records("water.inbox")] == [b"d1"]
    assert (asked, cluster.records("water.inbox")) == (["water:9092"], [])


def test_without_the_deployments_kafka_nothing_is_written(tmp_path: Path) -> None:
    """The settings are in order, but nobody has opened it."""
    (found,) = receivers([connector(tmp_path, f"{CSV}deliver: {{to: '*', kind: kafka, target: {{topic: water.inbox}}}}\n")])
    with pytest.raises(ConfigurationError, match="is not open here"):
        found.target.deliver(ORDER)
