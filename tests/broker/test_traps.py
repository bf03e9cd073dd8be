"""Every trap of kafka-python that loses, doubles or hangs, as a test of the wrapper on a real broker, over both clients.

Each test fails when the rule that answers its trap is taken out.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaConnectionError
from kafka.structs import MemberState, TopicPartition

from bus import connect
from bus.broker import Broker
from bus.crash import VARIABLE
from bus.errors import FencedError, RetryError
from bus.kafka import KafkaClient, Timing, _Net
from bus.partition import partition_of
from bus.ports import Message, Partition
from bus.settings import KafkaSettings
from bus.topics import Topic
from bus.transaction import Loop
from tests.broker.trap_worker import SETTINGS, Copy

pytestmark = pytest.mark.broker

WORKER = Path(__file__).with_name("trap_worker.py")
ROOT = Path(__file__).parents[2]
EXPIRED = 3.0 + 2.5  # seconds: the transaction's time-out, and the coordinator's round of looking for late ones
COUNT = 200

_names = itertools.count(int(time.time() * 1000))


class Scene:
    """One client on one broker, with a source and a target topic, and processes that copy from one to the other."""

    def __init__(self, bootstrap: str, kind: str, partitions: int = 2) -> None:
        self.settings = KafkaSettings(brokers=bootstrap, client=kind, **SETTINGS)
        self.client = connect(self.settings)
        self.partitions = partitions
        self.source, self.target = self.topic("source"), self.topic("target")
        self.group = self.name("group")
        self.stack = ExitStack()
        self.stack.callback(self.client.close)

    def name(self, what: str) -> str:
        return f"trap.{what}.{next(_names)}"

    def topic(self, what: str) -> str:
        name = self.name(what)
        self.client.create([Topic(name, "key", partitions=self.partitions)])
        return name

    def fill(self, count: int = COUNT) -> None:
        producer = self.client.producer(self.name("fill"))
        producer.begin()
        producer.send(Message(self.source, n % self.partitions, b"k", b"%d" % n, 0) for n in range(count))
        producer.commit()
        producer.close()

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """A process of its own, ended when the scene is."""
        arguments = [self.settings.bootstrap, self.settings.client, self.source, self.target, self.group, self.name("worker")]
        process = subprocess.Popen(
            [sys.executable, str(WORKER), *arguments], env={**os.environ, "PYTHONPATH": str(ROOT), **environment}
        )
        self.stack.callback(_end, process)
        return process

    def loop(self) -> Loop:
        loop = Loop(self.client, self.group, [self.source], Copy(self.target), self.name("loop"), max_batch=50)
        self.stack.callback(loop.close)
        return loop

    def work(self, loop: Loop, seconds: float = 40) -> None:
        """Step until everything that was filled has arrived in the target."""
        wait_for(lambda: loop.step(0.5) == 0 and self.complete(), seconds)

    def complete(self) -> bool:
        try:
            return self._complete()
        except RetryError:  # the broker is away: that is what the test is about
            return False

    def _complete(self) -> bool:
        done = self.client.committed(self.group, [self.source])
        ends = self.client.ends([self.source])
        return all(done.get(place, 0) >= end - 1 for place, end in ends.items())  # the last offset is a control record

    def values(self) -> list[int]:
        starts = {Partition(self.target, number): 0 for number in range(self.partitions)}
        return sorted(int(record.value or b"") for batch in self.client.read(starts) for record in batch)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.02)


@pytest.fixture(params=["kafka-python", "confluent"])
def scene(request: pytest.FixtureRequest, broker: Broker) -> Iterator[Scene]:
    scene = Scene(broker.bootstrap, request.param)
    with scene.stack:
        yield scene


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Three nodes, so that one can die."""
    with Broker(tmp_path_factory.mktemp("three"), nodes=3) as broker:
        yield broker


def test_1_a_commit_after_the_coordinator_timed_out_raises(scene):
    """A record sent late meets the coordinator's new epoch; the client then takes the commit for done. Lost, if believed."""
    producer = scene.client.producer(scene.name("late"))
    scene.stack.callback(producer.close)
    producer.begin()
    producer.send([Message(scene.target, 0, b"k", b"1", 0)])
    time.sleep(EXPIRED)

    def commit() -> None:
        producer.send([Message(scene.target, 0, b"k", b"2", 0)])
        producer.commit()

    with pytest.raises(RetryError):
        commit()
    assert scene.values() == []


def test_2_a_record_that_expired_keeps_the_offsets_back(broker):
    """It was never sent, which changes no state of the client: only its own result says so. Lost, if nobody asks it."""
    scene = Scene(broker.bootstrap, "kafka-python")
    with scene.stack:
        client = KafkaClient(scene.settings, Timing(request=1.0))  # gives a record up after 4 s
        scene.stack.callback(client.close)
        scene.fill(2)
        member = client.consumer(scene.group, [scene.source])
        scene.stack.callback(member.close)
        wait_for(lambda: member.poll(1) or member.assignment(), 20)
        producer = client.producer(scene.name("expired"))
        scene.stack.callback(producer.close)
        producer.begin()
        producer._native._accumulator.muted.add(TopicPartition(scene.target, 1))
        producer.send(Message(scene.target, number, b"k", b"1", 0) for number in (0, 1))
        with pytest.raises(RetryError, match="has passed since batch creation"):
            _offsets_and_commit(producer, {Partition(scene.source, 0): 1}, member.membership())
        producer.close()
        assert scene.values() == []
        assert scene.client.committed(scene.group, [scene.source]) == {}


def test_3_a_paused_process_that_wakes_up_commits_nothing(scene, tmp_path):
    """Its membership turns into that of nobody, which the broker would accept. Twice, if it were used."""
    scene.fill()
    flag = tmp_path / "paused"
    zombie = scene.worker(TRAP_FLAG=str(flag))
    wait_for(flag.exists, 30)
    loop = scene.loop()
    scene.work(loop)
    assert scene.values() == list(range(COUNT))
    os.kill(zombie.pid, signal.SIGCONT)
    time.sleep(2.5)  # it wakes, tries to commit, is refused and joins again
    assert zombie.poll() is None
    scene.fill()
    wait_for(lambda: (loop.step(0.2), scene.complete())[1], 40)
    assert scene.values() == sorted([*range(COUNT), *range(COUNT)])


def test_4_offsets_of_an_aborted_transaction_do_not_go_out_with_the_next(scene):
    """They linger in the client after the refusal. Lost, if the producer were used again."""
    scene.fill(4)
    stale = scene.client.consumer(scene.group, [scene.source])
    wait_for(lambda: stale.poll(1) or stale.assignment(), 20)
    membership = stale.membership()
    stale.close()
    producer = scene.client.producer(scene.name("refused"))
    scene.stack.callback(producer.close)
    producer.begin()
    with pytest.raises(RetryError):
        _offsets_and_commit(producer, {Partition(scene.source, 0): 2}, membership)
    producer.abort()
    loop = scene.loop()
    with pytest.raises(RetryError, match="Make a new one"):
        producer.begin()
    scene.work(loop)
    assert scene.values() == [0, 1, 2, 3]


def _offsets_and_commit(producer, positions, membership) -> None:
    producer.offsets(positions, membership)
    producer.commit()


def test_5_a_member_waits_for_offsets_of_a_transaction_still_open(scene):
    """The dead process had sent its offsets and not committed. Lost, if the heir started after them or read before them."""
    scene.fill(4)
    dead = scene.client.consumer(scene.group, [scene.source])
    wait_for(lambda: dead.poll(1) or dead.assignment(), 20)
    producer = scene.client.producer(scene.name("dead"))
    scene.stack.callback(producer.close)
    producer.begin()
    producer.send([Message(scene.target, 0, b"k", b"99", 0)])
    producer.offsets({Partition(scene.source, 0): 2, Partition(scene.source, 1): 2}, dead.membership())
    dead.close()
    scene.work(scene.loop())
    assert scene.values() == [0, 1, 2, 3]


def test_6_the_death_of_the_coordinator_is_survived(three, request):
    """The client drops its request to a dead coordinator and waits for the answer. A hang, for ever."""
    for kind in ("kafka-python", "confluent"):
        scene = Scene(three.bootstrap, kind)
        with scene.stack:
            scene.fill()
            loop = scene.loop()
            wait_for(lambda loop=loop: loop.step(0.5), 30)
            node = coordinator(three.bootstrap, loop._transactional_id)
            three.kill(node)
            started = time.monotonic()
            try:
                scene.work(loop)
                assert time.monotonic() - started < 35
                assert scene.values() == list(range(COUNT))
            finally:
                three.restart(node)


def coordinator(bootstrap: str, transactional_id: str) -> int:
    """The node that leads this id's partition of __transaction_state: Java's String.hashCode, as the broker does."""
    code = 0
    for character in transactional_id:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    (topic,) = admin.describe_topics(["__transaction_state"])
    admin.close()
    number = (code & 0x7FFFFFFF) % len(topic["partitions"])
    return next(part["leader_id"] for part in topic["partitions"] if part["partition_index"] == number)


def test_6_a_coordinator_that_cannot_be_reached_is_an_answer_and_no_exception(monkeypatch):
    """What the sender needs in order to look for another one."""

    def fail(*_: object, **__: object) -> bool:
        raise KafkaConnectionError("Node 1 not ready")

    monkeypatch.setattr("kafka.net.compat.KafkaNetClient.await_ready", fail)
    assert _Net.await_ready(object.__new__(_Net), 1) is False


def test_7_a_broker_that_stands_still_costs_time_and_nothing_else(scene, broker):
    """Whether a commit in that time stands is unknown: the committed offsets say it. Lost or twice, if one guessed."""
    scene.fill()
    if scene.settings.client == "kafka-python":
        scene.client = KafkaClient(scene.settings, Timing(request=1.0))
    loop = scene.loop()
    wait_for(lambda: loop.step(0.5), 30)
    timer = threading.Timer(4.0, os.kill, (broker.pid(), signal.SIGCONT))
    os.kill(broker.pid(), signal.SIGSTOP)
    timer.start()
    try:
        scene.work(loop)
    finally:
        timer.join()
    assert scene.values() == list(range(COUNT))


def test_8_a_join_that_nobody_applies_is_noticed(broker):
    """Joined, says the log, but the client neither reads its new partitions nor ever joins again."""
    scene = Scene(broker.bootstrap, "kafka-python")
    with scene.stack:
        member = scene.client.consumer(scene.group, [scene.source])
        scene.stack.callback(member.close)
        wait_for(lambda: member.poll(1) or member.assignment(), 20)
        member._native._coordinator.state = MemberState.REBALANCING
        with pytest.raises(RetryError, match="joined without an assignment"):
            member.poll(0.1)


def test_8_members_that_come_and_go_under_short_polls_end_with_every_partition_once(broker):
    """Polls far shorter than a rebalance, four members, two of which leave: nobody reads beside the owner."""
    scene = Scene(broker.bootstrap, "kafka-python", partitions=8)
    with scene.stack:
        scene.fill(COUNT)
        stops = [threading.Event() for _ in range(4)]
        loops = [scene.loop() for _ in stops]
        threads = [threading.Thread(target=_short_steps, args=pair) for pair in zip(loops, stops, strict=True)]
        for thread in threads:
            thread.start()
            time.sleep(0.4)
        for index in (0, 2):
            stops[index].set()
            threads[index].join()
            loops[index].close()
            scene.fill(COUNT)
        wait_for(lambda: scene.complete() and _shared(loops[1], loops[3]), 60)
        for index in (1, 3):
            stops[index].set()
            threads[index].join()
        assert scene.values() == sorted([*range(COUNT)] * 3)


def _short_steps(loop: Loop, stop: threading.Event) -> None:
    while not stop.is_set():
        loop.step(0.02)


def _shared(one: Loop, other: Loop) -> bool:
    return one.partitions | other.partitions == frozenset(range(8)) and not one.partitions & other.partitions


@pytest.mark.parametrize("point", ["router.after_send", "router.before_commit"])
def test_10_a_killed_process_is_replaced_in_seconds(scene, tmp_path, point):
    """kill -9 with an open transaction: its session and its transaction time out, then the heir has committed."""
    scene.fill()
    victim = scene.worker(**{VARIABLE: f"{point}:2:{tmp_path / 'flag'}"})
    assert victim.wait(30) == -signal.SIGKILL
    started = time.monotonic()
    scene.work(scene.loop())
    assert time.monotonic() - started < 15
    assert scene.values() == list(range(COUNT))


def test_11_a_key_has_one_partition_whoever_sends_it(broker):
    """librdkafka's own port of Java's partitioner agrees with ours, Chinese case numbers included."""
    from confluent_kafka import Producer

    scene = Scene(broker.bootstrap, "confluent", partitions=7)
    keys = [f"cn.cq:渝建许〔2026〕第{number}号".encode() for number in range(300)]
    with scene.stack:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "partitioner": "murmur2"})
        for key in keys:
            producer.produce(scene.target, b"0", key)
        producer.flush(10)
        starts = {Partition(scene.target, number): 0 for number in range(7)}
        found = {record.key: record.partition for batch in scene.client.read(starts) for record in batch}
    assert found == {key: partition_of(key, 7) for key in keys}


def test_a_broker_that_does_not_answer_gets_a_sentence():
    """A wrong address, and with this client wrong credentials too, show only as silence."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        client = KafkaClient(KafkaSettings(brokers=address), Timing(connect=0.5))
        with pytest.raises(RetryError, match=rf"connecting to {address} \(a wrong address or password shows like this too\)"):
            client.producer("nobody")
        client.close()


def test_a_fenced_process_learns_it_at_the_latest_from_its_commit(scene):
    """In a produce the fence shows as any error at all; ours has one name at the commit."""
    name = scene.name("shared")
    first = scene.client.producer(name)
    scene.stack.callback(first.close)
    first.begin()
    second = scene.client.producer(name)
    scene.stack.callback(second.close)

    def work() -> None:
        first.send([Message(scene.target, 0, b"k", b"1", 0)])
        first.commit()

    with pytest.raises((FencedError, RetryError)):
        work()
    assert scene.values() == []
