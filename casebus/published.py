"""The schemas that the programs of a deployment write with, on a topic: so that two versions work side by side.

Each service publishes its own before it writes anything. Whoever then meets a record of a schema that he does not know
reads it here: a newer version's events are read by an older one, which passes over the fields that it does not have.
With a schema registry it holds what the registry's ids mean, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import structlog

from bus.errors import BusError, FencedError
from bus.ports import Client, Message, Partition
from bus.topics import SCHEMAS
from schemas import contract

log = structlog.get_logger(__name__)

#: Services of one version that start at once take the same transactional id from each other.
ATTEMPTS = 10
#: What the keys of a registry's ids begin with.
ID = "id "
_PLACE = Partition(SCHEMAS.name, 0)


def read(client: Client) -> dict[str, str]:
    """The texts of all that are published, by fingerprint (hexadecimal). Raises BusError."""
    return {key: text for key, text in _records(client) if not key.startswith(ID)}


def pins(client: Client) -> dict[int, str]:
    """Fingerprints of schemas by the ids that a registry gave them (`casebus.pins`). Raises BusError."""
    return {int(key.removeprefix(ID)): mark for key, mark in _records(client) if key.startswith(ID)}


def _records(client: Client) -> Iterator[tuple[str, str]]:
    records = (record for batch in client.read({_PLACE: 0}) for record in batch)
    return ((record.key.decode(), record.value.decode()) for record in records if record.key and record.value)


def pin(client: Client, name: str, number: int, mark: str) -> None:
    """Keep what a registry's id means. Raises BusError, FencedError among them: another process does the same now."""
    _send(client, name, [_message(f"{ID}{number}", mark)])


def publish(client: Client, name: str) -> int:
    """Publish those of ours that are not there yet; how many. `name` is the deployment's.

    Where it cannot be done (rights given by an older version), this version works all the same, and says so.
    """
    for _ in range(ATTEMPTS):
        try:
            return _publish(client, name)
        except FencedError:  # another service that starts now is doing it: then there is nothing left to do
            time.sleep(0.2)
        except BusError as error:
            log.warning("schemas not published", reason=str(error))
            break
    return 0


def _publish(client: Client, name: str) -> int:
    known = read(client)
    missing = list(_messages(known))
    if missing:
        _send(client, name, missing)
    return len(missing)


def _send(client: Client, name: str, messages: list[Message]) -> None:
    producer = client.producer(f"{name}-schemas")
    try:
        producer.begin()
        producer.send(messages)
        producer.commit()
    finally:
        producer.close()


def _messages(known: dict[str, str]) -> Iterator[Message]:
    for one in contract.current().values():
        fingerprint = one.fingerprint.hex()
        if known.get(fingerprint) != one.text:
            yield _message(fingerprint, one.text)


def _message(key: str, value: str) -> Message:
    return Message(_PLACE.topic, _PLACE.number, key.encode(), value.encode(), time.time_ns() // 1_000_000)
