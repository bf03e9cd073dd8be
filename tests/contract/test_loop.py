"""The loop, the store and the client together: crash anywhere, and everything is there once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bus.ports import Client, Message, Partition, Record, Store, Written
from bus.store import follow, open_store, restore, table
from bus.transaction import Loop

ROUNDS = 60


class Counter:
    """Counts the records of each key in a store, and says each new count; `break_store` loses the write after a commit."""

    def __init__(self, client: Client, folder: Path, target: str, log: str) -> None:
        self.client, self.folder, self.target = client, folder, target
        self.changelogs = {log: table("counts")}
        self.log = log
        self.stores: dict[int, Store] = {}
        self.pending: dict[bytes, int] = {}
        self.break_store = False
        self.restored = 0

    def assigned(self, partitions: frozenset[int]) -> None:
        self.close()
        self.stores = {number: open_store(self.folder / str(number)) for number in partitions}
        self.restored += sum(restore(self.client, store, number, self.changelogs) for number, store in self.stores.items())

    def process(self, records: Sequence[Record]) -> list[Message]:
        return [message for record in records for message in self._count(record)]

    def _count(self, record: Record) -> list[Message]:
        stored = self.stores[record.partition].get("counts", record.key)
        count = self.pending[record.key] = self.pending.get(record.key, int(stored or 0)) + 1
        value = b"%d" % count
        return [Message(topic, record.partition, record.key, value, 0) for topic in (self.log, self.target)]

    def committed(self, written: Sequence[Written]) -> None:
        if self.break_store:
            raise OSError("disk full")
        follow(self.stores, written, self.changelogs)
        self.pending.clear()

    def aborted(self) -> None:
        self.pending.clear()

    def close(self) -> None:
        for store in self.stores.values():
            store.close()
        self.stores = {}


@pytest.fixture
def work(bus, tmp_path):
    """Topics, a group and a way to make a worker on them."""
    source, target, log, group = bus.topic(2), bus.topic(2), bus.topic(2, compacted=True), bus.name()
    opened: list[tuple[Loop, Counter]] = []

    def worker(name: str = "one") -> tuple[Loop, Counter]:
        counter = Counter(bus.client, tmp_path / "state", target, log)
        loop = Loop(bus.client, group, [source], counter, f"{group}-{name}", max_batch=7)
        opened.append((loop, counter))
        return loop, counter

    yield source, target, worker
    for loop, counter in opened:
        loop.close()
        counter.close()


def fill(bus, source: str, count: int) -> None:
    bus.put(*(Message(source, n % 2, b"key-%d" % (n % 4), b"x", 0) for n in range(count)))


def drain(loop: Loop) -> int:
    """Step until nothing more comes; how many records were done."""
    done, idle = 0, 0
    for _ in range(ROUNDS):
        step = loop.step(1)
        done += step
        idle = idle + 1 if loop.partitions and not step else 0
        if idle == 3:
            break
    return done


def counts(bus, target: str) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = {}
    for record in bus.read(target, 2):
        found.setdefault(record.key, []).append(int(record.value))
    return found


def test_each_record_counts_once(bus, work):
    """Twenty records of four keys: 1 to 5 for each."""
    source, target, worker = work
    fill(bus, source, 20)
    loop, _ = worker()
    assert drain(loop) == 20
    assert counts(bus, target) == {b"key-%d" % n: [1, 2, 3, 4, 5] for n in range(4)}


def test_what_the_store_missed_after_a_commit_comes_from_the_changelog(bus, work):
    """The process dies between the commit and the write of the store: nothing is counted twice or left out."""
    source, target, worker = work
    fill(bus, source, 8)
    loop, counter = worker()
    drain(loop)
    fill(bus, source, 8)
    counter.break_store = True
    with pytest.raises(OSError, match="disk full"):
        drain(loop)
    loop.close()
    counter.close()
    fill(bus, source, 4)
    loop, counter = worker("two")
    drain(loop)
    assert counter.restored > 0
    assert counts(bus, target) == {b"key-%d" % n: [1, 2, 3, 4, 5] for n in range(4)}


def test_a_lost_store_is_built_again(bus, work, tmp_path):
    """Deleting the folder costs time, never data."""
    source, target, worker = work
    fill(bus, source, 8)
    loop, counter = worker()
    assert drain(loop) == 8
    loop.close()
    counter.close()
    (tmp_path / "state").rename(tmp_path / "gone")
    fill(bus, source, 4)
    loop, counter = worker("two")
    drain(loop)
    assert 4 <= counter.restored <= 8  # the broker may have compacted already: the last of each of four keys is enough
    assert counts(bus, target) == {b"key-%d" % n: [1, 2, 3] for n in range(4)}


def test_work_that_fails_again_and_again_is_done_once_in_the_end(bus, work):
    """Every third batch breaks after everything was computed: abort, new clients, back to what is committed."""
    source, target, worker = work
    fill(bus, source, 20)
    loop, counter = worker()
    process, calls = counter.process, iter(range(1000))

    def sometimes(records: Sequence[Record]) -> list[Message]:
        messages = process(records)
        if next(calls) % 3 == 1:
            raise ConnectionError("something broke")
        return messages

    counter.process = sometimes
    done = 0
    while done < 20:
        try:
            done += loop.step(0.5)
        except ConnectionError:
            continue
    assert counts(bus, target) == {b"key-%d" % n: [1, 2, 3, 4, 5] for n in range(4)}


def test_the_committed_offsets_follow_the_work(bus, work):
    """What the group has committed is what was read and written."""
    source, _, worker = work
    fill(bus, source, 6)
    loop, _ = worker()
    drain(loop)
    assert bus.client.committed(loop._group, [source]) == {Partition(source, 0): 3, Partition(source, 1): 3}
