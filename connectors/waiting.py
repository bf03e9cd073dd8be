"""Deliveries that wait for their next attempt, as `case.deliveries.retry` keeps them: the last record of each id counts.

A record without a value says that it waits no more: it was delivered, or became a dead letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from bus.ports import Client, Headers, Message, Partition, Record
from bus.topics import RETRIES

#: Characters of a reason that are kept.
_SAID = 500


class Decoder(Protocol):
    def decode_record(self, data: bytes) -> tuple[str, dict[str, Any]]: ...


class Waiting(NamedTuple):
    """One delivery: how often it was tried, when it is due (ms since 1970 UTC), and why it is not there yet.

    `asked`: a person wants it tried now.
    """

    record: Record
    delivery: Mapping[str, Any]
    attempts: int = 0
    at: int = 0
    reason: str = ""
    asked: bool = False

    @property
    def id(self) -> str:
        return str(self.delivery["delivery_id"])

    @property
    def lane(self) -> tuple[str, str]:
        """What one receiver is told of one case comes to it in the order in which it was decided."""
        return str(self.delivery["case"]), str(self.delivery["to"])

    @property
    def turn(self) -> int:
        return int(self.delivery["sequence"])

    def at_once(self) -> Waiting:
        """As a person wants it: tried now, whatever its time was and however its receiver has answered others."""
        return self._replace(asked=True, at=0)

    def message(self, now: int) -> Message:
        said = self.reason[:_SAID].encode()
        headers = [("attempts", str(self.attempts).encode()), ("due", str(self.at).encode()), ("reason", said)]
        asked = [("asked", b"1")] if self.asked else []
        return self._written(self.record.value, now, (("type", b"Delivery"), *headers, *asked))

    def done(self, now: int) -> Message:
        return self._written(None, now)

    def _written(self, value: bytes | None, now: int, headers: Headers = ()) -> Message:
        return Message(RETRIES.name, self.record.partition, self.id.encode(), value, now, headers)


def of(record: Record, codec: Decoder) -> Waiting:
    """A record of either topic; one of `case.deliveries` is due at once. Raises CodecError."""
    found = dict(record.headers)
    return Waiting(
        record,
        codec.decode_record(record.value or b"")[1],
        int(found.get("attempts", b"0")),
        int(found.get("due", b"0")),
        found.get("reason", b"").decode(),
        "asked" in found,
    )


def table(records: Iterable[Record], codec: Decoder) -> dict[str, Waiting]:
    """Those that wait, by id."""
    last = {record.key: record for record in records}
    waiting = (of(record, codec) for record in last.values() if record.value)
    return {one.id: one for one in waiting}


def read(client: Client, codec: Decoder, numbers: Iterable[int] | None = None) -> dict[str, Waiting]:
    """Those that wait now, in these partitions or in all."""
    places = client.ends([RETRIES.name]) if numbers is None else [Partition(RETRIES.name, number) for number in numbers]
    return table((record for batch in client.read(dict.fromkeys(places, 0)) for record in batch), codec)
