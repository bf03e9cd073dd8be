"""What goes wrong in a storm: each fault once, with what was hit, and healed when it returns.

`silent_cut` and `full_disk` need root: a storm that has them runs in network and mount namespaces of its own
(`unshare --net --mount`), so nothing else on the machine is touched.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress

from kafka.admin import KafkaAdminClient
from storm_world import PARTITIONS, SERVICES, SESSION, Stormy

Fault = Callable[[Stormy, random.Random], str]
STATE_LOG = "__transaction_state"


def kill_service(world: Stormy, chance: random.Random) -> str:
    """kill -9 of one of our processes, at any moment."""
    name = chance.choice(SERVICES.all)
    if pid := world.pid(name):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return name


def freeze_service(world: Stormy, chance: random.Random) -> str:
    """SIGSTOP for longer than the session: others take over, then the sleeper wakes and believes nothing happened."""
    name = chance.choice(SERVICES.routers + SERVICES.workers)
    if pid := world.pid(name):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            last(world, SESSION / 1000 * chance.uniform(1.3, 2.5))
            os.kill(pid, signal.SIGCONT)
    return name


def kill_broker(world: Stormy, chance: random.Random) -> str:
    """One broker of three, in turn or not, and back after a while."""
    return _lose(world, chance, chance.randint(1, 3))


def kill_coordinator(world: Stormy, chance: random.Random) -> str:
    """The broker that keeps the routers' transactions."""
    name = f"generated-city-router-{chance.randint(0, 1)}"
    return f"{name}: {_lose(world, chance, _coordinator(world, name))}"


def _lose(world: Stormy, chance: random.Random, node: int) -> str:
    world.broker.kill(node)
    last(world, chance.uniform(2, 6))
    world.broker.restart(node)
    return f"broker {node}"


def _coordinator(world: Stormy, transactional_id: str) -> int:
    """Kafka's own choice: the leader of the partition that the id's hash names (`TransactionStateManager.partitionFor`)."""
    with closing(KafkaAdminClient(bootstrap_servers=world.broker.bootstrap)) as admin:
        partitions = admin.describe_topics([STATE_LOG])[0]["partitions"]
    number = _java_hash(transactional_id) % len(partitions)
    leader = next(int(one["leader_id"]) for one in partitions if one["partition_index"] == number)
    return leader if leader in {1, 2, 3} else 1  # -1: it is moving just now


def _java_hash(text: str) -> int:
    """`String.hashCode`, made positive as Kafka does."""
    value = 0
    for character in text:
        value = (31 * value + ord(character)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF


def slow_database(world: Stormy, chance: random.Random) -> str:
    """Somebody else holds the view's lock."""
    seconds = chance.uniform(2, 7)
    with closing(sqlite3.connect(world.data / "view.db", timeout=10)) as database, suppress(sqlite3.OperationalError):
        database.execute("BEGIN IMMEDIATE")
        last(world, seconds)
        database.rollback()
    return f"{seconds:.1f} s"


def poisoned_record(world: Stormy, chance: random.Random) -> str:
    """Bytes that are no event, among the events."""
    payload = chance.choice([b"", b"\x00", b"not Avro at all", chance.randbytes(200), b"\xc3\x01" + chance.randbytes(40)])
    world.poison(payload, chance.randrange(PARTITIONS))
    return f"{len(payload)} bytes"


def silent_cut(world: Stormy, chance: random.Random) -> str:
    """A broker that is up and hears nothing: packets to and from it are dropped, nobody is told."""
    node = chance.randint(1, 3)
    ports = world.broker.ports(node)
    for port in ports:
        _firewall("-A", port)
    last(world, chance.uniform(3, 9))
    for port in ports:
        _firewall("-D", port)
    return f"broker {node}"


def _firewall(what: str, port: int) -> None:
    for direction in ("--dport", "--sport"):
        subprocess.run(["iptables", what, "INPUT", "-p", "tcp", direction, str(port), "-j", "DROP"], check=True)


def full_disk(world: Stormy, chance: random.Random) -> str:
    """No room where the routers keep their state and the monitor its view."""
    ballast = world.data / "ballast"
    with suppress(OSError), ballast.open("wb") as file:
        while True:
            file.write(b"\0" * 65_536)
            file.flush()
    seconds = chance.uniform(2, 6)
    last(world, seconds)
    ballast.unlink()
    return f"{seconds:.1f} s"


def last(world: Stormy, seconds: float) -> None:
    """The fault lasts, and the services are looked after meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        world.tend()
        time.sleep(0.1)


EVERYWHERE: tuple[Fault, ...] = (
    kill_service,
    kill_service,  # there are six of them
    freeze_service,
    kill_broker,
    kill_coordinator,
    slow_database,
    poisoned_record,
)
AS_ROOT: tuple[Fault, ...] = (silent_cut, full_disk)
