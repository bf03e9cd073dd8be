"""The contract between a kind of system and the connectors: what is read, with its position, and what is delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

from bus.errors import BusError, RetryError
from bus.ports import Client, Message
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


class Settled(NamedTuple):
    """What became of one row, told to its source once Kafka has it: so many events, or a dead letter.

    `reason` is the dead letter's code and `text` its sentence with the remedy; both are empty for a row that was taken.
    """

    record: SourceRecord
    events: int
    reason: str = ""
    text: str = ""


class Receipt(NamedTuple):
    """What the receiving system has of a delivery: where it lies, and whether it lay there already.

    `signed_at` (microseconds) is when it signed for it, where it says so: the hand-over's receipt.
    """

    place: str
    repeated: bool
    signed_at: int | None = None
    #: What is to be written in our own Kafka with it, exactly once: the delivery itself, where it goes to a topic of ours.
    messages: Sequence[Message] = ()


class LaterError(RetryError):
    """The receiver says itself when it may be asked again."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


class RefusedError(BusError):
    """The receiver will not take this delivery, now or later: a person must look at it."""


class Source(Protocol):
    """One department's system."""

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """What is there after this position, in batches of at most `limit` rows; ends when there is no more now.

        Positions move forward: fetching again from any position given gives the same rows behind it, and none before it.
        Raises RetryError where waiting helps, ConfigurationError where somebody must act.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class Settling(Protocol):
    """A source that wants to hear what became of its rows: to answer a caller, to write a flag back.

    It is told after the commit, so it may be told late or, after a crash, not at all; what it does must bear repetition.
    """

    def settled(self, rows: Sequence[Settled]) -> None:
        """These rows are in Kafka for good, each as events or as a dead letter. Raises as `Source.fetch` does."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A source whose rows come again as they are (in a file that was mended elsewhere): it knows the refused ones among them.

    Their dead letters are on the bus already; another one would say nothing new.
    """

    def refused_before(self, record: SourceRecord) -> bool:
        """Whether this very row was refused in an earlier look. Asked only for rows that are refused now."""
        ...

    def remember(self, refused: Sequence[SourceRecord]) -> str:
        """The position of the batch given last, which knows these rows too."""
        ...


@runtime_checkable
class Waking(Protocol):
    """A source that knows by itself when rows have come, because it is called: its pass comes at once, not after `every`.

    It is looked at every `every` seconds as well. Such a source is mostly a standing one (`Kind.standing`): opened as soon as
    a worker has its connector, kept open between passes, closed when a pass fails or the worker ends.
    """

    def wake_by(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever rows wait that no `fetch` has given yet, from any thread, as often as you like.

        Told once after it was opened, before the first fetch. `wake` returns at once and never raises; called during a
        pass, another pass follows at the end of that one. Passes of one connector never run side by side.
        """
        ...


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
    #: The deployment's own cluster, for a source that lies in it; None where nothing is published (`preview`, `new`).
    cluster: Client | None = None
    #: The mapping's columns (`connectors.columns.ColumnSettings`): what a source can tell others of its rows.
    columns: Mapping[str, Any] = MappingProxyType({})
    #: The zone of times that are told without one.
    zone: str | None = None


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
    #: The source stays open between passes: somebody calls it, or it holds what cannot be opened anew for each look.
    standing: bool = False
    #: Its rows leave it once they are taken (a queue that is marked, an outbox): what it held cannot be asked for again.
    once: Callable[[Any], bool] = lambda _: False
    #: The source lies in the deployment's own Kafka: it can be looked at only while that runs.
    inside: Callable[[Any], bool] = lambda _: False
    #: The names of the columns that its rows have now, looked up cheaply; None where that cannot be told before they come.
    columns: Callable[[Any, Context], Sequence[str] | None] | None = None
    #: The rows of a body, for a kind that is called, as a call with it would give them. Raises Refusal for one that is sent back.
    body: Callable[[Any, Context, bytes], Sequence[SourceRecord]] | None = None
    #: This process has the connector no longer: free what was kept open between passes for whoever has it now.
    left: Callable[[Any], None] = lambda _: None
    target_settings: type[Settings] | None = None
    target: Callable[[Any, Context], Target] | None = None
