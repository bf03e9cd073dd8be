"""How a service is, told from inside its loop: alive while it turns, ready when it has its partitions and their stores."""

from __future__ import annotations

from collections.abc import Sequence

from bus.memory import Cluster
from bus.ports import Message, Partition, Record, Written
from bus.pulse import DEAD, Beat, Pulse, unread
from bus.topics import Topic
from bus.transaction import Loop


class Watched:
    """A processor that looks at its loop's pulse while its stores catch up, and while it works."""

    def __init__(self) -> None:
        self.seen: list[Pulse] = []
        self.loop: Loop | None = None

    def assigned(self, _: frozenset[int]) -> None:
        assert self.loop
        self.seen.append(self.loop.pulse())

    def process(self, _: Sequence[Record]) -> list[Message]:
        return []

    def committed(self, _: Sequence[Written]) -> None: ...
    def aborted(self) -> None: ...


def looped(cluster: Cluster, member: int = 0) -> tuple[Loop, Watched]:
    processor = Watched()
    processor.loop = Loop(cluster, "router", ["in"], processor, f"router-{member}")
    return processor.loop, processor


def cluster() -> Cluster:
    made = Cluster()
    made.create([Topic("in", "key", partitions=1)])
    return made


def test_a_loop_is_ready_with_its_partitions_and_not_while_stores_catch_up() -> None:
    """Not before the first assignment either, and not after an error until they are assigned again."""
    kafka = cluster()
    loop, processor = looped(kafka)
    assert not loop.pulse().ready
    assert loop.pulse().figures["dropped_total"] == 0
    loop.step()
    assert [one.ready for one in processor.seen] == [False]
    assert "catch up" in processor.seen[0].missing
    assert loop.pulse().ready
    kafka.publish([Message("in", 0, b"a", b"b", 0)])
    kafka.fail_next_commit()
    loop.step()
    assert "did not stand" in loop.pulse().missing
    while loop.pulse().figures.get("records_total") != 1:
        loop.step()
    pulse = loop.pulse()
    assert pulse.ready
    assert dict(pulse.figures) == {
        "partitions": 1,
        "failures": 0,
        "transactions_total": 1,
        "records_total": 1,
        "dropped_total": 1,
    }
    loop.close()


def test_a_member_without_partitions_is_not_ready() -> None:
    """More members than partitions: it stands by, and nobody should count on it."""
    kafka = cluster()
    (first, _), (second, _) = looped(kafka), looped(kafka, 1)
    for _ in range(3):
        first.step()
        second.step()
    assert sorted([first.pulse().ready, second.pulse().ready]) == [False, True]
    first.close()
    second.close()


def test_a_loop_that_turns_no_more_is_dead_and_one_that_catches_up_is_not() -> None:
    """A store may take minutes to be read back; a turn may not."""
    now = 0.0
    beat = Beat("")
    beat._clock = lambda: now
    beat.turn()
    now = DEAD - 1
    assert beat.pulse().ready
    now = DEAD + 1
    assert not beat.pulse().alive
    assert not beat.pulse().ready
    with beat.busy("It reads."):
        assert beat.pulse() == Pulse(0.0, "It reads.")
    assert beat.pulse().ready


def test_the_mark_behind_the_last_record_is_not_unread() -> None:
    """Each transaction ends with a mark that takes an offset; whoever has read its records stands before it."""
    ends = {Partition("in", 0): 10, Partition("in", 1): 7, Partition("in", 2): 5}
    assert unread({Partition("in", 0): 9, Partition("in", 1): 7, Partition("in", 2): 4}, ends) == 0
    assert unread({Partition("in", 0): 4, Partition("in", 1): 7}, ends) == 11
