"""Dead letters: what could not be used, kept with its raw bytes, its place and a reason one can act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from bus.partition import partition_of
from bus.ports import Client, Headers, Message, Partition, Record
from bus.topics import DEADLETTERS
from connectors import rowtext
from connectors.mapping import Rejection
from connectors.sealed import Sealing
from connectors.source import SourceRecord
from schemas.sealing import Ring, revealed

#: A record larger than this is kept only in part: the bus takes no message above a megabyte.
KEPT = 500_000
#: The row as it was read travels beside its bytes, up to this size: it can be translated again without its file's header.
_ROW = 200_000
#: Headers of a letter's record: the row as JSON (`rowtext`), and its order in the source.
ROW, SEQUENCE = "row", "sequence"


class Decoder(Protocol):
    def decode_record(self, data: bytes) -> tuple[str, dict[str, Any]]: ...


class Encoder(Protocol):
    def encode_record(self, name: str, value: dict[str, Any]) -> bytes: ...


class Letter(NamedTuple):
    """One dead letter as it stands on the bus: its number there, and what it says.

    `row` is the source row as it was read (`rowtext`), where it could be, and `sequence` its order in the source.
    """

    partition: int
    offset: int
    timestamp: int
    value: Mapping[str, Any]
    row: bytes | None = None
    sequence: int = 0

    @property
    def id(self) -> str:
        """What people call it: `3-17`, the partition and the offset where it stands."""
        return id_of(self.partition, self.offset)

    @classmethod
    def of(cls, record: Record, codec: Decoder) -> Letter:
        headers = dict(record.headers)
        value = codec.decode_record(record.value or b"")[1]
        sequence = int(headers.get(SEQUENCE, b"0"))
        return cls(record.partition, record.offset, record.timestamp, value, headers.get(ROW), sequence)


def id_of(partition: int, offset: int) -> str:
    return f"{partition}-{offset}"


def kept(record: SourceRecord) -> Headers:
    """What travels beside the letter of a row."""
    order = ((SEQUENCE, str(record.sequence).encode()),)
    if record.fault is not None:
        return order
    row = rowtext.encoded(record.row).encode("utf-8", "surrogatepass")  # half a character must not stop the rest
    return (*order, (ROW, row)) if len(row) <= _ROW else order


def of_rejection(rejection: Rejection, system: str, received_at: int) -> dict[str, Any]:
    """The record of a row that the connector refused."""
    letter = {
        "reason": rejection.reason,
        "text": rejection.text,
        "stage": "CONNECTOR",
        "system": system,
        "table": rejection.table,
        "key": rejection.key,
        "position": rejection.position,
        "field": rejection.field,
        "found": rejection.found,
        "mapping_line": rejection.where or None,
        "event_id": None,
        "case": None,
        "raw": rejection.raw[:KEPT],
        "received_at": received_at,
    }
    return {name: _sayable(value) if isinstance(value, str) else value for name, value in letter.items()}


def sealed(letter: dict[str, Any], beside: Headers, sealing: Sealing) -> tuple[dict[str, Any], Headers]:
    """A letter and what travels beside it, the row sealed in both; why it was refused stays readable."""

    def hidden(field: str, data: bytes) -> bytes:
        return sealing.concealed(letter["position"], field, data)

    kept = tuple((name, hidden(name, value) if name == ROW else value) for name, value in beside)
    return {**letter, "raw": hidden("raw", letter["raw"])}, kept


def opened(letter: Letter, ring: Ring) -> Letter:
    """The letter with its row, as far as the ring opens it."""
    row = None if letter.row is None else revealed(letter.row, ring)
    return letter._replace(value={**letter.value, "raw": revealed(letter.value["raw"], ring)}, row=row)


def _sayable(text: str) -> str:
    """Half of a surrogate pair, which no text on the bus can hold, as it is written in source code."""
    return text.encode("utf-8", "backslashreplace").decode()


def of_delivery(record: Record, delivery: Mapping[str, Any], reason: str, text: str) -> dict[str, Any]:
    """The record of a delivery that its receiver did not take."""
    return {
        "reason": reason,
        "text": text,
        "stage": "DELIVERY",
        "system": str(delivery.get("to", "")),
        "table": record.topic,
        "key": delivery.get("delivery_id"),
        "position": f"{record.topic}:{record.partition}:{record.offset}",
        "field": None,
        "found": None,
        "mapping_line": None,
        "event_id": None,
        "case": delivery.get("case"),
        "raw": (record.value or b"")[:KEPT],
        "received_at": record.timestamp * 1000,
    }


def message(letter: dict[str, Any], codec: Encoder, partitions: int, timestamp: int, beside: Headers = ()) -> Message:
    """The message of a dead letter; those of one row or case stand in one partition."""
    key = (letter["case"] or f"{letter['system']}/{letter['key'] or letter['position']}").encode()
    value = codec.encode_record("DeadLetter", letter)
    headers = (("type", b"DeadLetter"), *beside)
    return Message(DEADLETTERS.name, partition_of(key, partitions), key, value, timestamp, headers)


def read(client: Client, codec: Decoder) -> Iterator[Letter]:
    """Every dead letter on the bus now, partition by partition."""
    places: dict[Partition, int] = dict.fromkeys(client.ends([DEADLETTERS.name]), 0)
    for batch in client.read(places):
        for record in batch:
            if record.value:
                yield Letter.of(record, codec)


def find(client: Client, codec: Decoder, partition: int, offset: int) -> Letter | None:
    """The dead letter at this place, as `list` names it."""
    for batch in client.read({Partition(DEADLETTERS.name, partition): offset}):
        for record in batch:
            if record.offset == offset and record.value:
                return Letter.of(record, codec)
        return None
    return None
