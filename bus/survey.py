"""What a Kafka says of itself: brokers, topics and settings, for whoever looks for mistakes in them. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kafka.admin import ConfigResource, ConfigResourceType

from bus.administrator import Administrator
from bus.kafka_errors import in_our_words


class Node(NamedTuple):
    """A broker, by the address that it tells clients (`advertised.listeners`)."""

    number: int
    address: str


class Layout(NamedTuple):
    """A topic: copies and copies in sync of its worst partition, and its settings as they hold."""

    copies: int
    in_sync: int
    settings: Mapping[str, str]


class Survey(Administrator):
    """`with Survey(settings) as survey: survey.topics(["approval.events"])`. Raises BusError where nobody answers."""

    def nodes(self) -> list[Node]:
        """As the first broker told when it was reached: the others, and even itself, may not be reached by these addresses."""
        found = self._admin._manager.cluster.brokers()  # noqa: SLF001  describe_cluster asks by the very addresses in question
        return sorted(Node(int(one.node_id), f"{one.host}:{one.port}") for one in found)

    def topics(self, names: Sequence[str]) -> dict[str, Layout]:
        """Of those that are there."""
        with in_our_words("looking at topics"):
            described = {one["name"]: one for one in self._admin.describe_topics() if one["name"] in names}
            settings = self._settings(ConfigResourceType.TOPIC, sorted(described))
        return {name: _layout(one["partitions"], settings.get(name, {})) for name, one in sorted(described.items())}

    def settings(self, number: int) -> dict[str, str]:
        """One broker's. Empty where this principal may not ask."""
        with in_our_words("looking at the brokers' settings"):
            return self._settings(ConfigResourceType.BROKER, [str(number)]).get(str(number), {})

    def _settings(self, kind: ConfigResourceType, names: Iterable[str]) -> dict[str, dict[str, str]]:
        wanted = [ConfigResource(kind, name) for name in names]
        found: dict[str, dict[str, Any]] = {}
        if wanted:
            found = self._admin.describe_configs(wanted, config_filter="all").get(kind.name.lower(), {})
        return {
            name: {setting: said["value"] for setting, said in one.items() if said["value"] is not None}
            for name, one in found.items()
        }


def _layout(partitions: Sequence[Mapping[str, Any]], settings: Mapping[str, str]) -> Layout:
    copies = min((len(one["replica_nodes"]) for one in partitions), default=0)
    return Layout(copies, min((len(one["isr_nodes"]) for one in partitions), default=0), settings)
