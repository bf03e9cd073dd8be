"""One connector at work: fetch, translate, publish, remember the position; exactly once.

The order matters: the producer first (whoever held the connector before is fenced, his open transaction aborted), then the
position, then batches, each one transaction of events, dead letters and the position behind them. After any error nothing is
reused: a new producer, and the position is read again, because a commit may stand whose answer was lost.

Most looks find nothing, so a source is looked at by the position known last, without a producer. When it has something, the
producer comes, and the position after it; where that is another one, the look is dropped and done again from there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

import structlog

from bus import crash
from bus.errors import BusError
from bus.partition import partition_of
from bus.ports import Client, Clock, Headers, Message, Producer
from bus.rarely import Rarely
from bus.topics import DEADLETTERS, EVENTS
from connectors import deadletters, positions
from connectors.config import Connector
from connectors.mapping import Rejection
from connectors.positions import Progress
from connectors.source import Batch, Remembering, Settled, Settling, Source, SourceRecord, Waking
from connectors.values import Refusal
from schemas.codec import CodecError
from schemas.envelope import Event

log = structlog.get_logger(__name__)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  UTC without saying so: isoformat would write +00:00
#: Bytes of one event. The journal keeps it whole beside what it led to, so it stays well below what a topic takes.
LARGEST_EVENT = 500_000
#: Seconds after which a connector that found nothing gives its producer (a connection and a thread) back.
IDLE = 30.0


class Codec(Protocol):
    """The part of `schemas.codec.Codec` that a connector uses."""

    def encode(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> bytes: ...
    def encode_record(self, name: str, value: dict[str, Any]) -> bytes: ...


class Work(NamedTuple):
    """One batch, translated: what to write, and what became of each row.

    `letters` are the new dead letters: a row that was refused before, as it is, gives no second one.
    """

    messages: list[Message]
    settled: list[Settled]
    letters: list[Settled]

    @property
    def refused(self) -> list[SourceRecord]:
        return [one.record for one in self.settled if one.reason]

    @property
    def events(self) -> int:
        return sum(one.events for one in self.settled)


class Runner:
    """Runs one connector against one cluster. Runners of one process share a `ledger`, so that they need not all read it."""

    def __init__(  # noqa: PLR0913, PLR0917  what it works with, each once
        self,
        connector: Connector,
        client: Client,
        codec: Codec,
        clock: Clock,
        replay: bool = False,
        ledger: positions.Ledger | None = None,
    ) -> None:
        self._connector = connector
        self._client = client
        self._codec = codec
        self._clock = clock
        self._replay = replay
        self._ledger = ledger or positions.Ledger(client)
        self._producer: Producer | None = None
        self._used = 0.0
        self._source: Source | None = None
        self._progress: Progress | None = None
        self._rarely = Rarely()
        #: Called by a source that knows by itself when rows have come.
        self.wake: Callable[[], None] = lambda: None

    @property
    def name(self) -> str:
        return self._connector.name

    @property
    def progress(self) -> Progress:
        """As far as is known here; by the last look at the ledger where nothing has been read."""
        return self._progress or self._ledger.known(self.name)

    def run_once(self, leave: Callable[[], bool] = lambda: False) -> Progress:
        """What the source has now, or until `leave` says so after a batch. Returns what this pass read.

        Raises BusError, after which nothing is held.
        """
        try:
            while (read := self._pass(leave)) is None:
                pass  # somebody else had gone on: once more, from where it stands
            self._rest(read.records)
        except BaseException:
            self._drop()
            raise
        return read

    def rewind(self, order: str, position: str | None) -> bool:
        """Go back (or forth) to a position, once: False where this order has been carried out already. Raises BusError."""
        try:
            if self.progress.rewound == order:
                return False
            self._leave()
            producer = self._owned()
            if self.progress.rewound == order:
                return False  # somebody else has done it meanwhile
            after = self.progress._replace(position=position, rewound=order)
            producer.begin()
            producer.send([after.message(self.name, _milliseconds())])
            producer.commit()
            self._progress = after
        except BaseException:
            self._drop()
            raise
        return True

    def close(self) -> None:
        self._drop()

    def _owned(self) -> Producer:
        """The producer comes first: only when the former owner is fenced, the position read after it is ours."""
        if self._producer is None:
            self._producer = self._client.producer(f"connector-{self.name}")
            self._progress = self._ledger.fresh(self.name)
            self._used = time.monotonic()
        return self._producer

    def _rest(self, records: int) -> None:
        """An idle connector holds no producer; one that is called does, because its caller waits."""
        now = time.monotonic()
        if records:
            self._used = now
        elif self._producer is not None and not self._connector.standing and now - self._used > IDLE:
            self._release()

    def _drop(self) -> None:
        """Nothing is held or believed any more."""
        self._progress = None
        try:
            self._leave()
        finally:  # whatever becomes of the source: with a producer that stayed, an old position would be believed
            if self._producer is not None:
                with contextlib.suppress(BusError):
                    self._producer.abort()
            self._release()

    def _release(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close()

    def _leave(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def _opened(self) -> Source:
        if self._source is None:
            self._source = self._connector.open(self._client)
            if isinstance(self._source, Waking):
                self._source.wake_by(self.wake)
        return self._source

    def _pass(self, leave: Callable[[], bool]) -> Progress | None:
        """What was read; None when the position was not the one that we knew, so that nothing was."""
        if self._connector.standing:
            self._owned()  # rows of a caller are given once, so they are asked for only when they can be published
        before = self._progress = self.progress
        found = self._batches(before, leave)
        if not self._connector.standing:
            self._leave()
        return self.progress.since(before) if found else None

    def _batches(self, before: Progress, leave: Callable[[], bool]) -> bool:
        source = self._opened()
        for number, batch in enumerate(source.fetch(before.position, self._connector.settings.batch)):
            producer = self._owned()
            if number == 0:
                if self._progress != before:
                    return False
                self._connector.refresh()  # after the fetch: no row is older than the lookups it is read with
            settled = self._publish(producer, batch)
            if isinstance(source, Settling):
                source.settled(settled)
            if leave():
                break
        return True

    def _publish(self, producer: Producer, batch: Batch) -> list[Settled]:
        work = self._translated(batch.records)
        position = batch.position
        if isinstance(self._source, Remembering) and (refused := work.refused):
            position = self._source.remember(refused)
        after = self.progress.after(position, len(batch.records), work.events, len(work.letters))
        self._connector.keep()
        producer.begin()
        producer.send(work.messages)
        crash.point("connector.after_send")
        producer.send([after.message(self.name, _milliseconds())])
        crash.point("connector.before_commit")
        producer.commit()
        self._progress = after
        crash.point("connector.after_commit")
        self._tell(work.letters)
        return work.settled

    def _tell(self, letters: Iterable[Settled]) -> None:
        """Once they stand; of many of one kind only a few. What stands in the row is not for the log."""
        for one in letters:
            if so_far := self._rarely.count(one.reason):
                place = {"table": one.record.table, "position": one.record.position}
                log.warning("row refused", connector=self.name, reason=one.reason, so_far=so_far, **place)

    # -- from rows to messages

    def _translated(self, records: Iterable[SourceRecord]) -> Work:
        now, stamp = self._clock.now(), _milliseconds()
        messages: list[Message] = []
        settled: list[Settled] = []
        letters: list[Settled] = []
        reloaded = False
        for record in records:
            found = self._events(record, now, stamp)
            if isinstance(found, Rejection) and not reloaded and self._may_be_new(found):
                self._connector.refresh(again=True)
                reloaded, found = True, self._events(record, now, stamp)
            if isinstance(found, Rejection):
                refused = Settled(record, 0, found.reason, found.text)
                if not self._refused_before(record):
                    messages.append(self._letter(found, record, now, stamp))
                    letters.append(refused)
                settled.append(refused)
            else:
                messages += found
                settled.append(Settled(record, len(found)))
        return Work(messages, settled, letters)

    def _refused_before(self, record: SourceRecord) -> bool:
        return isinstance(self._source, Remembering) and self._source.refused_before(record)

    def _may_be_new(self, rejection: Rejection) -> bool:
        """A code that came into its table after the table was read: worth reading the table again, once a batch."""
        return any(table.reloadable and table.unknown == rejection.reason for table in self._connector.lookups)

    def _events(self, record: SourceRecord, now: int, stamp: int) -> list[Message] | Rejection:
        mapping = self._connector.mapping
        found = mapping.translate(record, now, self._replay)
        if isinstance(found, Rejection):
            return found
        try:
            messages = [self._message(event, stamp) for event in found]
        except CodecError as error:
            return mapping.refused(record, Refusal("does_not_fit", str(error), "Correct the mapping", "event"))
        largest = max((len(message.value or b"") for message in messages), default=0)
        if largest > LARGEST_EVENT:
            too_much = f"The event has {largest:,} bytes, more than {LARGEST_EVENT:,}"
            return mapping.refused(
                record, Refusal("too_large", too_much, "Map a reference to the document, not the document", "event")
            )
        return messages

    def _message(self, event: Event, stamp: int) -> Message:
        key = event.case.encode()
        value = self._codec.encode(event.type, event.header, event.body)
        partition = partition_of(key, self._ledger.sizes[EVENTS.name])
        return Message(EVENTS.name, partition, key, value, stamp, cloud_event(event))

    def _letter(self, rejection: Rejection, record: SourceRecord, now: int, stamp: int) -> Message:
        letter, beside = deadletters.of_rejection(rejection, self._connector.settings.system, now), deadletters.kept(record)
        if self._connector.sealing is not None:
            letter, beside = deadletters.sealed(letter, beside, self._connector.sealing)
        return deadletters.message(letter, self._codec, self._ledger.sizes[DEADLETTERS.name], stamp, beside)


def _milliseconds() -> int:
    """Record timestamps are receipt times by this machine's clock: the broker's retention counts by them."""
    return time.time_ns() // 1_000_000


def cloud_event(event: Event) -> Headers:
    """The attributes of CloudEvents 1.0 in Kafka's binary mode (CNCF, "Kafka Protocol Binding", 3.2)."""
    source = event.header["source"]
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", _type(event.type)),
        ("ce_id", event.id.encode()),
        ("ce_source", _source(source["system"], source["table"])),
        ("ce_time", _time(event.occurred_at)),
        ("content-type", b"application/avro"),
    )


@lru_cache(maxsize=256)
def _type(name: str) -> bytes:
    return f"casebus.events.{name}".encode()


@lru_cache(maxsize=1024)
def _source(system: str, table: str) -> bytes:
    return f"/{quote(system)}/{quote(table)}".encode()


def _time(micros: int) -> bytes:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds").encode() + b"Z"
