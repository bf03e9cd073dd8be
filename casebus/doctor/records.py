"""The last events on the bus: whether each lies where its case lies, and whether its time can be true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from bus.errors import ConfigurationError
from bus.partition import partition_of
from bus.ports import Client, Partition, Record
from bus.topics import EVENTS
from casebus.doctor.finding import Finding
from schemas.codec import Codec, CodecError

EACH = 200  # events of each partition
AHEAD = 30 * 60  # seconds: a source's clock may be a little fast, a zone is off by half an hour at least


class Seen(NamedTuple):
    """An event as far as these looks go: who sent it, where its key lies and should lie, seconds by which it is ahead."""

    system: str
    lies: int
    belongs: int
    ahead: float


def begun(client: Client) -> bool:
    """Whether there is a topic of events to look at."""
    try:
        return any(client.ends([EVENTS.name]).values())
    except ConfigurationError:
        return False


def last(client: Client, codec: Codec) -> list[Seen]:
    """Of the newest events; what cannot be read is the router's business."""
    ends, begins = client.ends([EVENTS.name]), client.begins([EVENTS.name])
    starts = {place: max(begins[place], end - EACH) for place, end in ends.items()}
    return list(seen((record for batch in client.read(starts) for record in batch), codec, len(ends)))


def seen(records: Iterable[Record], codec: Codec, partitions: int) -> Iterator[Seen]:
    for record in records:
        try:
            event = codec.decode(record.value or b"")
        except CodecError:
            continue
        if record.key is not None:
            ahead = (event.occurred_at - event.received_at) / 1_000_000
            yield Seen(event.header["source"]["system"], record.partition, partition_of(record.key, partitions), ahead)


def partitioner(events: Iterable[Seen]) -> Finding:
    """Another program's own partitioner splits a case in two: its events wait in the dead letters (`wrong_partition`)."""
    events = list(events)
    astray = Counter(one.system for one in events if one.lies != one.belongs)
    if not astray:
        return Finding("places of events", f"right, of the last {len(events):,}")
    said = ", ".join(f"{number} of {system}" for system, number in sorted(astray.items()))
    cure = (
        "Have them partition as Kafka's Java client does (murmur2 of the key; in librdkafka `partitioner=murmur2_random`), "
        "or write to approval.ingress.<department>, from where a connector puts them right."
    )
    return Finding("places of events", f"in another partition than their case's: {said}, of the last {len(events):,}", cure)


def zones(events: Iterable[Seen]) -> Finding:
    """What happened hours after it was received was written on another clock than the mapping reads it by."""
    ahead: dict[str, float] = {}
    for one in events:
        ahead[one.system] = max(ahead.get(one.system, 0.0), one.ahead)
    wrong = {system: seconds for system, seconds in ahead.items() if seconds > AHEAD}
    if not wrong:
        return Finding("times of events", "none lies ahead of its receipt")
    said = ", ".join(f"those of {system} by up to {seconds / 3600:.1f} h" for system, seconds in sorted(wrong.items()))
    cure = "Set `zone:` of these connectors to the clock that the source writes by (UTC, say), or correct that machine's clock."
    return Finding("times of events", f"events lie ahead of their receipt: {said}", cure)


def reads_on(positions: Mapping[Partition, int], ends: Mapping[Partition, int]) -> list[str]:
    """Places where somebody has read further than there is: what he has read was another Kafka's."""
    return [
        f"{place.topic}, partition {place.number}: read to {offset:,} of {ends.get(place, 0):,}"
        for place, offset in sorted(positions.items())
        if offset > ends.get(place, 0)
    ]
