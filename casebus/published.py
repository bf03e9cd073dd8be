"""The schemas that the programs of a deployment write with, on a topic: so that two versions work side by side.

Each service publishes its own before it writes anything. Whoever then meets a record of a schema that he does not know
reads it here: a newer version's events are read by an older one, which passes over the fields that it does not have.
(With a schema registry the registry does that, and this does no harm.)
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
_PLACE = Partition(SCHEMAS.name, 0)


def read(client: Client) -> dict[str, str]:
    """The texts of all that are published, by fingerprint (hexadecimal). Raises BusError."""
    records = (record for batch in client.read({_PLACE: 0}) for record in batch)
    return {record.key.decode(): record.value.decode() for record in records if record.key and record.value}


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
        producer = client.producer(f"{name}-schemas")
        try:
            producer.begin()
            producer.send(missing)
            producer.commit()
        finally:
            producer.close()
    return len(missing)


def _messages(known: dict[str, str]) -> Iterator[Message]:
    now = time.time_ns() // 1_000_000
    for one in contract.current().values():
        fingerprint = one.fingerprint.hex()
        if known.get(fingerprint) != one.text:
            yield Message(_PLACE.topic, _PLACE.number, fingerprint.encode(), one.text.encode(), now)
