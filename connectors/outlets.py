"""Deliveries as records of a topic: in our own Kafka exactly once, on a cluster of the department's at least once.

A record's key is the case, its value the delivery as JSON, its header `delivery_id` the identity by which a repetition is known.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from bus import connect
from bus.errors import BusError, ConfigurationError
from bus.partition import partition_of
from bus.ports import Client, Message
from bus.settings import KafkaSettings
from connectors.source import Context, Receipt
from schemas.yamlfile import Settings


class OutletSettings(Settings):
    """`topic`, which must be there; `cluster` as section `kafka` of casebus.yaml, or the deployment's own."""

    topic: str = Field(min_length=1)
    cluster: KafkaSettings | None = None


class Outlet:
    """One topic."""

    def __init__(self, settings: OutletSettings, context: Context) -> None:
        self._settings, self._context = settings, context
        self._foreign: Client | None = None
        self._partitions = 0

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        """In our own Kafka the receipt holds the record, which is written with the delivery's commit. Raises BusError."""
        client = self._client()
        message = self._message(client, delivery)
        place = f"{message.topic}:{message.partition}"
        if self._settings.cluster is None:
            return Receipt(place, False, messages=(message,))
        self._write(client, message)
        return Receipt(place, False)

    def _client(self) -> Client:
        if self._settings.cluster is not None:
            self._foreign = self._foreign or connect(self._settings.cluster.located(self._context.base))
            return self._foreign
        if self._context.cluster is None:
            raise ConfigurationError(f"{self._context.where}: the deployment's own Kafka is not open here. Run its deliveries.")
        return self._context.cluster

    def _message(self, client: Client, delivery: Mapping[str, Any]) -> Message:
        self._partitions = self._partitions or len(client.ends([self._settings.topic]))
        key = str(delivery["case"]).encode()
        value = json.dumps(delivery, ensure_ascii=False).encode()
        headers = (("delivery_id", str(delivery["delivery_id"]).encode()), ("content-type", b"application/json"))
        number = partition_of(key, self._partitions)
        return Message(self._settings.topic, number, key, value, time.time_ns() // 1_000_000, headers)

    def _write(self, client: Client, message: Message) -> None:
        """A producer for each record: handed-over cases are few, and none is held open on another's cluster."""
        producer = client.producer(f"casebus-deliveries-{self._settings.topic}")
        try:
            producer.begin()
            producer.send([message])
            producer.commit()
        except BusError:
            with contextlib.suppress(BusError):
                producer.abort()
            raise
        finally:
            producer.close()
