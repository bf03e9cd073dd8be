"""Where each connector stands in its source: written in the transaction of its events, so it is never ahead or behind."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from bus.ports import Client, Message, Partition
from bus.topics import DEADLETTERS, EVENTS, POSITIONS

_PLACE = Partition(POSITIONS.name, 0)


class Progress(NamedTuple):
    """A position, with what was read up to it since the beginning: the audit compares these sums with the bus.

    `rewound` names the last order to go back that was carried out: the same order is never carried out twice.
    """

    position: str | None = None
    records: int = 0
    events: int = 0
    rejected: int = 0
    rewound: str = ""

    def after(self, position: str, records: int, events: int, rejected: int) -> Progress:
        return self._replace(
            position=position,
            records=self.records + records,
            events=self.events + events,
            rejected=self.rejected + rejected,
        )

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Progress:
        """From a record, though another version of this program wrote it."""
        return cls(**{name: value[name] for name in cls._fields if name in value})

    def since(self, before: Progress) -> Progress:
        """What was read between the two."""
        return self._replace(
            records=self.records - before.records,
            events=self.events - before.events,
            rejected=self.rejected - before.rejected,
        )

    def message(self, name: str, timestamp: int) -> Message:
        value = json.dumps(self._asdict(), ensure_ascii=False).encode()
        return Message(_PLACE.topic, _PLACE.number, name.encode(), value, timestamp)


class Ledger:
    """The last committed progress of every connector, for all connectors of a process: one reads on for all who ask.

    Whoever asks gets what was read by a look that began after his question: what he decided before is in it.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._found: dict[str, Progress] = {}
        self._next = 0
        self._begun = 0
        self._ended = 0  # the number of the last look that came to its end
        self._counting = threading.Lock()
        self._reading = threading.Lock()

    def known(self, name: str) -> Progress:
        """As of the last look, which may be long ago; the first look if there was none."""
        if not self._ended:
            return self.fresh(name)
        return self._found.get(name, Progress())

    def fresh(self, name: str) -> Progress:
        """As of now. Raises RetryError."""
        return self.all().get(name, Progress())

    def all(self) -> dict[str, Progress]:
        """Every connector's, as of now. Raises RetryError."""
        with self._counting:
            wanted = self._begun + 1
        with self._reading:
            if self._ended < wanted:  # else somebody else's look began after we asked, and came to its end
                with self._counting:
                    self._begun += 1
                self._read()
                self._ended = self._begun
            return dict(self._found)

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Partition counts of what connectors write to: fixed, so asked once. Raises RetryError."""
        return Counter(place.topic for place in self._client.ends([EVENTS.name, DEADLETTERS.name]))

    def _read(self) -> None:
        for batch in self._client.read({_PLACE: self._next}):
            for record in batch:
                self._next = record.offset + 1
                if record.key is not None:
                    value = json.loads(record.value) if record.value else {}
                    self._found[record.key.decode()] = Progress.of(value)


def read(client: Client) -> dict[str, Progress]:
    """The last committed progress of every connector."""
    return Ledger(client).all()
