"""The router's shell: records in, messages out, a store that follows. `bus.transaction.Loop` puts exactly-once around it.

One decode an event, one state a case and batch. Whatever cannot be worked on goes to the dead letters and blocks nobody.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from copy import copy
from typing import NamedTuple

from bus import crash
from bus.partition import partition_of
from bus.ports import Client, Message, Record, Store, Written
from bus.topics import ALERTS, EVENTS, FORWARD, JOURNAL
from router import marks
from router.alias import become_alias
from router.contexts import Contexts
from router.desk import Desk, Setting
from router.keep import Keep
from router.law import LawProfile
from router.marks import Marks
from router.outbox import KEPT, MARKS, MOVED, ROUND, SAME, TYPE, VIA, Cause, Letter, Outbox
from router.work import expire, take
from schemas.codec import Codec, CodecError
from schemas.envelope import Event

#: What a router reads. All are co-partitioned.
TOPICS = (EVENTS.name, FORWARD.name, ALERTS.name)
#: The last hop: nothing more comes in this partition of the journal.
LAST_HOP = 2
#: What an event that was read, but cannot be worked on, raises.
_FAULTS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
_END = (TYPE, b"InputEnded")


class Settings(NamedTuple):
    """`partitions` as the deployment has them; `contexts` holds catalogue and directory."""

    partitions: int
    profile: LawProfile = LawProfile()
    contexts: Contexts = Contexts()


def calm_collector() -> None:
    """For a process that is a router: look for cycles of garbage less often.

    A batch makes ten thousands of short-lived dictionaries and no cycle; with Python's thresholds a third of the router's
    time goes into looking for some (88 against 54 microseconds an event).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


class Router:
    """A `bus.ports.Processor`. `stores` opens the store of a partition number."""

    def __init__(self, client: Client, codec: Codec, stores: Callable[[int], Store], settings: Settings) -> None:
        self._codec = codec
        self._settings = settings
        self._keep = Keep(client, codec, stores)
        self._batch = self._fresh()
        #: Partitions that have sent events on to other keys since they last spoke of the end of input; at a start nobody knows.
        self._moved = set(range(settings.partitions))

    def assigned(self, partitions: frozenset[int]) -> None:
        self._moved = set(range(self._settings.partitions))
        self._batch = self._fresh()
        self._keep.assigned(partitions)

    def process(self, records: Sequence[Record]) -> list[Message]:
        self._batch = batch = self._fresh()
        for record in records:
            if _END in record.headers:
                self._ended(batch, record)
            else:
                self._take(batch, record)
        return batch.finished()

    def committed(self, written: Sequence[Written]) -> None:
        crash.point("router.after_commit_before_store")
        self._keep.committed(written, (desk.state for desk in self._batch.desks.values()))
        self._batch = self._fresh()

    def aborted(self) -> None:
        self._moved = set(range(self._settings.partitions))
        self._batch = self._fresh()

    def close(self) -> None:
        """Let go of the stores, so that another process can open them."""
        self._keep.close()

    def _fresh(self) -> Batch:
        out = Outbox(self._codec, self._settings.partitions)
        return Batch(out, Setting(out, self._settings.profile, self._settings.contexts), {}, {})

    # events

    def _take(self, batch: Batch, record: Record) -> None:
        cause = _cause(record)
        event = self._event(batch, record, cause)
        if event is None:
            return
        cause = cause._replace(recorded_at=event.received_at)
        desk = self._desk(batch, record.partition, record.key or b"")
        before, length = copy(desk.state), len(batch.out.messages)
        try:
            _work(desk, event, cause, dict(record.headers))
        except _FAULTS as error:
            desk.undo(before)
            del batch.out.messages[length:]
            text = (
                f"It can be read, but not worked on ({type(error).__name__}: {error}). Mend it at the source and send it again."
            )
            batch.out.reject(Letter("cannot_be_applied", text), event, desk.key, cause)
        self._moved |= batch.out.moved

    def _event(self, batch: Batch, record: Record, cause: Cause) -> Event | None:
        """The event of a record; None when it went to the dead letters."""
        try:
            event = self._codec.decode(record.value or b"")
        except CodecError as error:
            batch.out.dead_letter(Letter("unreadable_event", str(error)), _place(record), cause)
            return None
        letter = self._misplaced(record, event)
        if letter is not None:
            batch.out.reject(letter, event, event.case, cause)
            return None
        return event

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
        return None

    def _desk(self, batch: Batch, number: int, key: bytes) -> Desk:
        known = batch.desks.get(key)
        if known is None:
            known = Desk(self._keep.state(number, key), lambda: self._keep.history(number, key), batch.setting)
            batch.desks[key] = known
        return known

    # the end of input

    def _ended(self, batch: Batch, record: Record) -> None:
        """A marker: the runner's (we begin round 1), or another router's word."""
        value = self._codec.decode_record(record.value or b"")[1]
        number, run = record.partition, value["run"]
        heard = batch.marks.get((number, run)) or self._marks(number, run)
        headers = dict(record.headers)
        if record.topic == EVENTS.name:
            if heard.said == 0:
                heard = self._say(batch, heard, record)
        else:
            heard = heard.hear(int(headers[ROUND]), value["sender"], moved=headers[MOVED] == b"1")
        batch.marks[number, run] = self._answer(batch, heard, record)

    def _answer(self, batch: Batch, heard: Marks, record: Record) -> Marks:
        """Everybody was heard: begin the next round, or end it. Then remember, in the journal, what we have heard."""
        hop = 1
        if heard.complete(self._settings.partitions):
            if heard.quiet():
                self._expire(batch, record)
                hop = LAST_HOP
            else:
                heard = self._say(batch, heard, record)
        kept = heard.run.encode() + b"\x00" + (marks.encode(heard) if hop != LAST_HOP else b"")
        marker = {"run": heard.run, "hop": hop, "sender": record.partition}
        batch.out.marker(JOURNAL.name, record.partition, marker, _cause(record), ((MARKS, kept),))
        return heard

    def _say(self, batch: Batch, heard: Marks, record: Record) -> Marks:
        """Tell every partition our next round. Round 1 is never quiet: what came before it may still be under way."""
        spoken = heard.say()
        moved = b"1" if spoken.said == 1 or record.partition in self._moved else b"0"
        marker = {"run": heard.run, "hop": 1, "sender": record.partition}
        headers = ((ROUND, str(spoken.said).encode()), (MOVED, moved))
        for number in range(self._settings.partitions):
            batch.out.marker(FORWARD.name, number, marker, _cause(record), headers)
        self._moved.discard(record.partition)
        batch.out.moved.discard(record.partition)
        return spoken

    def _marks(self, number: int, run: str) -> Marks:
        stored = self._keep.marks(number, run)
        return marks.decode(stored) if stored else Marks(run)

    def _expire(self, batch: Batch, record: Record) -> None:
        """No application can come any more in this run."""
        here = {key for key, desk in batch.desks.items() if partition_of(key, self._settings.partitions) == record.partition}
        for key in sorted({*self._keep.provisional(record.partition), *here}):
            expire(self._desk(batch, record.partition, key), _cause(record))


class Batch(NamedTuple):
    """What one transaction works on."""

    out: Outbox
    setting: Setting
    desks: dict[bytes, Desk]
    marks: dict[tuple[int, str], Marks]

    def finished(self) -> list[Message]:
        """All messages, the last state of each case at the end."""
        timestamp = max((message.timestamp for message in self.out.messages), default=0)
        for desk in self.desks.values():
            if desk.touched:
                self.out.state(desk.state, timestamp, provisional=desk.provisional)
        return self.out.messages


def _work(desk: Desk, event: Event, cause: Cause, headers: dict[str, bytes]) -> None:
    """An event for this key; or, from another key, the word that this one is another name of it."""
    if KEPT in headers:
        become_alias(desk, headers[KEPT].decode(), event, cause, same=SAME in headers)
    else:
        passed = headers.get(VIA)
        take(desk, event, cause, tuple(passed.decode().split("\n")) if passed else ())


def _cause(record: Record) -> Cause:
    return Cause(record.timestamp * 1000, record.timestamp, record.partition)


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
