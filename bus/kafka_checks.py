"""What must be true of a cluster before it is worked on, whichever client asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from bus.errors import ConfigurationError, CorruptionError, RetryError
from bus.ports import Partition
from bus.refused import unseen
from bus.settings import Security
from bus.topics import Topic

#: Seconds one answer is waited for.
ANSWER = 10.0
#: Seconds in which a broker hears of a topic that another one has just made.
HEARD = 1.0

_Answer = TypeVar("_Answer")


def until(ask: Callable[[], _Answer | None], doing: str) -> _Answer:
    """Ask again until there is an answer. Raises RetryError after `ANSWER` seconds without one."""
    deadline = time.monotonic() + ANSWER
    while (answer := ask()) is None:
        if time.monotonic() > deadline:
            raise RetryError(f"While {doing}: no answer for {ANSWER:g} s.")
        time.sleep(0.05)
    return answer


def counts_of(topics: Collection[str], ask: Callable[[], Mapping[str, int]], security: Security) -> dict[str, int]:
    """How many partitions these topics have. Raises ConfigurationError for one that no broker asked has heard of."""
    deadline = time.monotonic() + HEARD
    while missing := sorted(set(topics) - set(found := ask())):
        if time.monotonic() > deadline:
            raise unseen(security, missing)
        time.sleep(0.1)
    return {topic: found[topic] for topic in topics}


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
