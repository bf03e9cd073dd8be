"""The router's shell: records in, messages out, a store that follows. `bus.transaction.Loop` puts exactly-once around it.

One decode an event, one state a case and batch. Whatever cannot be worked on goes to the dead letters and blocks nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from bus import crash
from bus.partition import partition_of
from bus.ports import Client, Message, Record, Store, Written
from bus.rarely import Rarely
from bus.topics import ALERTS, EVENTS, FORWARD, JOURNAL
from router.alias import Word, heard
from router.batch import Batch, cause_of
from router.contexts import Contexts
from router.desk import Desk, Setting
from router.ending import Ending
from router.keep import Keep
from router.law import LawProfile
from router.outbox import AWAY, GONE, KEPT, ROW, ROWS, SAME, TYPE, VIA, Cause, Letter, Outbox, Refused
from router.rows import ROW as MOVED_ROW
from router.signatures import Signatures
from router.work import take
from schemas.admission import Admission
from schemas.codec import Codec, CodecError
from schemas.envelope import Event

log = structlog.get_logger(__name__)

#: What a router reads. All are co-partitioned.
TOPICS = (EVENTS.name, FORWARD.name, ALERTS.name)
#: What an event that was read, but cannot be worked on, raises.
_FAULTS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
#: Records of one transaction, at most: its commit takes the same time whatever it holds, so a router that has fallen
#: behind catches up sooner; one that follows live takes what is there.
AT_ONCE = 750
_END = (TYPE, b"InputEnded")
#: What is done with an event on the desk of its case.
Work = Callable[[Desk, Event, Cause], None]


class Settings(NamedTuple):
    """`partitions` as the deployment has them; `contexts` holds catalogue and directory; `admission` who may say what.

    `signatures` are looked at where there are any.
    """

    partitions: int
    profile: LawProfile = LawProfile()
    contexts: Contexts = Contexts()
    admission: Admission | None = None
    signatures: Signatures | None = None


class Router:
    """A `bus.ports.Processor`. `stores` opens the store of a partition number."""

    def __init__(self, client: Client, codec: Codec, stores: Callable[[int], Store], settings: Settings) -> None:
        self._codec = codec
        self._settings = settings
        self._keep = Keep(client, codec, stores, settings.partitions)
        self._ending = Ending(codec, self._keep, settings.partitions)
        self._batch = self._fresh()
        self._rarely = Rarely()

    def assigned(self, partitions: frozenset[int]) -> None:
        self.aborted()
        self._keep.assigned(partitions)

    def process(self, records: Sequence[Record]) -> list[Message]:
        self._renew()
        batch = self._batch
        for record in records:
            if _END in record.headers:
                self._marker(batch, record)
            elif record.topic == FORWARD.name and record.key is None:
                self._row(batch, record)
            else:
                self._take(batch, record)
        return batch.finished(max((record.timestamp for record in records), default=0))

    def committed(self, written: Sequence[Written]) -> None:
        crash.point("router.after_commit_before_store")
        self._tell(self._batch.out.refused)
        self._keep.committed(written, (desk.state for desk in self._batch.desks.values()), self._batch.rows)
        self._renew()

    def _tell(self, refused: Sequence[Refused]) -> None:
        """Once they stand; of many of one kind only a few."""
        for one in refused:
            if so_far := self._rarely.count(one.system, one.reason):
                place = {"partition": one.cause.partition, "offset": one.cause.offset}
                log.warning("refused", connector=one.system, case=one.case, reason=one.reason, so_far=so_far, **place)

    def aborted(self) -> None:
        self._ending.forget()
        self._renew()

    def close(self) -> None:
        """Let go of the stores, so that another process can open them."""
        self._keep.close()

    def _renew(self) -> None:
        self._batch.drop()
        self._batch = self._fresh()

    def _fresh(self) -> Batch:
        out = Outbox(self._codec, self._settings.partitions)
        return Batch(Setting(out, self._settings.profile, self._settings.contexts), self._keep)

    def _marker(self, batch: Batch, record: Record) -> None:
        try:
            self._ending.take(batch, record)
        except (CodecError, *_FAULTS) as error:
            text = f"It says that the input has ended, but cannot be read ({error}). Only casebus writes these: find out who did."
            batch.out.dead_letter(Letter("unreadable_marker", text), _place(record), cause_of(record))

    def _take(self, batch: Batch, record: Record) -> None:
        event = self._event(batch, record)
        if event is None:
            return
        cause = Cause(event.received_at, record.timestamp, record.partition, record.offset)
        desk = batch.desk(record.partition, record.key or b"")
        work = take if record.topic != FORWARD.name else partial(_forwarded, dict(record.headers))
        self._safely(batch, desk, event, cause, work)

    def _row(self, batch: Batch, record: Record) -> None:
        """A row came to a new case: whoever holds it here gives it up, and it is remembered for who gets it later."""
        event = self._decoded(batch, record)
        if event is None:
            return
        row, cause = dict(record.headers)[ROW], cause_of(record)._replace(recorded_at=event.received_at)
        for key in sorted(batch.holders(record.partition, row) - {event.case.encode()}):
            desk = batch.desk(record.partition, key)
            self._safely(batch, desk, event, cause, partial(take, via=(), away=MOVED_ROW))
        known = batch.rows.get(row)
        if known is None or known.header["version"] < event.header["version"]:
            batch.rows[row] = event
        marker = {"run": "", "hop": 1, "sender": record.partition}
        batch.out.marker(JOURNAL.name, record.partition, marker, cause, ((ROWS, row + event.raw),))

    def _safely(self, batch: Batch, desk: Desk, event: Event, cause: Cause, work: Work) -> None:
        """Work on one case; what cannot be worked on goes to the dead letters and leaves nothing else behind."""
        before, length = replace(desk.state), len(batch.out.messages)
        try:
            work(desk, event, cause)
        except _FAULTS as error:
            desk.undo(before)
            del batch.out.messages[length:]
            text = (
                f"It can be read, but not worked on ({type(error).__name__}: {error}). Mend it at the source and send it again."
            )
            batch.out.reject(Letter("cannot_be_applied", text), event, desk.key, cause)
        if batch.out.moved:
            self._ending.moved |= batch.out.moved

    def _event(self, batch: Batch, record: Record) -> Event | None:
        """The event of a record in its place; None when it went to the dead letters."""
        event = self._decoded(batch, record)
        if event is None:
            return None
        letter = self._misplaced(record, event)
        if letter is not None:
            batch.out.reject(letter, event, event.case, cause_of(record))
            return None
        return event

    def _decoded(self, batch: Batch, record: Record) -> Event | None:
        try:
            return self._codec.decode(record.value or b"")
        except CodecError as error:
            batch.out.dead_letter(Letter("unreadable_event", str(error)), _place(record), cause_of(record))
            return None

    def _misplaced(self, record: Record, event: Event) -> Letter | None:
        """An event under another key, or in another partition, than its case's would split the case in two."""
        key = record.key or b""
        if b"\x00" in key:
            return Letter("bad_key", "A case number holds no NUL character. Correct the case number.", "key", repr(key))
        if record.topic != FORWARD.name and key != event.case.encode():
            text = "The record's key is not the case in its header. Use the case as the key."
            return Letter("key_mismatch", text, "key", key.decode("utf-8", "replace"))
        place = partition_of(key, self._settings.partitions)
        if place != record.partition:
            text = f"The case belongs to partition {place}. Partition as Kafka's Java client does (murmur2 of the key)."
            return Letter("wrong_partition", text, "partition", str(record.partition))
        return self._unwelcome(record, event) if record.topic == EVENTS.name else None

    def _unwelcome(self, record: Record, event: Event) -> Letter | None:
        """What a source may not say. Our own words need no look: forwards had it when they came, alerts by Kafka's rights."""
        item = event.header["item"]
        if self._settings.contexts.foreign(item):
            text = f"The catalogue has no item {item}. Correct the item, or add catalogue/{item}.yaml, and send it again."
            return Letter("unknown_item", text, "item", item)
        return self._not_admitted(event) or self._not_signed(record, event)

    def _not_admitted(self, event: Event) -> Letter | None:
        """An event for an authority that its system may not speak for."""
        if self._settings.admission is None:
            return None
        refused = self._settings.admission.refusal(event)
        return refused and Letter("foreign_authority", refused.text, refused.field, refused.value)

    def _not_signed(self, record: Record, event: Event) -> Letter | None:
        return None if self._settings.signatures is None else self._settings.signatures.letter(record, event)


def _forwarded(headers: Mapping[str, bytes], desk: Desk, event: Event, cause: Cause) -> None:
    """An event from another key for this one; or the word that this one is another name of it."""
    passed = headers.get(VIA, b"").decode()
    if KEPT in headers:
        heard(desk, Word(headers[KEPT].decode(), SAME in headers, passed, event, cause), gone=GONE in headers)
    else:
        take(desk, event, cause, tuple(passed.split("\n")) if passed else (), headers.get(AWAY, b"").decode())


def _place(record: Record) -> dict[str, object]:
    """Where a record stood that could not be read, and all of it."""
    return {
        "system": dict(record.headers).get("ce_source", b"").decode("utf-8", "replace"),
        "table": record.topic,
        "key": record.key.decode("utf-8", "replace") if record.key is not None else None,
        "position": f"partition {record.partition}, offset {record.offset}",
        "event_id": None,
        "case": None,
        "raw": record.value or b"",
    }
