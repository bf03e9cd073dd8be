"""What must be true of a cluster before it is worked on, whichever client asks."""

from __future__ import annotations

from bus.errors import ConfigurationError, CorruptionError
from bus.ports import Partition
from bus.topics import Topic


def check_count(topic: Topic, found: int) -> None:
    """Raise ConfigurationError where a topic has another partition count: a case would be in two places."""
    wanted = topic.partitions or 1
    if found != wanted:
        raise ConfigurationError(
            f"Topic {topic.name} has {found} partitions, the settings say {wanted}. "
            "The count is fixed when a deployment starts: set kafka.partitions back, or replay into new topics."
        )


def check_range(place: Partition, offset: int, first: int, last: int) -> None:
    """Raise CorruptionError where what is to be read next is gone, or never was."""
    if not first <= offset <= last:
        raise CorruptionError(
            f"The group stands at offset {offset} of {place.topic}, partition {place.number}, which holds {first} to {last}: "
            "records are gone, or the topic was made again. Nothing was read."
        )
