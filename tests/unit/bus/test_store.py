"""State on disk: one suite over RocksDB and SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.errors import CorruptionError, RetryError
from bus.memory import Cluster
from bus.ports import Message, Partition, Store
from bus.store import follow, open_store, restore, table
from bus.topics import Topic

LOG = "log"
CHANGELOGS = {LOG: table("state")}


@pytest.fixture(params=["rocksdb", "sqlite"])
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def store(tmp_path: Path, engine: str) -> Iterator[Store]:
    store = open_store(tmp_path / "store", engine)
    yield store
    store.close()


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster()
    cluster.create([Topic(LOG, "key", partitions=2, compacted=True)])
    return cluster


def message(key: bytes, value: bytes | None, partition: int = 0) -> Message:
    return Message(LOG, partition, key, value, 0)


def test_what_was_put_is_found_and_what_was_deleted_is_not(store):
    """None as value deletes."""
    store.write([("t", b"a", b"1"), ("t", b"b", b"2")], {})
    store.write([("t", b"a", None)], {})
    assert store.get("t", b"a") is None
    assert store.get("t", b"b") == b"2"


def test_the_last_of_several_puts_in_a_batch_stands(store):
    """A case with several events in one transaction has one state."""
    store.write([("t", b"a", b"1"), ("t", b"a", None), ("t", b"a", b"3")], {})
    assert store.get("t", b"a") == b"3"


def test_tables_do_not_see_each_other(store):
    """The same key may stand in many tables, and one table's name may begin like another's."""
    store.write([("t", b"a", b"1"), ("t2", b"a", b"2")], {})
    assert (store.get("t", b"a"), store.get("t2", b"a"), store.get("t3", b"a")) == (b"1", b"2", None)
    assert list(store.scan("t", b"")) == [(b"a", b"1")]


def test_a_scan_gives_the_keys_with_the_prefix_in_byte_order(store):
    """The journal of a case is its key followed by the sequence in eight bytes."""
    keys = [b"case\x00" + n.to_bytes(8, "big") for n in (1, 2, 255, 256, 1 << 40)]
    store.write([("j", key, b"x") for key in (keys[2], keys[4], keys[0], b"casf", b"cas", keys[1], keys[3])], {})
    assert [key for key, _ in store.scan("j", b"case\x00")] == keys


def test_keys_of_any_bytes_are_kept_apart(store):
    """Chinese case numbers, zeros, the highest byte, and the empty key."""
    keys = ["gov:渝建许〔2026〕第7号".encode(), b"\x00", b"\xff\xff", b"", b"\x01"]
    store.write([("t", key, b"v" + key) for key in keys], {})
    assert [store.get("t", key) for key in keys] == [b"v" + key for key in keys]
    assert sorted(key for key, _ in store.scan("t", b"")) == sorted(keys)


def test_offsets_stand_with_the_batch_and_survive_closing(tmp_path, engine):
    """A new store stands at 0 of every changelog."""
    store = open_store(tmp_path / "s", engine)
    assert store.offset(LOG) == 0
    store.write([("t", b"a", b"1")], {LOG: 7, "other": 1 << 40})
    store.close()
    again = open_store(tmp_path / "s")
    assert (again.offset(LOG), again.offset("other"), again.get("t", b"a")) == (7, 1 << 40, b"1")
    again.close()


def test_a_batch_that_fails_leaves_nothing_of_itself(store):
    """Neither puts nor offsets, when what makes the puts breaks in the middle."""

    def puts():
        yield ("t", b"a", b"1")
        raise ValueError("broken fold")

    with pytest.raises(ValueError, match="broken fold"):
        store.write(puts(), {LOG: 9})
    assert (store.get("t", b"a"), store.offset(LOG)) == (None, 0)


def test_a_store_in_use_asks_to_wait(tmp_path, engine, store):
    """During a take-over on one machine the old owner closes a moment later."""
    with pytest.raises(RetryError, match="cannot be opened"):
        open_store(tmp_path / "store", engine)


def test_a_new_store_is_built_from_its_changelog(store, cluster):
    """Only its own partition is read, only what is committed counts."""
    cluster.publish([message(b"a", b"1"), message(b"b", b"2"), message(b"a", b"3"), message(b"x", b"9", partition=1)])
    ghost = cluster.producer("ghost")
    ghost.begin()
    ghost.send([message(b"a", b"ghost")])
    ghost.abort()
    assert restore(cluster, store, 0, CHANGELOGS) == 3
    assert dict(store.scan("state", b"")) == {b"a": b"3", b"b": b"2"}
    assert store.offset(LOG) == 3


def test_a_store_behind_reads_on_from_where_it_stands(store, cluster):
    """After a crash between commit and store only the missing part is read."""
    written = cluster.publish([message(b"a", b"1")])
    follow({0: store}, written, CHANGELOGS)
    cluster.publish([message(b"b", b"2"), message(b"a", None)])
    assert restore(cluster, store, 0, CHANGELOGS) == 2
    assert dict(store.scan("state", b"")) == {b"b": b"2"}


def test_a_commit_is_followed_in_the_store_of_its_partition_only(tmp_path, engine, store, cluster):
    """Topics that are no changelog are passed over."""
    cluster.create([Topic("other", "key", partitions=2)])
    second = open_store(tmp_path / "second", engine)
    written = cluster.publish([message(b"a", b"1"), Message("other", 0, b"o", b"1", 0), message(b"b", b"2", partition=1)])
    follow({0: store, 1: second}, written, CHANGELOGS)
    assert dict(store.scan("state", b"")) == {b"a": b"1"}
    assert dict(second.scan("state", b"")) == {b"b": b"2"}
    assert (store.offset(LOG), store.offset("other")) == (1, 0)
    second.close()


def test_a_store_of_another_cluster_is_refused(store, cluster):
    """It stands beyond the end of the changelog: what it holds was never committed here."""
    store.write([("state", b"a", b"old")], {LOG: 5})
    with pytest.raises(CorruptionError, match="another cluster"):
        restore(cluster, store, 0, CHANGELOGS)


def test_restoring_waits_for_a_transaction_of_a_dead_process(store, cluster):
    """Another's open transaction may hide what is committed behind it: the read goes on when its time is out."""
    dead = cluster.producer("dead")
    dead.begin()
    dead.send([message(b"d", b"never")])
    cluster.publish([message(b"a", b"1")])
    assert cluster.ends([LOG])[Partition(LOG, 0)] == 0
    assert restore(cluster, store, 0, CHANGELOGS) == 1
    assert store.get("state", b"a") == b"1"
