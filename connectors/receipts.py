"""The receipt of a hand-over that the receiving system gave with its answer: a `Received` on the bus, like any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bus.partition import partition_of
from bus.ports import Message
from bus.topics import EVENTS
from connectors.runner import cloud_event
from connectors.source import Receipt
from schemas.envelope import Event, body_hash, event_id

SYSTEM, TABLE = "casebus-deliveries", "receipts"


class Codec(Protocol):
    def complete(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def encode(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> bytes: ...


def event(delivery: Mapping[str, Any], receipt: Receipt) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and body, the same for the same delivery: delivered again, it counts once. Of two answers the later one stands."""
    key, at = str(delivery["delivery_id"]), receipt.signed_at
    header = {
        "event_id": event_id(SYSTEM, TABLE, key, "received", 1),
        "body_hash": "",
        "case": delivery["case"],
        "authority": delivery["to"],
        "activity": receipt.place,
        "sequence": delivery["sequence"],
        "occurred_at": {"at": at, "precision": "SECOND", "zone": "UTC"},
        "reported_at": {"at": at, "precision": "SECOND", "zone": "UTC"},
        "received_at": at,
        "source": {"system": SYSTEM, "table": TABLE, "key": key, "position": key},
        "conflict": "REPLACE",
    }
    return header, {"hand_over": delivery["hand_over"]}


def message(delivery: Mapping[str, Any], receipt: Receipt, codec: Codec, partitions: int, now: int) -> Message:
    """`now` in milliseconds: when the bus got it."""
    header, body = codec.complete("Received", *event(delivery, receipt))
    header["received_at"] = now * 1000
    header["body_hash"] = body_hash("Received", header, body)
    key = str(delivery["case"]).encode()
    value = codec.encode("Received", header, body)
    return Message(EVENTS.name, partition_of(key, partitions), key, value, now, cloud_event(Event("Received", header, body)))
