"""Our reader and writer of record batches, against the library's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.util import encode_varint

from bus.errors import CorruptionError
from bus.kafka_records import chunks, decode, encode, read_varint, varint
from bus.ports import Message

headers = st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=70)), max_size=3).map(tuple)
messages = st.lists(
    st.builds(
        Message,
        st.just("t"),
        st.just(3),
        st.none() | st.binary(max_size=200),
        st.none() | st.binary(max_size=20_000),
        st.integers(0, 1 << 42),
        headers,
    ),
    min_size=1,
    max_size=8,
)


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_number_is_written_as_the_library_writes_it_and_read_back(value: int):
    """Zig-zag, one to ten bytes."""
    theirs = bytearray()
    encode_varint(value, theirs.append)
    assert varint(value) == bytes(theirs)
    assert read_varint(varint(value), 0) == (value, len(theirs))


@given(messages)
def test_a_batch_has_the_very_bytes_of_the_library_and_reads_back(batch: list[Message]):
    """Keys, values and headers of any bytes, None among them; timestamps forward and backward."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 30)
    for index, one in enumerate(batch):
        builder.append(index, one.timestamp, one.key, one.value, list(one.headers))
    library = bytes(builder.build())
    body = library[DefaultRecordBatch.HEADER_STRUCT.size :]
    assert b"".join(encode(one, index, batch[0].timestamp) for index, one in enumerate(batch)) == body
    read = list(decode(body, len(batch), "t", 3, 100, batch[0].timestamp, None))
    assert [(r.key, r.value, r.timestamp, r.headers) for r in read] == [one[2:] for one in batch]
    assert [(r.topic, r.partition, r.offset) for r in read] == [("t", 3, 100 + index) for index in range(len(batch))]


@given(messages, st.integers(1, 30_000))
def test_chunks_hold_every_message_once_and_no_more_than_their_room(batch: list[Message], room: int):
    """A message larger than the room stands alone."""
    found = list(chunks(batch, room))
    assert [start for start, _ in found] == [sum(len(records) for _, records in found[:n]) for n in range(len(found))]
    assert sum(len(records) for _, records in found) == len(batch)
    assert all(len(records) == 1 or sum(map(len, records)) <= room for _, records in found)


@pytest.mark.parametrize("damage", [slice(0, -1), slice(0, 0)])
def test_a_batch_cut_short_is_corruption(damage: slice):
    """And so are bytes too many; nobody goes on with half a record."""
    body = encode(Message("t", 0, b"key", b"value", 5), 0, 5)
    with pytest.raises(CorruptionError, match="record batch of t, partition 0, offset 7"):
        list(decode(body[damage], 1, "t", 0, 7, 5, None))
    with pytest.raises(CorruptionError, match="bytes too many"):
        list(decode(body + b"x", 1, "t", 0, 7, 5, None))


def test_a_timestamp_of_the_broker_stands_for_all():
    """LogAppendTime: the batch has one."""
    body = encode(Message("t", 0, None, None, 5), 0, 5)
    (record,) = decode(body, 1, "t", 0, 0, 5, 99)
    assert (record.key, record.value, record.timestamp, record.headers) == (None, None, 99, ())
