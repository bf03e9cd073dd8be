"""Rows whose events leave the department with their personal fields sealed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from connectors.mapping import Rejection, Translator
from connectors.source import SourceRecord
from connectors.values import Refusal
from schemas.envelope import Event


class Sealing(Protocol):
    """What seals a connector's events, and by their place the rows that it refuses.

    `keep` comes before what was sealed is published: a key that is lost opens nothing.
    """

    def sealed(self, event: Event) -> Event: ...
    def concealed(self, position: str, field: str, data: bytes) -> bytes: ...
    def keep(self) -> None: ...


#: By the name of a connector; None where nobody asked for it.
Sealings = Callable[[str], Sealing | None]


def none(_name: str) -> Sealing | None:
    """Nobody seals."""
    return None


class SealedRows(NamedTuple):
    """`connectors.mapping.Translator` whose events are sealed."""

    inner: Translator
    sealing: Sealing

    def translate(self, record: SourceRecord, received_at: int, replay: bool = False) -> list[Event] | Rejection:
        found = self.inner.translate(record, received_at, replay)
        return found if isinstance(found, Rejection) else [self.sealing.sealed(event) for event in found]

    def pairs(self, found: list[Event]) -> Iterator[tuple[Event, Event]]:
        """Each event sealed, and as it was published before its connector sealed."""
        return ((self.sealing.sealed(event), event) for event in found)

    def refused(self, record: SourceRecord, refusal: Refusal) -> Rejection:
        return self.inner.refused(record, refusal)
