"""What a transaction promises, of every client alike."""

from __future__ import annotations

import pytest

from bus.errors import ConfigurationError, RetryError
from bus.ports import Message, Partition


def message(topic: str, value: bytes | None, key: bytes | None = b"k", partition: int = 0) -> Message:
    return Message(topic, partition, key, value, 1_767_225_600_000)


def test_messages_and_offsets_become_visible_together(bus):
    """Before the commit neither, after it both."""
    source, target = bus.topic(), bus.topic()
    bus.put(message(source, b"1"), message(source, b"2"))
    group = bus.name()
    member = bus.member(group, source)
    assert len(bus.take(member, 2)) == 2
    producer = bus.producer()
    producer.begin()
    producer.send([message(target, b"out")])
    producer.offsets({Partition(source, 0): 2}, member.membership())
    assert bus.client.ends([target]) == {Partition(target, 0): 0}
    assert bus.client.committed(group, [source]) == {}
    producer.commit()
    assert bus.values(target) == [b"out"]
    assert bus.client.committed(group, [source]) == {Partition(source, 0): 2}


def test_messages_to_many_partitions_and_topics_stand_or_fall_together(bus):
    """One commit, four partitions of two topics."""
    one, two = bus.topic(2), bus.topic(2)
    messages = [message(topic, b"%d" % number, partition=number) for topic in (one, two) for number in (0, 1)]
    producer = bus.producer()
    producer.begin()
    producer.send(messages)
    producer.abort()
    assert bus.values(one, 2) + bus.values(two, 2) == []
    producer = bus.producer()
    producer.begin()
    producer.send(messages)
    producer.commit()
    assert sorted(bus.values(one, 2) + bus.values(two, 2)) == [b"0", b"0", b"1", b"1"]


def test_what_is_aborted_is_never_seen(bus):
    """Neither its messages nor its offsets; what comes after it is."""
    source, target, group = bus.topic(), bus.topic(), bus.name()
    bus.put(message(source, b"1"))
    member = bus.member(group, source)
    bus.take(member, 1)
    producer = bus.producer()
    producer.begin()
    producer.send([message(target, b"never")])
    producer.offsets({Partition(source, 0): 1}, member.membership())
    producer.abort()
    bus.put(message(target, b"after"))
    assert bus.values(target) == [b"after"]
    assert bus.client.committed(group, [source]) == {}


def test_a_producer_goes_on_after_an_abort(bus):
    """An abort that succeeded leaves it as new."""
    topic = bus.topic()
    producer = bus.producer()
    for value, stands in ((b"1", False), (b"2", True), (b"3", False), (b"4", True)):
        producer.begin()
        producer.send([message(topic, value)])
        _ = producer.commit() if stands else producer.abort()
    assert bus.values(topic) == [b"2", b"4"]


def test_a_producer_that_failed_is_not_used_again(bus):
    """Offsets of what was refused linger in one client and would go out with the next transaction (trap 4)."""
    source, topic = bus.topic(), bus.topic()
    stranger = bus.consumer(bus.name(), source)
    producer = bus.producer()
    producer.begin()
    producer.send([message(topic, b"1")])
    with pytest.raises(RetryError):
        producer.offsets({Partition(source, 0): 1}, stranger.membership())
    producer.abort()
    with pytest.raises(RetryError):
        producer.begin()
    assert bus.values(topic) == []


def test_the_commit_says_at_which_offsets_the_messages_stand(bus):
    """Control records take offsets too, so counting would not do."""
    topic = bus.topic(2)
    producer = bus.producer()
    written = []
    for batch in (b"ab", b"c", b"def"):
        producer.begin()
        producer.send(message(topic, bytes([letter]), partition=letter % 2) for letter in batch)
        written += producer.commit()
    told = {(one.message.partition, one.offset): one.message.value for one in written}
    assert told == {(record.partition, record.offset): record.value for record in bus.read(topic, 2)}
    assert len(told) == 6


def test_the_commit_names_messages_in_the_order_sent_within_a_partition(bus):
    """Stores apply them in that order."""
    topic = bus.topic(3)
    producer = bus.producer()
    producer.begin()
    producer.send(message(topic, b"%d" % n, partition=n % 3) for n in range(30))
    producer.send(message(topic, b"%d" % n, partition=n % 3) for n in range(30, 60))
    written = producer.commit()
    for number in range(3):
        assert [int(one.message.value) for one in written if one.message.partition == number] == list(range(number, 60, 3))
    assert bus.values(topic, 3) != []


def test_an_empty_transaction_commits(bus):
    """A batch of records may lead to nothing."""
    producer = bus.producer()
    producer.begin()
    assert producer.commit() == []


def test_the_second_holder_of_an_id_fences_the_first(bus):
    """What the first had open is aborted at once, what it does later is refused."""
    topic, name = bus.topic(), bus.name()
    first = bus.producer(name)
    first.begin()
    first.send([message(topic, b"zombie")])
    second = bus.producer(name)
    with pytest.raises(RetryError):
        first.commit()
    second.begin()
    second.send([message(topic, b"heir")])
    second.commit()
    assert bus.values(topic) == [b"heir"]


def test_a_fenced_producer_cannot_begin_anything_that_stands(bus):
    """The fence may show in any call, at the commit at the latest."""
    topic, name = bus.topic(), bus.name()
    first = bus.producer(name)
    bus.producer(name)

    def work() -> None:
        first.begin()
        first.send([message(topic, b"zombie")])
        first.commit()

    with pytest.raises(RetryError):
        work()
    assert bus.values(topic) == []


def test_a_transaction_that_lasts_too_long_does_not_stand(bus):
    """The coordinator aborts it; the commit must say so and not pretend (trap 1)."""
    topic = bus.topic()
    producer = bus.producer()
    producer.begin()
    producer.send([message(topic, b"1")])
    bus.let_transactions_expire()
    with pytest.raises(RetryError):
        producer.commit()
    assert bus.values(topic) == []


def test_a_topic_that_is_not_there_is_named(bus):
    """Nobody makes topics by mistyping them."""
    producer = bus.producer()
    producer.begin()

    def work() -> None:
        producer.send([message("contract.nowhere", b"1")])
        producer.commit()

    with pytest.raises((ConfigurationError, RetryError), match=r"contract\.nowhere|UNKNOWN_TOPIC|UnknownTopic"):
        work()


def test_a_message_arrives_as_it_was_sent(bus):
    """Key, value, headers and timestamp; None and empty are two things; any bytes; sizes around the varint steps."""
    topic = bus.topic()
    sizes = [0, 1, 63, 64, 8191, 8192, 20_000]
    messages = [
        Message(topic, 0, b"k", None, 1, ()),
        Message(topic, 0, None, b"", 2, (("ce_id", b"1"), ("空", "头".encode()), ("empty", b""))),
        Message(topic, 0, "渝建许〔2026〕7号".encode(), bytes(range(256)), 1_767_225_600_123, (("a" * 100, b"b" * 200),)),
        *(Message(topic, 0, b"k" * size, b"v" * size, 1_000_000 - size, ()) for size in sizes),
    ]
    bus.put(*messages)
    found = [Message(r.topic, r.partition, r.key, r.value, r.timestamp, r.headers) for r in bus.read(topic)]
    assert found == messages


def test_many_messages_and_large_ones_keep_their_order(bus):
    """More than one batch for a partition, some larger than a batch of ours."""
    topic = bus.topic()
    values = [b"%06d" % n + b"x" * (700_000 if n in {3, 500} else n % 900) for n in range(2000)]
    bus.put(*(message(topic, value) for value in values))
    assert bus.values(topic) == values
