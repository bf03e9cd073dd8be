"""Dead letters: what could not be used, kept with its raw bytes, its place and a reason one can act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from bus.partition import partition_of
from bus.ports import Client, Message, Partition, Record
from bus.topics import DEADLETTERS
from connectors.mapping import Rejection

#: A record larger than this is kept only in part: the bus takes no message above a megabyte.
_KEPT = 500_000


class Decoder(Protocol):
    def decode_record(self, data: bytes) -> tuple[str, dict[str, Any]]: ...


class Encoder(Protocol):
    def encode_record(self, name: str, value: dict[str, Any]) -> bytes: ...


class Letter(NamedTuple):
    """One dead letter as it stands on the bus: its number there, and what it says."""

    partition: int
    offset: int
    timestamp: int
    value: Mapping[str, Any]


def of_rejection(rejection: Rejection, system: str, received_at: int) -> dict[str, Any]:
    """The record of a row that the connector refused."""
    return {
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
        "raw": rejection.raw[:_KEPT],
        "received_at": received_at,
    }


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
        "raw": (record.value or b"")[:_KEPT],
        "received_at": record.timestamp * 1000,
    }


def message(letter: dict[str, Any], codec: Encoder, partitions: int, timestamp: int) -> Message:
    """The message of a dead letter; those of one row or case stand in one partition."""
    key = (letter["case"] or f"{letter['system']}/{letter['key'] or letter['position']}").encode()
    value = codec.encode_record("DeadLetter", letter)
    return Message(DEADLETTERS.name, partition_of(key, partitions), key, value, timestamp, (("type", b"DeadLetter"),))


def read(client: Client, codec: Decoder) -> Iterator[Letter]:
    """Every dead letter on the bus now, partition by partition."""
    places: dict[Partition, int] = dict.fromkeys(client.ends([DEADLETTERS.name]), 0)
    for batch in client.read(places):
        for record in batch:
            if record.value:
                yield Letter(record.partition, record.offset, record.timestamp, codec.decode_record(record.value)[1])


def find(client: Client, codec: Decoder, partition: int, offset: int) -> Letter | None:
    """The dead letter at this place, as `list` names it."""
    for batch in client.read({Partition(DEADLETTERS.name, partition): offset}):
        for record in batch:
            if record.offset == offset and record.value:
                return Letter(partition, offset, record.timestamp, codec.decode_record(record.value)[1])
        return None
    return None
