"""The loop around a processor, over the double: every rule of the wrapper that needs no broker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from bus.errors import ConfigurationError, RetryError, StuckError
from bus.memory import Cluster
from bus.ports import Message, Partition, Record, Written
from bus.topics import Topic
from bus.transaction import Limits, Loop, next_offsets, rectangle

IN, OUT, OTHER = "in", "out", "other"


class Copy:
    """Writes each record once more; remembers what it was told."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.written: list[Written] = []
        self.error: Exception | None = None

    def assigned(self, partitions: frozenset[int]) -> None:
        self.calls.append(f"assigned {sorted(partitions)}")

    def process(self, records: Sequence[Record]) -> list[Message]:
        self.calls.append(f"process {len(records)}")
        if self.error:
            raise self.error
        return [Message(OUT, r.partition, r.key, r.value, r.timestamp) for r in records]

    def committed(self, written: Sequence[Written]) -> None:
        self.calls.append(f"committed {len(written)}")
        self.written += written

    def aborted(self) -> None:
        self.calls.append("aborted")


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster()
    cluster.create([Topic(name, "key", partitions=2) for name in (IN, OUT, OTHER)])
    return cluster


@pytest.fixture
def copy() -> Copy:
    return Copy()


@pytest.fixture
def loop(cluster: Cluster, copy: Copy) -> Iterator[Loop]:
    loop = make(cluster, copy)
    yield loop
    loop.close()


def make(cluster: Cluster, copy: Copy, name: str = "one", **more: object) -> Loop:
    return Loop(cluster, "group", [IN], copy, f"copy-{name}", **more)  # type: ignore[arg-type]  free keywords of a test


def put(cluster: Cluster, count: int, partition: int = 0) -> None:
    cluster.publish(Message(IN, partition, b"k%d" % n, b"v%d" % n, 0) for n in range(count))


def values(cluster: Cluster, topic: str = OUT) -> list[bytes | None]:
    return [record.value for record in cluster.records(topic)]


def test_each_record_is_processed_and_its_offset_is_committed_with_the_output(cluster, copy, loop):
    """The first step joins, the second works; output and offset appear together."""
    put(cluster, 3)
    assert loop.step() == 0
    assert loop.step() == 3
    assert values(cluster) == [b"v0", b"v1", b"v2"]
    assert cluster.committed("group", [IN]) == {Partition(IN, 0): 3}
    assert copy.calls == ["assigned [0, 1]", "process 3", "committed 3"]
    assert [written.offset for written in copy.written] == [0, 1, 2]


def test_a_batch_is_never_larger_than_asked(cluster, copy):
    """`max_batch` bounds a transaction."""
    put(cluster, 5)
    loop = make(cluster, copy, max_batch=2)
    assert [loop.step() for _ in range(4)] == [0, 2, 2, 1]
    loop.close()


def test_a_refused_commit_leaves_nothing_and_the_work_is_done_again(cluster, copy, loop):
    """The processor is told, the stores are opened again, the records come again, once in the output."""
    put(cluster, 3)
    loop.step()
    cluster.fail_next_commit()
    assert loop.step() == 0
    assert values(cluster) == []
    assert loop.failures == 1
    assert [loop.step(), loop.step()] == [0, 3]
    assert values(cluster) == [b"v0", b"v1", b"v2"]
    assert loop.failures == 0
    assert copy.calls == ["assigned [0, 1]", "process 3", "aborted", "assigned [0, 1]", "process 3", "committed 3"]


def test_a_commit_whose_answer_was_lost_is_not_done_twice(cluster, copy, loop):
    """It stands though the caller saw an error: the committed offsets say so, the stores are caught up by `assigned`."""
    put(cluster, 3)
    loop.step()
    cluster.fail_after_commit()
    loop.step()
    assert [loop.step(), loop.step()] == [0, 0]
    assert values(cluster) == [b"v0", b"v1", b"v2"]
    assert copy.calls[-2:] == ["aborted", "assigned [0, 1]"]


def test_an_error_of_the_processor_aborts_and_is_raised(cluster, copy, loop):
    """A fault in our code is no reason to retry; what was computed does not stand."""
    put(cluster, 1)
    loop.step()
    copy.error = ValueError("broken rule")
    with pytest.raises(ValueError, match="broken rule"):
        loop.step()
    assert values(cluster) == []
    assert loop.partitions == frozenset()
    copy.error = None
    assert [loop.step(), loop.step()] == [0, 1]
    assert values(cluster) == [b"v0"]


def test_what_the_operator_must_change_stops_the_loop(cluster, copy, loop):
    """A configuration error is raised at once, without a second try."""
    put(cluster, 1)
    loop.step()
    copy.error = ConfigurationError("Set it.")
    with pytest.raises(ConfigurationError):
        loop.step()
    assert copy.calls.count("process 1") == 1


def test_failure_again_and_again_ends_the_process(cluster, copy):
    """After `limits.failures` in a row the loop gives up with the last reason in its sentence."""
    loop = make(cluster, copy, limits=Limits(failures=3))
    put(cluster, 1)
    copy.error = RetryError("The disk is slow.")
    while loop.failures < 2:
        loop.step()
    loop.step()
    with pytest.raises(StuckError, match=r"3 transactions in a row .* The disk is slow"):
        loop.step()
    assert copy.calls.count("process 1") == 3
    loop.close()


def test_a_success_forgets_the_failures_before_it(cluster, copy):
    """Only failures in a row count."""
    loop = make(cluster, copy, limits=Limits(failures=2))
    loop.step()
    for _ in range(4):
        put(cluster, 1)
        cluster.fail_next_commit()
        assert [loop.step(), loop.step(), loop.step()] == [0, 0, 1]
    loop.close()


def test_a_member_thrown_out_while_it_works_writes_nothing(cluster, copy, loop):
    """Its membership was taken after the poll, so the broker refuses its offsets; the new owner does the work."""
    put(cluster, 2)
    loop.step()
    heir = Copy()

    def take_over(records: Sequence[Record]) -> list[Message]:
        cluster.evict(loop._consumer)
        other = make(cluster, heir, "two")
        other.step()
        assert other.step() == 2
        other.close()
        return [Message(OUT, 0, b"k", b"zombie", 0)]

    copy.process = take_over
    assert loop.step() == 0
    assert values(cluster) == [b"v0", b"v1"]


def test_two_members_share_the_partitions_and_nothing_is_done_twice(cluster, copy, loop):
    """A second member takes half; both go on from what is committed."""
    put(cluster, 2, partition=0)
    put(cluster, 2, partition=1)
    loop.step()
    loop.step()
    other = make(cluster, Copy(), "two")
    other.step()
    put(cluster, 1, partition=0)
    put(cluster, 1, partition=1)
    steps = [(loop.step(), other.step()) for _ in range(3)]
    assert (loop.partitions, other.partitions) == (frozenset({0}), frozenset({1}))
    assert sum(map(sum, steps)) == 2
    assert len(values(cluster)) == 6
    other.close()


def test_a_partition_revoked_while_it_is_worked_on_aborts(cluster, copy, loop, monkeypatch):
    """The client says so by its flag: the transaction is dropped before the offsets, the consumer kept."""
    put(cluster, 1)
    loop.step()
    consumer = loop._consumer
    answers = iter([False, True])
    monkeypatch.setattr(consumer, "rebalanced", lambda: next(answers, False))
    assert loop.step() == 0
    assert values(cluster) == []
    assert loop._consumer is consumer
    assert [loop.step(), loop.step()] == [0, 1]


def test_any_other_failure_builds_a_new_consumer_and_a_new_producer(cluster, copy, loop):
    """Nothing of a failed client is used again."""
    put(cluster, 1)
    loop.step()
    consumer = loop._consumer
    cluster.fail_next_commit()
    loop.step()
    loop.step()
    assert loop._consumer is not consumer


def test_a_fenced_loop_drops_its_work(cluster, copy, loop):
    """Somebody opened the same transactional id: the first holder's work does not stand."""
    put(cluster, 1)
    loop.step()

    def fence(records: Sequence[Record]) -> list[Message]:
        cluster.producer("copy-one")
        return [Message(OUT, 0, b"k", b"fenced", 0)]

    copy.process = fence
    assert loop.step() == 0
    assert values(cluster) == []


def test_a_transaction_that_lasts_too_long_is_dropped(cluster, copy, loop):
    """The coordinator times it out while it is sent."""
    put(cluster, 1)
    loop.step()

    def dawdle(records: Sequence[Record]) -> Iterator[Message]:
        cluster.clock.advance(seconds=9)
        yield Message(OUT, 0, b"k", b"late", 0)

    copy.process = dawdle
    assert loop.step() == 0
    assert values(cluster) == []


def test_a_hard_batch_takes_longer_than_a_transaction_may(cluster, copy, loop):
    """It is worked on before the transaction begins, and under no watchdog: else the same records would end each new process."""
    put(cluster, 1)
    loop.step()

    def toil(records: Sequence[Record]) -> list[Message]:
        assert loop._watchdog._deadline is None
        cluster.clock.advance(seconds=90)
        return [Message(OUT, 0, b"k", b"hard", 0)]

    copy.process = toil
    assert loop.step() == 1
    assert values(cluster) == [b"hard"]


def test_no_work_starts_on_an_assignment_that_differs_between_topics(cluster, copy, monkeypatch):
    """Partition 1 of one topic without partition 1 of the other would split a case between two owners."""
    loop = Loop(cluster, "group", [IN, OTHER], copy, "copy-one")
    put(cluster, 1)
    crooked = frozenset({Partition(IN, 0), Partition(IN, 1), Partition(OTHER, 0)})
    with monkeypatch.context() as patch:
        patch.setattr("bus.memory_clients.MemoryConsumer.assignment", lambda _: crooked)
        assert [loop.step(), loop.step()] == [0, 0]
        assert copy.calls == []
    assert [loop.step(), loop.step()] == [0, 1]
    loop.close()


def test_a_store_that_fails_after_the_commit_is_caught_up_and_the_work_not_repeated(cluster, copy, loop):
    """The error is raised, the transaction stands, and the next step opens the stores again."""
    put(cluster, 1)
    loop.step()

    def fail(written: Sequence[Written]) -> None:
        raise OSError("disk full")

    copy.committed = fail
    with pytest.raises(OSError, match="disk full"):
        loop.step()
    assert [loop.step(), loop.step()] == [0, 0]
    assert values(cluster) == [b"v0"]
    assert copy.calls[-1] == "assigned [0, 1]"


def test_a_rectangle_has_the_same_numbers_of_every_topic():
    """`None` is the answer that keeps the loop from starting."""
    square = frozenset(Partition(topic, number) for topic in (IN, OUT) for number in (1, 3))
    assert rectangle(square, [IN, OUT]) == {1, 3}
    assert rectangle(square - {Partition(OUT, 3)}, [IN, OUT]) is None
    assert rectangle(frozenset(), [IN, OUT]) == frozenset()


def test_the_next_offset_follows_the_last_record_of_each_partition():
    """Records of several partitions may be mixed."""
    records = [Record(IN, n, offset, None, None, 0) for n, offset in ((0, 4), (1, 9), (0, 5))]
    assert next_offsets(records) == {Partition(IN, 0): 6, Partition(IN, 1): 10}
