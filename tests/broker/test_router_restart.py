"""What a router reads when it starts: of its changelogs only what its stores have not seen, whoever worked meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from router_lives import event, life
from router_story import CODEC

from bus import connect
from bus.broker import Broker
from bus.memory import Cluster
from bus.partition import partition_of
from bus.ports import Client, Message, Partition, Record
from bus.settings import KafkaSettings
from bus.store import open_store
from bus.topics import EVENTS, standard
from bus.transaction import Loop
from router.keep import CHANGELOGS
from router.service import TOPICS, Router, Settings
from schemas.envelope import Event

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
PARTITIONS = 2
QUICK = {"session_timeout_ms": 1500, "transaction_timeout_ms": 3000}


class Counted:
    """A client that remembers every record it read without a group: what a store was restored from."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.records: list[Record] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def read(self, positions: Mapping[Partition, int]) -> Iterator[list[Record]]:
        for batch in self._client.read(positions):
            self.records += batch
            yield batch

    def take(self) -> set[tuple[str, int, int]]:
        """Where what was read since the last question stands."""
        found = {record[:3] for record in self.records}
        assert len(found) == len(self.records), "a record was read twice"
        self.records = []
        return found


class Machine:
    """A router with a disk of its own."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client, self.folder = Counted(client), folder
        self.router = Router(self.client, CODEC, self.store, Settings(PARTITIONS))
        self.loop = Loop(self.client, "router", TOPICS, self.router, folder.name)

    def store(self, number: int) -> Any:
        return open_store(self.folder / str(number))

    def stop(self) -> None:
        self.loop.close()
        self.router.close()

    def positions(self) -> dict[Partition, int]:
        """How much of its changelogs each of its stores has seen; of one that it has not, nothing. It must be stopped."""
        found = {}
        for number in range(PARTITIONS):
            store = self.store(number)
            found |= {Partition(topic, number): store.offset(topic) for topic in CHANGELOGS}
            store.close()
        return found


@pytest.fixture
def memory() -> Client:
    cluster = Cluster()
    cluster.create(standard(PARTITIONS))
    return cluster


@pytest.fixture(params=["memory", "kafka-python", "confluent"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    if request.param == "memory":
        yield request.getfixturevalue("memory")
        return
    with Broker(tmp_path / "kafka") as broker:
        made = connect(KafkaSettings(client=request.param, **QUICK).at(broker.bootstrap))
        made.create(standard(PARTITIONS))
        yield made
        made.close()


def publish(client: Client, events: Iterable[Event]) -> int:
    messages = [Message(EVENTS.name, place(one.case), one.case.encode(), one.raw, 1) for one in events]
    producer = client.producer("source")
    producer.begin()
    producer.send(messages)
    producer.commit()
    producer.close()
    return len(messages)


def place(case: str) -> int:
    return partition_of(case.encode(), PARTITIONS)


def lives(first: int, count: int) -> list[Event]:
    return [one for number in range(first, first + count) for one in life(f"city:{number}")]


def work(events: int, *machines: Machine) -> None:
    """Until they have worked on so many events together and all have partitions."""
    done = 0
    for _ in range(200):
        done += sum(machine.loop.step(1.0) for machine in machines)
        if done >= events and all(machine.loop.partitions for machine in machines):
            break
    assert done == events


def written_since(client: Client, positions: Mapping[Partition, int]) -> set[tuple[str, int, int]]:
    """Where the changelogs' records stand from these offsets on, of all there are."""
    whole = [record for batch in client.read(dict.fromkeys(positions, 0)) for record in batch]
    return {record[:3] for record in whole if record.offset >= positions[Partition(record.topic, record.partition)]}


def test_a_restart_reads_only_what_the_store_has_not_seen(memory: Client, tmp_path: Path) -> None:
    """Nothing after an orderly end; after another machine has worked, what that one wrote; a new disk reads all."""
    home = Machine(memory, tmp_path / "home")
    work(publish(memory, lives(0, 10)), home)
    assert home.client.take() == set()
    home.stop()
    work(0, again := Machine(memory, tmp_path / "home"))
    assert again.client.take() == set()
    again.stop()
    seen = again.positions()
    work(0, other := Machine(memory, tmp_path / "other"))
    assert other.client.take() == written_since(memory, dict.fromkeys(seen, 0))
    work(publish(memory, lives(10, 3)), other)
    other.stop()
    work(0, back := Machine(memory, tmp_path / "home"))
    missed = written_since(memory, seen)
    assert 0 < len(missed) < len(written_since(memory, dict.fromkeys(seen, 0))) / 2
    assert back.client.take() == missed
    back.stop()


def test_a_commit_that_its_store_has_not_heard_of_is_read_on(memory: Client, tmp_path: Path, monkeypatch: Any) -> None:
    """As after a kill between commit and store: exactly that transaction is read, and the case goes on where it was."""
    home = Machine(memory, tmp_path / "home")
    work(publish(memory, lives(0, 5)), home)
    monkeypatch.setattr("router.keep.follow", lambda *_: None)
    work(publish(memory, [event("Rated", 60, case="city:1")]), home)
    monkeypatch.undo()
    home.stop()
    lost = written_since(memory, home.positions())
    assert {one[0] for one in lost} == set(CHANGELOGS)
    work(0, again := Machine(memory, tmp_path / "home"))
    assert again.client.take() == lost
    again.stop()
    assert again.positions() == {place: end for place, end in last(memory).items() if place in again.positions()}


def last(client: Client) -> dict[Partition, int]:
    """After the last record of each partition."""
    found: dict[Partition, int] = {}
    for batch in client.read(dict.fromkeys(client.ends(list(CHANGELOGS)), 0)):
        found |= {Partition(record.topic, record.partition): record.offset + 1 for record in batch}
    return found


@pytest.mark.parametrize(("patience", "failures"), [(5.0, 0), (0.0, 1)])
def test_a_store_that_its_last_owner_still_holds_is_waited_for(
    memory: Client, tmp_path: Path, monkeypatch: Any, patience: float, failures: int
) -> None:
    """For a while, without leaving the group: that would only begin another rebalance."""
    monkeypatch.setattr("router.keep.HELD_SECONDS", patience)
    machine = Machine(memory, tmp_path / "home")
    held = machine.store(0)
    release = threading.Timer(0.3, held.close)
    release.start()
    machine.loop.step()
    release.join()
    assert machine.loop.failures == failures
    assert machine.loop.partitions == (frozenset() if failures else {0, 1})
    machine.stop()


def test_a_take_over_reads_the_new_partition_and_a_return_what_was_missed(client: Client, tmp_path: Path) -> None:
    """Two machines share; one goes, the other takes its partition over; it comes back and reads on from its own disk."""
    first = Machine(client, tmp_path / "first")
    work(publish(client, lives(0, 10)), first)
    second = Machine(client, tmp_path / "second")
    share(first, second)
    (lent,) = second.loop.partitions
    assert {one[1] for one in second.client.take()} == {lent}
    first.client.take()
    work(publish(client, lives(10, 4)), first, second)
    first.stop()
    missing = first.positions()
    alone(second)
    (taken,) = {0, 1} - {lent}
    assert second.client.take() == {one for one in written_since(client, dict.fromkeys(missing, 0)) if one[1] == taken}
    work(publish(client, lives(20, 3)), second)
    second.stop()
    work(0, back := Machine(client, tmp_path / "first"))
    assert back.client.take() == written_since(client, missing)
    back.stop()


def share(*machines: Machine) -> None:
    """Step each in its turn until each has one partition, in threads as in real life."""
    with ThreadPoolExecutor(len(machines)) as pool:
        for _ in range(60):
            list(pool.map(lambda machine: machine.loop.step(0.5), machines))
            if all(len(machine.loop.partitions) == 1 for machine in machines):
                return
    raise AssertionError([machine.loop.partitions for machine in machines])


def alone(machine: Machine) -> None:
    for _ in range(60):
        machine.loop.step(0.5)
        if len(machine.loop.partitions) == PARTITIONS:
            return
    raise AssertionError(machine.loop.partitions)
