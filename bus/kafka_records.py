"""Kafka's record batches (message format 2), written and read without work per record that can be done per batch.

kafka-python spends most of a transactional loop on a future, a lock, three size computations and two objects for each
record. Here a batch is joined from bytes in one pass and has one future; reading yields `bus.ports.Record` directly.
Format: KIP-98, `org.apache.kafka.common.record.DefaultRecord`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from bus.errors import CorruptionError
from bus.ports import Headers, Message, Record

#: Bytes a batch may have, headers of the batch included; half of what a broker takes by default (message.max.bytes).
BATCH_BYTES = 512 * 1024


def varint(value: int) -> bytes:
    """A signed number in Kafka's zig-zag encoding, 1 to 10 bytes."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_SMALL = tuple(varint(value) for value in range(1 << 14))
_LIMIT = len(_SMALL)
_NULL = varint(-1)


def _var(value: int) -> bytes:
    return _SMALL[value] if 0 <= value < _LIMIT else varint(value)


@lru_cache(maxsize=1024)
def _header_name(name: str) -> bytes:
    encoded = name.encode()
    return _var(len(encoded)) + encoded


def _headers(headers: Headers) -> bytes:
    parts = [_var(len(headers))]
    for name, value in headers:
        parts += (_header_name(name), _var(len(value)), value)
    return b"".join(parts)


_NO_HEADERS = _var(0)


def encode(message: Message, index: int, first_timestamp: int) -> bytes:
    """One record with its length before it; `index` is its place in the batch."""
    _, _, key, value, timestamp, headers = message
    body = b"".join(
        (
            b"\x00",
            _var(timestamp - first_timestamp),
            _var(index),
            _NULL if key is None else _var(len(key)) + key,
            _NULL if value is None else _var(len(value)) + value,
            _headers(headers) if headers else _NO_HEADERS,
        )
    )
    return _var(len(body)) + body


def chunks(messages: Sequence[Message], room: int) -> Iterator[tuple[int, list[bytes]]]:
    """Messages of one partition as batches of at most `room` bytes: (index of the first, its records encoded).

    A record larger than that is a batch by itself: the broker's limit decides.
    """
    start, size, batch = 0, 0, list[bytes]()
    for place, message in enumerate(messages):
        record = encode(message, place - start, messages[start].timestamp)
        if batch and size + len(record) > room:
            yield start, batch
            start, size, batch = place, 0, []
            record = encode(message, 0, message.timestamp)
        batch.append(record)
        size += len(record)
    if batch:
        yield start, batch


def decode(data: bytes, count: int, topic: str, partition: int, base: int, first: int, fixed: int | None) -> Iterator[Record]:  # noqa: PLR0913, PLR0917  the fields of a batch's header
    """The `count` records in a batch's body. `base` is its first offset, `first` its first timestamp.

    `fixed` is the timestamp of all records where the broker stamps them (LogAppendTime). Raises CorruptionError.
    """
    position = 0
    try:
        for _ in range(count):
            record, position = _record(data, position, topic, partition, base, first, fixed)
            yield record
    except (IndexError, UnicodeDecodeError) as error:
        raise CorruptionError(f"A record batch of {topic}, partition {partition}, offset {base} cannot be read.") from error
    if position != len(data):
        raise CorruptionError(f"A record batch of {topic}, partition {partition}, offset {base} has bytes too many.")


def _record(  # noqa: PLR0913, PLR0917  the hot path: a call for each field would cost more than the field
    data: bytes, position: int, topic: str, partition: int, base: int, first: int, fixed: int | None
) -> tuple[Record, int]:
    length, position = read_varint(data, position)
    end = position + length
    position += 1  # attributes: none are defined
    byte = data[position]
    if byte < 0x80:
        stamp, position = (byte >> 1) ^ -(byte & 1), position + 1
    else:
        stamp, position = read_varint(data, position)
    byte = data[position]
    if byte < 0x80:
        delta, position = byte >> 1, position + 1
    else:
        delta, position = read_varint(data, position)
    key, position = _bytes(data, position)
    value, position = _bytes(data, position)
    headers: Headers = ()
    if data[position]:
        headers, position = _read_headers(data, position)
    else:
        position += 1
    if position != end:
        raise IndexError(position)
    return Record(topic, partition, base + delta, key, value, first + stamp if fixed is None else fixed, headers), position


def _bytes(data: bytes, position: int) -> tuple[bytes | None, int]:
    byte = data[position]
    if byte < 0x80:
        length, position = (byte >> 1) ^ -(byte & 1), position + 1
    else:
        length, position = read_varint(data, position)
    if length < 0:
        return None, position
    end = position + length
    return data[position:end], end


def _read_headers(data: bytes, position: int) -> tuple[Headers, int]:
    count, position = read_varint(data, position)
    headers = []
    for _ in range(count):
        name, position = _bytes(data, position)
        value, position = _bytes(data, position)
        headers.append(((name or b"").decode(), value or b""))
    return tuple(headers), position


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at this position and the position after it."""
    byte = data[position]
    position += 1
    result, shift = byte & 0x7F, 7
    while byte & 0x80:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        shift += 7
    return (result >> 1) ^ -(result & 1), position
