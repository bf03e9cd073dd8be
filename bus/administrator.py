"""A connection for whoever administers a Kafka. By kafka-python, whichever client carries the records: it is always there."""

from __future__ import annotations

from typing import Self

from kafka.admin import KafkaAdminClient

from bus.kafka_errors import in_our_words
from bus.settings import KafkaSettings

_CONNECT_MS = 10_000


class Administrator:
    """`with Administrator(settings) as asked:` The connection ends with the block. Raises BusError where nobody answers."""

    def __init__(self, settings: KafkaSettings) -> None:
        with in_our_words(f"connecting to {settings.bootstrap} (a wrong address or password shows like this too)"):
            self._admin = KafkaAdminClient(**settings.kafka_python(), bootstrap_timeout_ms=_CONNECT_MS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._admin.close()
