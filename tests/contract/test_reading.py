"""What readers, members and positions promise, of every client alike."""

from __future__ import annotations

import time

import pytest

from bus.errors import ConfigurationError, CorruptionError, RetryError
from bus.ports import Message, Partition
from bus.topics import Topic


def message(topic: str, value: bytes | None, key: bytes | None = b"k", partition: int = 0) -> Message:
    return Message(topic, partition, key, value, 0)


def test_an_open_transaction_holds_the_end_and_the_group_but_not_for_ever(bus):
    """Nothing behind it is shown; when its time is out, everything committed behind it is."""
    topic = bus.topic()
    bus.put(message(topic, b"before"))
    dead = bus.producer()
    dead.begin()
    dead.send([message(topic, b"open")])
    _flush(dead, bus)
    bus.put(message(topic, b"behind"))
    end = bus.client.ends([topic])[Partition(topic, 0)]
    assert end == 2
    assert bus.values(topic) == [b"before", b"behind"]
    assert bus.client.ends([topic])[Partition(topic, 0)] > end


def _flush(producer, bus) -> None:
    """Make sure the broker has the message of an open transaction."""
    member = bus.member(bus.name(), topic := bus.topic())
    producer.offsets({Partition(topic, 0): 0}, member.membership())


def test_the_end_of_an_empty_partition_is_0_and_its_reader_stops(bus):
    """Every partition of the topic is named."""
    topic = bus.topic(3)
    assert bus.client.ends([topic]) == {Partition(topic, number): 0 for number in range(3)}
    assert bus.read(topic, 3) == []


def test_a_reader_stops_though_the_last_offsets_are_control_records(bus):
    """Commit and abort markers, several in a row, at the end of the partition."""
    topic = bus.topic()
    bus.put(message(topic, b"1"))
    producer = bus.producer()
    for _ in range(3):
        producer.begin()
        producer.send([message(topic, b"never")])
        producer.abort()
    assert bus.values(topic) == [b"1"]


def test_a_reader_is_not_kept_waiting_by_control_records_at_the_end(bus):
    """The best of ten: each took half a second, at every look into the ledger and every start of a store."""
    topic = bus.topic()
    bus.put(message(topic, b"1"))
    took = []
    for _ in range(10):
        began = time.perf_counter()
        assert bus.values(topic) == [b"1"]
        took.append(time.perf_counter() - began)
    assert min(took) < 0.45


def test_a_reader_starts_where_it_is_told(bus):
    """At an offset in the middle of a batch, and at the end."""
    topic = bus.topic()
    bus.put(*(message(topic, b"%d" % n) for n in range(10)))
    at = Partition(topic, 0)
    assert [r.value for batch in bus.client.read({at: 7}) for r in batch] == [b"7", b"8", b"9"]
    assert list(bus.client.read({at: bus.client.ends([topic])[at]})) == []
    assert list(bus.client.read({})) == []


def test_a_reader_that_does_not_stop_shows_what_comes_later(bus):
    """An empty batch says that nothing came for a while."""
    topic = bus.topic()
    reader = bus.client.read({Partition(topic, 0): 0}, until_end=False, timeout=0.2)
    assert next(reader) == []
    bus.put(message(topic, b"1"))
    values: list[bytes | None] = []
    for _ in range(50):
        values += [record.value for record in next(reader)]
        if values:
            break
    reader.close()
    assert values == [b"1"]


def test_a_member_reads_from_the_beginning_and_then_from_what_is_committed(bus):
    """Rewinding goes back to the committed offset, as often as one likes."""
    topic, group = bus.topic(), bus.name()
    bus.put(*(message(topic, b"%d" % n) for n in range(4)))
    member = bus.member(group, topic)
    assert [r.value for r in bus.take(member, 4)] == [b"0", b"1", b"2", b"3"]
    producer = bus.producer()
    producer.begin()
    producer.offsets({Partition(topic, 0): 2}, member.membership())
    producer.commit()
    for _ in range(2):
        member.rewind()
        assert [r.value for r in bus.take(member, 2)] == [b"2", b"3"]


def test_a_poll_gives_no_more_than_asked(bus):
    """And forgets nothing of the rest."""
    topic = bus.topic(2)
    bus.put(*(message(topic, b"%d" % n, partition=n % 2) for n in range(20)))
    member = bus.member(bus.name(), topic)
    values = []
    while len(values) < 20:
        records = member.poll(5, 3)
        assert 0 < len(records) <= 3
        values += [record.value for record in records]
    assert sorted(values) == sorted(b"%d" % n for n in range(20))


def test_positions_pass_over_control_records(bus):
    """A member that has read everything stands at the end."""
    topic = bus.topic()
    bus.put(message(topic, b"1"))
    bus.put(message(topic, b"2"))
    member = bus.member(bus.name(), topic)
    bus.take(member, 2)
    assert member.poll(0.5) == []
    assert member.positions() == bus.client.ends([topic]) == {Partition(topic, 0): 4}


def test_two_members_have_the_same_numbers_of_every_topic(bus):
    """Co-partitioned: whoever has partition 1 of one topic has it of the other."""
    one, two, group = bus.topic(4), bus.topic(4), bus.name()
    first, second = bus.consumer(group, one, two), bus.consumer(group, one, two)
    bus.settle(first, second)
    numbers = []
    for member in (first, second):
        held = member.assignment()
        numbers.append({place.number for place in held})
        assert held == {Partition(topic, number) for topic in (one, two) for number in numbers[-1]}
    assert sorted(numbers[0] | numbers[1]) == [0, 1, 2, 3]
    assert len(numbers[0]) == len(numbers[1]) == 2


def test_a_rebalance_is_told_once(bus):
    """Joining is the first."""
    topic = bus.topic()
    member = bus.consumer(bus.name(), topic)
    while not member.assignment():
        member.poll(1)
    assert member.rebalanced()
    assert not member.rebalanced()


def test_a_member_that_lost_its_place_commits_nothing(bus):
    """The membership it took after its poll is stale: the broker refuses it, and what it computed falls with it."""
    source, target, group = bus.topic(), bus.topic(), bus.name()
    bus.put(message(source, b"1"))
    zombie = bus.member(group, source)
    bus.take(zombie, 1)
    stale = zombie.membership()
    zombie.close()
    heir = bus.member(group, source)
    assert len(bus.take(heir, 1)) == 1
    producer = bus.producer()
    producer.begin()
    producer.send([message(target, b"zombie")])

    def commit() -> None:
        producer.offsets({Partition(source, 0): 1}, stale)
        producer.commit()

    with pytest.raises(RetryError):
        commit()
    assert bus.client.committed(group, [source]) == {}
    assert bus.values(target) == []


def test_offsets_without_a_membership_are_refused(bus):
    """A consumer that has not joined holds none."""
    topic = bus.topic()
    producer = bus.producer()
    producer.begin()
    stranger = bus.consumer(bus.name(), topic)
    with pytest.raises(RetryError):
        producer.offsets({Partition(topic, 0): 0}, stranger.membership())


def test_a_group_beyond_the_end_of_its_topic_is_corruption(bus):
    """The topic was made again, or records were lost: nobody may go on as if nothing had happened."""
    topic, group = bus.topic(), bus.name()
    member = bus.member(group, topic)
    producer = bus.producer()
    producer.begin()
    producer.offsets({Partition(topic, 0): 77}, member.membership())
    producer.commit()
    with pytest.raises(CorruptionError, match="77"):
        member.rewind()


def test_topics_are_created_once_and_checked_ever_after(bus):
    """Another partition count is refused with what to do; a missing topic is named."""
    name = bus.topic(2)
    bus.client.create([Topic(name, "key", partitions=2)])
    with pytest.raises(ConfigurationError, match=r"has 2 partitions, the settings say 3.*set kafka\.partitions back"):
        bus.client.create([Topic(name, "key", partitions=3)])
    with pytest.raises(ConfigurationError, match=r"no topic contract\.missing"):
        bus.client.ends(["contract.missing"])
    with pytest.raises(ConfigurationError, match=r"no topic contract\.missing"):
        bus.client.consumer(bus.name(), ["contract.missing"])


def test_what_nothing_was_taken_from_begins_at_0(bus):
    """Every partition of the topic is named; a topic that is not there is told."""
    topic = bus.topic(2)
    bus.put(message(topic, b"1"))
    assert bus.client.begins([topic]) == {Partition(topic, number): 0 for number in range(2)}
    with pytest.raises(ConfigurationError, match=r"contract\.missing"):
        bus.client.begins(["contract.missing"])
