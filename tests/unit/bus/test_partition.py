"""Key -> partition: the numbers Java's client gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_python_murmur2

from bus.partition import murmur2, partition_of

# org.apache.kafka.common.utils.UtilsTest.testMurmur2 (Apache Kafka, Apache-2.0): signed 32-bit numbers.
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "expected"), JAVA.items())
def test_the_hash_is_javas(key: bytes, expected: int):
    """The vectors of Kafka's own test."""
    assert murmur2(key) == expected & 0xFFFFFFFF


@given(st.binary(max_size=80))
def test_a_second_implementation_agrees_on_any_bytes(key: bytes):
    """kafka-python carries a port of its own."""
    assert murmur2(key) == kafka_python_murmur2(key) & 0xFFFFFFFF


@given(st.text(max_size=40), st.integers(1, 64))
def test_every_key_has_a_place(text: str, count: int):
    """Chinese case numbers as well as the empty one."""
    assert 0 <= partition_of(text.encode(), count) < count


def test_keys_are_spread_evenly():
    """Consecutive case numbers of one region do not pile up."""
    counts = [0] * 8
    for number in range(8000):
        counts[partition_of(f"cn.cq:500103-2026-{number:06}".encode(), 8)] += 1
    assert min(counts) > 900
    assert max(counts) < 1100
