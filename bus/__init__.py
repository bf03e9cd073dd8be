"""The only package that knows Kafka, and it knows no approval."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bus.ports import Client
    from bus.settings import KafkaSettings


def connect(settings: KafkaSettings) -> Client:
    """The client these settings ask for. Nothing is asked of the brokers yet.

    Raises ConfigurationError where its library is missing or unfit.
    """
    if settings.client == "confluent":
        from bus.confluent import ConfluentClient

        return ConfluentClient(settings)
    from bus.kafka import KafkaClient

    return KafkaClient(settings)
