"""The small ports behind which Kafka, its double in memory and the stores stand. Nothing here knows a client library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from bus.topics import Topic

Headers = tuple[tuple[str, bytes], ...]


class Partition(NamedTuple):
    topic: str
    number: int


class Record(NamedTuple):
    """One record as read. `timestamp` is milliseconds since 1970-01-01 UTC and is the receipt time."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Headers = ()


class Message(NamedTuple):
    """One record to write. The partition is always ours (`bus.partition`), never the client's default."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Headers = ()


class Written(NamedTuple):
    """A message that stands, with the offset the broker gave it."""

    message: Message
    offset: int


class Membership(NamedTuple):
    """A consumer's place in its group, taken right after a poll (kafka-python.md, trap 3)."""

    group: str
    generation: int
    member: str
    native: object


class Producer(Protocol):
    """A transactional producer. Any error means: close it, make a new one (rule 5)."""

    def begin(self) -> None: ...
    def send(self, messages: Iterable[Message]) -> None: ...
    def offsets(self, positions: Mapping[Partition, int], membership: Membership) -> None: ...
    def commit(self) -> list[Written]:
        """Wait for every message's own result, then commit. Returns what stands, by partition in the order sent."""
        ...

    def abort(self) -> None: ...
    def close(self) -> None:
        """Free what it holds. A transaction still open stays so until its time-out, or until its id is taken again."""
        ...


class Consumer(Protocol):
    """A read-committed member of a group over an explicit list of co-partitioned topics."""

    def poll(self, timeout: float, limit: int = 500) -> list[Record]:
        """Up to `limit` records; waits `timeout` seconds at most when there is none. A rebalance may take longer."""
        ...

    def membership(self) -> Membership:
        """The place in the group as it was when the last `poll` returned."""
        ...

    def assignment(self) -> frozenset[Partition]: ...
    def rebalanced(self) -> bool:
        """True once after partitions were revoked, lost or assigned; asking clears it.

        Then `rewind` comes before anything else: what was polled in between does not count.
        """
        ...

    def positions(self) -> dict[Partition, int]:
        """The next offset to be read of each assigned partition; control records count as read."""
        ...

    def rewind(self) -> None:
        """Seek every assigned partition to its committed offset, to the beginning where there is none."""
        ...

    def close(self) -> None: ...


class Client(Protocol):
    """One Kafka cluster, or its double."""

    def producer(self, transactional_id: str) -> Producer:
        """Ready to begin: whoever held this id before is fenced and its open transaction aborted."""
        ...

    def consumer(self, group: str, topics: Sequence[str]) -> Consumer: ...
    def read(self, positions: Mapping[Partition, int], *, until_end: bool = True, timeout: float = 1.0) -> Iterator[list[Record]]:
        """Read partitions from offsets without a group, read-committed, in batches.

        With `until_end`, stop when everything that had been written at the start is decided and read: it waits for
        transactions open at that moment. (A committed record may stand behind another's open transaction, above the
        last stable offset: who stops there misses his own.) Else go on for ever, with an empty list after each
        `timeout` seconds without records.
        """
        ...

    def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        """The read-committed end offsets (last stable offset)."""
        ...

    def begins(self, topics: Sequence[str]) -> dict[Partition, int]:
        """The first offsets there still are: what stood before them, retention has taken."""
        ...

    def create(self, topics: Sequence[Topic]) -> None:
        """Create what is missing; raise ConfigurationError where the partition count differs."""
        ...

    def committed(self, group: str, topics: Sequence[str]) -> dict[Partition, int]: ...
    def close(self) -> None: ...


class Processor(Protocol):
    """What a service does with records; `bus.transaction.Loop` puts exactly-once around it."""

    def assigned(self, partitions: frozenset[int]) -> None:
        """Work for these partition numbers starts: open stores, read on from their changelogs, close all others.

        Called again, with the same numbers too, after every error: a commit may stand whose answer was lost, so the
        stores may be behind.
        """
        ...

    def process(self, records: Sequence[Record]) -> list[Message]:
        """Compute only: what to write for these records. May be called again for the same records after an abort."""
        ...

    def committed(self, written: Sequence[Written]) -> None:
        """The transaction stands: bring the stores up to it."""
        ...

    def aborted(self) -> None:
        """The transaction does not stand: forget what was computed."""
        ...


@runtime_checkable
class Timed(Protocol):
    """A processor that has work to do at its time, though no record comes."""

    def due(self) -> bool:
        """True when `process` has something to do with no records at all; asked after each poll that brought none."""
        ...


class Store(Protocol):
    """State of one partition by key, on disk, never ahead of what is committed in Kafka."""

    def get(self, table: str, key: bytes) -> bytes | None: ...
    def scan(self, table: str, prefix: bytes) -> Iterator[tuple[bytes, bytes]]: ...
    def write(self, puts: Iterable[tuple[str, bytes, bytes | None]], offsets: Mapping[str, int]) -> None:
        """One batch: put (None deletes), and the offset in each changelog topic it stands at."""
        ...

    def offset(self, topic: str) -> int:
        """The next offset of this changelog topic that the store has not seen; 0 when new."""
        ...

    def close(self) -> None: ...


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        ...
