"""A dead letter's messages made anew: its row translated by today's mapping, its event or delivery as it was published. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bus.partition import partition_of
from bus.ports import Message
from bus.topics import ALERTS, EVENTS, RETRIES
from connectors import rowtext
from connectors.config import Connector
from connectors.deadletters import Letter
from connectors.formats import objects
from connectors.mapping import Rejection
from connectors.runner import LARGEST_EVENT, cloud_event
from connectors.source import SourceRecord
from schemas.codec import Codec, CodecError
from schemas.envelope import Event, body_hash
from schemas.handled import Told

UNREADABLE = (
    "The row itself could not be read. Mend it (casebus deadletters mend {} --set COLUMN=VALUE), or correct the connector's "
    "source: and read it again (casebus connector rewind)."
)
NO_CONNECTOR = "No connector here reads the system {}. Add its file to connectors/ again, or dismiss the letter."
NO_TABLE = "The connector {} reads no table {} any more. Correct table: there, or dismiss the letter."
TOO_LARGE = "The event has {:,} bytes, more than {:,}. Map a reference to the document, not the document."


class Again(NamedTuple):
    """What a letter gives now: messages and the events in them; or the reason why it gives none."""

    messages: Sequence[Message] = ()
    events: Sequence[Told] = ()
    reason: str = ""
    text: str = ""


class Setting(NamedTuple):
    """What letters are made anew with. Times are now: `now` in microseconds (the receipt), `stamp` in milliseconds."""

    connectors: Sequence[Connector]
    codec: Codec
    partitions: int
    now: int
    stamp: int
    replay: bool = False


def again(letter: Letter, row: Mapping[str, Any] | None, how: Setting) -> Again:
    """`row` is the corrected one; None: as it came."""
    stage = letter.value["stage"]
    if stage == "DELIVERY":
        return _delivery(letter, how)
    return _row(letter, row, how) if stage == "CONNECTOR" else _event(letter, row, how)


def row_of(letter: Letter) -> dict[str, Any] | None:
    """The row as it was read; else what its bytes say, where they are a JSON object."""
    try:
        found = objects.decoded(letter.value["raw"]) if letter.row is None else rowtext.decoded(letter.row)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _row(letter: Letter, corrected: Mapping[str, Any] | None, how: Setting) -> Again:
    value = letter.value
    connector = next((one for one in how.connectors if one.settings.system == value["system"]), None)
    if connector is None:
        return Again(reason="no_connector", text=NO_CONNECTOR.format(value["system"]))
    table = next((name for name, part in connector.parts.items() if part.mapping.table == value["table"]), None)
    if table is None:
        return Again(reason="no_connector", text=NO_TABLE.format(connector.name, value["table"]))
    row = corrected if corrected is not None else row_of(letter)
    if row is None:
        return Again(reason=value["reason"], text=UNREADABLE.format(letter.id))
    record = SourceRecord(value["position"], letter.sequence, row, value["raw"], None, table)
    return _translated(connector, record, how)


def _translated(connector: Connector, record: SourceRecord, how: Setting) -> Again:
    found = connector.mapping.translate(record, how.now, how.replay)
    if isinstance(found, Rejection):
        return Again(reason=found.reason, text=found.text)
    try:
        return _published(found, how)
    except CodecError as error:
        return Again(reason="does_not_fit", text=f"{error} Correct the mapping.")


def _published(events: Sequence[Event], how: Setting) -> Again:
    """Raises CodecError for an event that its schema does not take."""
    messages = []
    for event in events:
        value = how.codec.encode(event.type, event.header, event.body)
        if len(value) > LARGEST_EVENT:
            return Again(reason="too_large", text=TOO_LARGE.format(len(value), LARGEST_EVENT))
        messages.append(_message(event, value, how))
    return Again(messages, [_told(event) for event in events])


def _message(event: Event, value: bytes, how: Setting) -> Message:
    """In its case's place, whatever was wrong with the place it came in."""
    topic = ALERTS.name if event.type.startswith("Alert") else EVENTS.name
    key = event.case.encode()
    return Message(topic, partition_of(key, how.partitions), key, value, how.stamp, cloud_event(event))


def _told(event: Event) -> Told:
    return Told(event.case, event.id, event.header["body_hash"])


# -- what the router refused


def _event(letter: Letter, corrected: Mapping[str, Any] | None, how: Setting) -> Again:
    try:
        event = how.codec.decode(letter.value["raw"])
        if corrected is None:
            return Again([_message(event, event.raw, how)], [_told(event)])
        return _published([_changed(event, corrected)], how)
    except CodecError as error:
        return Again(reason="unreadable_event", text=str(error))


def _changed(event: Event, said: Mapping[str, Any]) -> Event:
    """The event with what was corrected in it: the id stays, what it says has another hash."""
    header, body = dict(said["header"]), dict(said["body"])
    header |= {"event_id": event.id, "body_hash": body_hash(event.type, header, body)}
    return Event(event.type, header, body)


def said_by(letter: Letter, codec: Codec) -> dict[str, Any] | None:
    """What can be corrected in a letter: its row, or header and body of its event; None where neither can be read."""
    if letter.value["stage"] == "CONNECTOR":
        return row_of(letter)
    try:
        event = codec.decode(letter.value["raw"])
    except CodecError:
        return None
    return {"header": event.header, "body": event.body}


# -- what its receiver did not take


def _delivery(letter: Letter, how: Setting) -> Again:
    """Due at once, its attempts counted from the beginning; the receiver knows it again by its id."""
    try:
        delivery = how.codec.decode_record(letter.value["raw"])[1]
    except CodecError as error:
        return Again(reason="unreadable_delivery", text=str(error))
    key = str(delivery["to"]).encode()
    return Again([Message(RETRIES.name, partition_of(key, how.partitions), key, letter.value["raw"], how.stamp)])
