"""What the router writes, as messages: each topic's key, partition, bytes and headers in one place."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from bus.partition import partition_of
from bus.ports import Headers, Message
from bus.topics import DEADLETTERS, DELIVERIES, FORWARD, JOURNAL, STATE
from schemas.case import CaseState, encode_state
from schemas.codec import Codec
from schemas.envelope import Event

#: Record headers of ours: what kind of record this is, so that nobody has to decode it to find out.
TYPE = "type"
SEQUENCE = "sequence"
PROVISIONAL = "provisional"
#: On case.forward: the keys an event has passed through, or the key that the receiver is another name of.
VIA = "via"
KEPT = "kept"
SAME = "same"
#: What was said is so no more: this key is no other name.
GONE = "gone"
#: This event does not count here; why (`schemas.case.Entry.away`).
AWAY = "away"
#: The row of an event, as a hash (`row_of`): in the journal; in a word to every partition, that a row has come to a new case.
ROW = "row"
ROWS = "rows"
#: On markers of the end of input: the round, whether its sender has sent something on, and what a partition has heard.
ROUND = "round"
MOVED = "moved"
MARKS = "marks"
_ENTRY = (TYPE, b"JournalEntry")


def row_of(origin: str) -> bytes:
    """8 bytes that stand for a source row."""
    return hashlib.blake2b(origin.encode(), digest_size=8).digest()


class Cause(NamedTuple):
    """The record that led to what is written: its receipt (microseconds), its Kafka timestamp (milliseconds), its place."""

    recorded_at: int
    timestamp: int
    partition: int
    offset: int = -1


class Letter(NamedTuple):
    """Why something is rejected: a code, and a sentence with the remedy."""

    reason: str
    text: str
    field: str | None = None
    found: str | None = None


class Refused(NamedTuple):
    """What went to the dead letters, as the log tells it: whose, of which case, where it lay, why."""

    system: str
    case: str
    reason: str
    cause: Cause


class Outbox:
    """The messages of one batch, in order. `moved` are the partitions that sent something on to another key."""

    def __init__(self, codec: Codec, partitions: int) -> None:
        self.messages: list[Message] = []
        self.moved: set[int] = set()
        self.refused: list[Refused] = []
        self._codec = codec
        self._partitions = partitions

    def journal(self, entry: dict[str, Any], cause: Cause, row: bytes = b"") -> None:
        headers: Headers = (_ENTRY, (SEQUENCE, entry["sequence"].to_bytes(8, "big")), *(((ROW, row),) if row else ()))
        self._send(JOURNAL.name, entry["case"], self._codec.encode_record("JournalEntry", entry), cause, headers)

    def state(self, state: CaseState, timestamp: int, *, provisional: bool) -> None:
        headers = ((PROVISIONAL, b"1"),) if provisional else ()
        key = state.case.key.encode()
        self.messages.append(
            Message(STATE.name, partition_of(key, self._partitions), key, encode_state(state), timestamp, headers)
        )

    def delivery(self, delivery: dict[str, Any], cause: Cause) -> None:
        self._send(DELIVERIES.name, delivery["to"], self._codec.encode_record("Delivery", delivery), cause)

    def forward(self, key: str, event: Event, cause: Cause, headers: Headers) -> None:
        """Send the published bytes on to another key."""
        self.moved.add(cause.partition)
        self._send(FORWARD.name, key, event.raw, cause, ((TYPE, event.type.encode()), *headers))

    def everywhere(self, event: Event, cause: Cause) -> None:
        """Tell every partition that the row of this event is now of its case."""
        self.moved.add(cause.partition)
        headers = ((TYPE, event.type.encode()), (ROW, row_of(event.origin)))
        for number in range(self._partitions):
            self.messages.append(Message(FORWARD.name, number, None, event.raw, cause.timestamp, headers))

    def reject(self, letter: Letter, event: Event, case: str, cause: Cause) -> None:
        """An event that could be read goes to the dead letters."""
        source = event.header["source"]
        fields = {
            "system": source["system"],
            "table": source["table"],
            "key": source["key"],
            "position": source["position"],
            "event_id": event.id,
            "case": case,
            "raw": event.raw,
        }
        self.dead_letter(letter, fields, cause)

    def dead_letter(self, letter: Letter, fields: dict[str, Any], cause: Cause) -> None:
        value = {
            "reason": letter.reason,
            "text": letter.text,
            "stage": "ROUTER",
            "field": letter.field,
            "found": letter.found,
            "mapping_line": None,
            "received_at": cause.recorded_at,
            **fields,
        }
        self.refused.append(Refused(fields["system"], fields["case"] or "", letter.reason, cause))
        self._send(DEADLETTERS.name, fields["case"] or fields["key"] or "", self._codec.encode_record("DeadLetter", value), cause)

    def marker(self, topic: str, partition: int, marker: dict[str, Any], cause: Cause, headers: Headers = ()) -> None:
        """The end of input, told to one partition of a topic."""
        value = self._codec.encode_record("InputEnded", marker)
        self.messages.append(Message(topic, partition, None, value, cause.timestamp, ((TYPE, b"InputEnded"), *headers)))

    def _send(self, topic: str, key: str, value: bytes, cause: Cause, headers: Headers = ()) -> None:
        name = key.encode()
        self.messages.append(Message(topic, partition_of(name, self._partitions), name, value, cause.timestamp, headers))
