"""The monitor's shell reads on from where its view stands, and knows when a run has ended."""

from __future__ import annotations

import monitor_world as world
import pytest
from sqlalchemy import func, select

from bus import topics
from bus.memory import Cluster
from bus.ports import Message
from monitor import tables
from monitor.service import Service
from monitor.view import View

PARTITIONS = 2
EVENTS = [world.event("Applied", 1), world.event("Accepted", 3), world.event("Decided", 9, result="GRANTED")]


@pytest.fixture
def cluster():
    made = Cluster()
    made.create(topics.standard(PARTITIONS))
    return made


@pytest.fixture
def view(tmp_path):
    opened = View.at(tmp_path / "view.db")
    yield opened
    opened.close()


def put(cluster, *records):
    cluster.publish([Message(one.topic, one.partition, one.key, one.value, one.timestamp, one.headers) for one in records])


def journal(entries, partition=0):
    return [world.journal_record(entry, 0, partition) for entry in entries]


def count(view, table=tables.events):
    return view.all(select(func.count()).select_from(table))[0][0]


def test_loading_reads_everything_there_is_and_no_more_than_once(cluster, view):
    """A second load finds nothing new."""
    put(cluster, *journal(world.chain(EVENTS)), world.state_record(world.state(EVENTS), 0, 1), world.letter_record(0))
    service = Service(view, cluster, world.CODEC)
    assert service.load() == 5
    assert (count(view), count(view, tables.cases), count(view, tables.dead_letters)) == (3, 1, 1)
    assert service.load() == 0
    assert service.progress().read <= service.progress().end


def test_a_new_monitor_goes_on_where_the_last_one_stopped(cluster, view):
    """The positions are in the view, not in the process."""
    entries = world.chain(EVENTS)
    put(cluster, *journal(entries[:1]))
    Service(view, cluster, world.CODEC).load()
    put(cluster, *journal(entries[1:]))
    assert Service(view, cluster, world.CODEC).load() == 2
    assert count(view) == 3


def test_history_is_mute_and_only_what_comes_live_is_watched(cluster, view):
    """The watcher sees no row of what was there before the monitor caught up."""
    entries = world.chain(EVENTS)
    put(cluster, *journal(entries[:2]))
    seen = []
    service = Service(view, cluster, world.CODEC, lambda rows: seen.append([row["sequence"] for row in rows.of(tables.events)]))

    def stop():
        if count(view) == 2:
            put(cluster, *journal(entries[2:]))
        return count(view) == 3

    service.follow(stop)
    assert [sequences for sequences in seen if sequences] == [[3]]


def test_a_run_has_ended_when_every_journal_partition_says_so(cluster, view):
    """One partition is not enough; then the states behind the markers are read, too."""
    service = Service(view, cluster, world.CODEC)
    put(cluster, world.ended_record("run", 2, 0, partition=0))
    service.load()
    assert not service.ended("run")
    put(cluster, world.ended_record("run", 2, 0, partition=1), world.state_record(world.state(EVENTS), 0))
    service.until_ended("run")
    assert service.ended("run")
    assert count(view, tables.cases) == 1


def test_a_large_history_is_written_in_few_transactions(cluster, view, monkeypatch):
    """Small batches of the bus are gathered."""
    monkeypatch.setattr("monitor.service.LOAD", 2)
    sizes = []
    apply_batch = view.apply_batch
    monkeypatch.setattr(view, "apply_batch", lambda records, *rest: sizes.append(len(records)) or apply_batch(records, *rest))
    put(cluster, *journal(world.chain(EVENTS)))
    Service(view, cluster, world.CODEC).load()
    assert sizes == [2, 1]


def test_how_far_loading_is_can_be_read_from_the_view_alone(cluster, view, monkeypatch):
    """Whoever looks needs no Kafka for it; once loaded there is nothing to wait for."""
    monkeypatch.setattr("monitor.service.LOAD", 2)
    seen = []
    apply_batch = view.apply_batch
    monkeypatch.setattr(view, "apply_batch", lambda *given: (apply_batch(*given), seen.append(view.progress()))[0])
    put(cluster, *journal(world.chain(EVENTS)))
    Service(view, cluster, world.CODEC).load()
    assert [read for read, _ in seen] == [2, 3]
    assert all(end >= 3 for _, end in seen)
    assert view.progress() == (0, 0)


def test_a_view_that_has_read_more_than_kafka_holds_says_where(cluster, view):
    """It was made from another Kafka, or Kafka was put back: what comes there now would be missing in it."""
    put(cluster, *journal(world.chain(EVENTS)))
    Service(view, cluster, world.CODEC).load()
    assert Service(view, cluster, world.CODEC).ahead() == ""
    earlier = Cluster()
    earlier.create(topics.standard(PARTITIONS))
    put(earlier, *journal(world.chain(EVENTS[:1])))
    assert Service(view, earlier, world.CODEC).ahead() == "case.journal partition 0 (read to 3, it ends at 2)"
