"""The contract between a kind of system and the connectors: what is read, with its position, and what is delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from connectors.values import Refusal
from schemas.yamlfile import Map, Settings


class SourceRecord(NamedTuple):
    """One row as the source has it.

    `position` says to people where it stands, `sequence` is its order in the source, `raw` is what came. A row that could
    not even be read has a `fault` and goes to the dead letters alone; the rows after it go on. `table` tells apart the
    tables of a connector that reads several.
    """

    position: str
    sequence: int
    row: Mapping[str, Any]
    raw: bytes
    fault: Refusal | None = None
    table: str = ""


class Batch(NamedTuple):
    """Rows, and the position after them: whoever comes back with it reads on behind the last."""

    records: Sequence[SourceRecord]
    position: str


class Receipt(NamedTuple):
    """What the receiving system has of a delivery: where it lies, and whether it lay there already."""

    place: str
    repeated: bool


class Source(Protocol):
    """One department's system."""

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """What is there after this position, in batches of at most `limit` rows; ends when there is no more now.

        Positions move forward: fetching again from any position given gives the same rows behind it, and none before it.
        Raises RetryError where waiting helps, ConfigurationError where somebody must act.
        """
        ...

    def close(self) -> None: ...


class Target(Protocol):
    """Where one department takes its deliveries."""

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        """Hand it over once: a second call with the same delivery_id changes nothing. Raises BusError."""
        ...


class Context(NamedTuple):
    """What a source needs to know of its connector: the deployment's folder, and the fields that the mapping reads."""

    base: Path
    fields: Sequence[Any]
    where: str


class Kind(NamedTuple):
    """A kind of system: its settings, how to open it, and (where it can take deliveries) how to deliver to it."""

    about: str
    #: Settings from the YAML below `source:`; raises ProblemsError.
    settings: Callable[[Map], Any]
    open: Callable[[Any, Context], Source]
    #: The name of the table that a source's rows belong to: part of each event's identity.
    table: Callable[[Any], str]
    #: Fields may be paths into nested rows (`step.code`).
    nested: Callable[[Any], bool] = lambda _: False
    #: Fills in what depends on the deployment's folder (a relative file in a database's address).
    located: Callable[[Any, Path], Any] = lambda settings, _: settings
    target_settings: type[Settings] | None = None
    target: Callable[[Any, Context], Target] | None = None
