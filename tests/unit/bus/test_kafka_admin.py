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
from bus.ports import Partition
from bus.settings import KafkaSettings


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
