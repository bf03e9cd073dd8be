"""Where each connector stands in its source: written in the transaction of its events, so it is never ahead or behind."""

from __future__ import annotations

import json
from typing import NamedTuple

from bus.ports import Client, Message, Partition
from bus.topics import POSITIONS

_PLACE = Partition(POSITIONS.name, 0)


class Progress(NamedTuple):
    """A position, with what was read up to it since the beginning: the audit compares these sums with the bus."""

    position: str | None = None
    records: int = 0
    events: int = 0
    rejected: int = 0

    def after(self, position: str, records: int, events: int, rejected: int) -> Progress:
        return Progress(position, self.records + records, self.events + events, self.rejected + rejected)

    def message(self, name: str, timestamp: int) -> Message:
        value = json.dumps(self._asdict(), ensure_ascii=False).encode()
        return Message(_PLACE.topic, _PLACE.number, name.encode(), value, timestamp)


def read(client: Client) -> dict[str, Progress]:
    """The last committed progress of every connector."""
    found: dict[str, Progress] = {}
    for batch in client.read({_PLACE: 0}):
        for record in batch:
            if record.key is not None:
                found[record.key.decode()] = Progress(**json.loads(record.value)) if record.value else Progress()
    return found
