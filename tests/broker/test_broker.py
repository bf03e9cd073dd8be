"""The embedded Kafka, for real: started, stopped, killed, shared, and refused with a sentence."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from smoke import copy_jars, read, write

from bus import connect, jars
from bus.broker import Broker
from bus.errors import BusError, ConfigurationError, CorruptionError
from bus.settings import KafkaSettings
from bus.topics import EVENTS, standard

pytestmark = pytest.mark.broker

#: Starts the broker of a directory in a process of its own and says where it is; ends when its input closes.
SERVE = """
import sys
from bus.broker import Broker
with Broker(sys.argv[1]) as broker:
    print(broker.owner, broker.bootstrap, broker.pid() if broker.owner else 0, flush=True)
    sys.stdin.read()
"""


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes()


def within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `SERVE` for a directory, with an environment if one is given; ends what still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(directory: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-c", SERVE, str(directory)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, env=environment, cwd=tmp_path, text=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> tuple[bool, str, int]:
    """Whether it owns the broker, the address, the process id of Kafka."""
    assert process.stdout
    assert process.stderr
    words = process.stdout.readline().split()
    assert words, process.stderr.read()
    return words[0] == "True", words[1], int(words[2])


def test_data_and_address_are_kept_between_starts_even_in_a_folder_with_a_hard_name(tmp_path: Path) -> None:
    """Chinese, a space and a comma in the path; a transaction of the first start is read in the second, at the same address."""
    broker = Broker(tmp_path / "审批 数据, 一")
    with broker:
        first = broker.bootstrap
        write(first, b"a", b"b")
        assert 50 < broker.memory() / 2**20 < 400
    assert broker.bootstrap == ""
    with broker:
        assert broker.bootstrap == first
        write(first, b"c")
        assert read(first, 3) == [b"a", b"b", b"c"]


def test_after_kill_9_it_is_back_within_seconds_with_what_was_committed(tmp_path: Path) -> None:
    """No clean stop, no loss: the same transactional id goes on writing."""
    with Broker(tmp_path) as broker:
        write(broker.bootstrap, b"a")
        broker.kill()
        with pytest.raises(BusError, match=r"Kafka node 1 ended \(exit 137\)\. Its log is .*server\.log"):
            broker.check()
        begin = time.monotonic()
        broker.restart()
        assert time.monotonic() - begin < 15  # 3 s seen; two busy cores need more
        broker.check()
        write(broker.bootstrap, b"b")
        assert read(broker.bootstrap, 2) == [b"a", b"b"]


def test_three_nodes_go_on_without_one(tmp_path: Path) -> None:
    """Copies on three, two suffice: a killed node stops neither transactions nor reading, and comes back."""
    with Broker(tmp_path, nodes=3) as broker:
        assert len(broker.bootstrap.split(",")) == 3
        write(broker.bootstrap, b"a", replicas=3)
        broker.kill(2)
        write(broker.bootstrap, b"b")
        assert read(broker.bootstrap, 2) == [b"a", b"b"]
        broker.restart(2)
        broker.check()
    with pytest.raises(ConfigurationError, match=r"was made with kafka\.nodes: 3, the settings say 1"):
        Broker(tmp_path).start()


def test_a_second_process_is_given_the_one_that_runs(tmp_path: Path, serve: Callable[..., subprocess.Popen[str]]) -> None:
    """One owner, any number of guests, also when both start at once; a guest that leaves stops nothing."""
    processes = [serve(tmp_path / "kafka"), serve(tmp_path / "kafka")]
    answers = [said(process) for process in processes]
    assert sorted(owner for owner, _, _ in answers) == [False, True]
    assert answers[0][1] == answers[1][1]
    guest = processes[[owner for owner, _, _ in answers].index(False)]
    guest.communicate("")
    with Broker(tmp_path / "kafka") as broker:
        assert not broker.owner
        write(broker.bootstrap, b"a")
    assert read(answers[0][1], 1) == [b"a"]


def test_kafka_ends_with_its_owner_and_the_next_takes_over(tmp_path: Path, serve: Callable[..., subprocess.Popen[str]]) -> None:
    """After kill -9 of the owner no Kafka stays behind, and no stale file hinders the next start."""
    owner = serve(tmp_path / "kafka")
    _, address, pid = said(owner)
    write(address, b"a")
    owner.kill()
    owner.wait(5)
    with Broker(tmp_path / "kafka") as broker:
        assert broker.owner
        assert broker.bootstrap == address
        assert gone(pid)
        assert read(address, 1) == [b"a"]


def test_ctrl_c_stops_kafka_in_order(tmp_path: Path, serve: Callable[..., subprocess.Popen[str]]) -> None:
    """SIGINT is for the owner; Kafka then closes its files (its log says so) instead of being killed."""
    owner = serve(tmp_path / "kafka")
    _, _, pid = said(owner)
    owner.send_signal(signal.SIGINT)
    owner.wait(15)
    assert within(5, lambda: gone(pid))
    assert "App info kafka.server for 1 unregistered" in (tmp_path / "kafka" / "node-1" / "server.log").read_text("utf-8")


@pytest.mark.parametrize("environment", [{}, {"HOME": "", "PATH": "/nonexistent", "JAVA_TOOL_OPTIONS": "-Xmx1m"}])
def test_neither_home_nor_java_on_the_path_is_needed(
    environment: dict[str, str], tmp_path: Path, serve: Callable[..., subprocess.Popen[str]]
) -> None:
    """As a service starts it: an empty environment, or one with somebody else's settings for Java."""
    owner, address, _ = said(serve(tmp_path / "kafka", environment))
    assert owner
    write(address, b"a")


def test_a_port_that_another_program_took_is_named_with_the_way_out(tmp_path: Path) -> None:
    """Following the remedy (delete ports.json) starts it on other ports, with its data."""
    with Broker(tmp_path) as broker:
        write(broker.bootstrap, b"a")
        host, port = broker.bootstrap.split(":")
    with socket.create_server((host, int(port))):
        with pytest.raises(ConfigurationError, match=rf"Port {port}, .* is used by another program\. .*ports\.json"):
            Broker(tmp_path).start()
        (tmp_path / "ports.json").unlink()
        with Broker(tmp_path) as broker:
            assert not broker.bootstrap.endswith(port)
            assert read(broker.bootstrap, 1) == [b"a"]


def test_damaged_data_is_said_with_the_log_s_path_and_nothing_stays_running(tmp_path: Path) -> None:
    """The data of another cluster in this folder: Kafka refuses, we say it in one sentence, and the lock is free again."""
    with Broker(tmp_path):
        pass
    meta = tmp_path / "node-1" / "data" / "meta.properties"
    meta.write_text(meta.read_text("ascii").replace("node.id=1", "node.id=9"), "ascii")
    broker = Broker(tmp_path)
    for _ in range(2):
        with pytest.raises(CorruptionError) as caught:
            broker.start()
        assert "\n" not in str(caught.value)
        assert str(tmp_path / "node-1" / "server.log") in str(caught.value)
        assert not broker.owner


def test_a_jar_that_is_not_the_locked_one_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One changed byte in a warm cache without a network: Kafka does not start."""
    cache = tmp_path / "cache"
    copy_jars(cache)
    changed = cache / "casebus" / "jars" / next(jar.path for jar in jars.locked() if "kafka-clients" in jar.path)
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1
    changed.unlink()
    changed.write_bytes(bytes(content))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"kafka-clients-4\.3\.1\.jar cannot be fetched") as caught:
        Broker(tmp_path / "kafka").start()
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "kafka" / "node-1").exists()


def test_a_warm_cache_needs_no_network(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once fetched, a broker starts where nothing can be reached; the session's broker filled the cache."""
    assert broker.owner
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with Broker(tmp_path) as offline:
        write(offline.bootstrap, b"a")


def test_a_cold_cache_without_a_network_gets_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what is missing, where it should come from and what can be done."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cold"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="Connect this machine once") as caught:
        Broker(tmp_path / "kafka").start()
    assert "\n" not in str(caught.value)


def test_a_broker_that_has_just_come_up_says_what_a_new_group_has_read(tmp_path: Path) -> None:
    """There is no coordinator yet: the confluent client waits for it (asked as an administrator, it ended the process)."""
    with Broker(tmp_path / "kafka") as broker:
        client = connect(KafkaSettings(partitions=1, client="confluent").at(broker.bootstrap))
        client.create(standard(1))
        assert client.committed("nobody", [EVENTS.name]) == {}
        client.close()
