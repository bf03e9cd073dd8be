"""Many threads ask one admin client, which refuses whoever asks while it connects."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import NodeNotReadyError
from kafka.structs import TopicPartition

from bus import kafka
from bus.errors import ConfigurationError
from bus.ports import Partition
from bus.settings import KafkaSettings
from bus.topics import Topic


class Connecting:
    """An admin client that behaves as the library's while its only connection is made: a second request is refused."""

    DEFAULT_CONFIG = kafka.KafkaAdminClient.DEFAULT_CONFIG
    made = 0

    def __init__(self, **_: Any) -> None:
        Connecting.made += 1
        self._busy = threading.Lock()
        self._others = threading.Event()

    def _request(self, answer: Any) -> Any:
        if not self._busy.acquire(blocking=False):
            raise NodeNotReadyError("No node_id provided")
        try:
            self._others.wait(0.005)  # long enough for the others to come
            return answer
        finally:
            self._busy.release()

    def describe_topics(self) -> Any:
        return self._request([{"name": "t", "partitions": [0]}])

    def list_partition_offsets(self, wanted: dict[TopicPartition, Any], **_: Any) -> Any:
        return self._request({place: SimpleNamespace(offset=7) for place in wanted})

    def close(self) -> None: ...


def test_threads_take_turns_with_one_admin_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connectors start side by side: none of them fails because another is connecting."""
    monkeypatch.setattr(kafka, "KafkaAdminClient", Connecting)
    client = kafka.KafkaClient(KafkaSettings(brokers="localhost:9"))
    with ThreadPoolExecutor(8) as pool:
        found = [one.result() for one in [pool.submit(client.ends, ["t"]) for _ in range(8)]]
    client.close()
    assert found == [{Partition("t", 0): 7}] * 8
    assert Connecting.made == 1


class Hearing:
    """An admin client whose brokers hear one after the other of what was made at the first one."""

    def __init__(self, *answers: list[dict[str, Any]]) -> None:
        self._answers = list(answers)

    def describe_topics(self) -> list[dict[str, Any]]:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def create_topics(self, _: Any) -> None: ...


def topic(leader: int) -> dict[str, Any]:
    return {"name": "t", "partitions": [{"leader_id": leader}]}


@pytest.fixture
def hearing(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(*answers: list[dict[str, Any]]) -> kafka.KafkaClient:
        monkeypatch.setattr("time.sleep", lambda _: None)
        made = kafka.KafkaClient(KafkaSettings(brokers="localhost:9"))
        made._admin_client = Hearing(*answers)
        return made

    return make


def test_a_topic_is_made_when_its_partitions_are_led(hearing: Any) -> None:
    """With three brokers the next question goes to one that has not heard of it: seen once in forty starts."""
    client = hearing([], [], [topic(-1)], [topic(1)])
    client.create([Topic("t", "key", partitions=1)])
    assert client._admin_client.describe_topics() == [topic(1)]


def test_a_broker_that_has_not_heard_of_a_topic_yet_is_asked_again(hearing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hearing([], [topic(1)])._partitions(["t"]) == {"t": 1}
    monkeypatch.setattr("bus.kafka_checks.HEARD", 0)
    with pytest.raises(ConfigurationError, match="There is no topic t"):
        hearing([])._partitions(["t"])
