"""The acts on dead letters, as Kafka has them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bus.errors import ConfigurationError
from bus.ports import Client, Message, Partition
from bus.topics import HANDLING
from schemas import handled
from schemas.handled import Act

_PLACE = Partition(HANDLING.name, 0)
Ledger = dict[str, list[Act]]


def read(client: Client) -> Ledger:
    """The acts on each letter, by its id; none where the topic has yet to be made."""
    try:
        client.ends([HANDLING.name])
    except ConfigurationError:
        return {}
    records = (record for batch in client.read({_PLACE: 0}) for record in batch)
    return {record.key.decode(): handled.decoded(record.value) for record in records if record.key and record.value}


def message(letter: str, acts: Sequence[Act]) -> Message:
    """All acts on one letter: compaction keeps the last record, so it holds them all."""
    now = time.time_ns() // 1_000_000
    return Message(_PLACE.topic, _PLACE.number, letter.encode(), handled.encoded(acts), now, (("type", b"Acts"),))
