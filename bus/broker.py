"""A real Kafka started from Python: no Docker, no Java, no root. One node or three, on this machine.

One process owns the broker of a directory; every other process that asks for the same directory is given the one that
runs. Whoever owns it holds a lock on `<directory>/owner.lock` for its lifetime, so a stale file cannot be mistaken for a
running broker; the nodes end with their owner, however it ends (`bus.keeper`).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from bus.addresses import free_ports, is_free
from bus.cluster import Cluster, Ports
from bus.errors import BusError, ConfigurationError, CorruptionError
from bus.jars import Progress, fetch
from bus.java import java
from bus.node import Node
from bus.startup import Training

_ATTACH_TIMEOUT = 120.0  # seconds another process may take to start what it owns (a first start fetches the jars)
_ORPHANS_TIMEOUT = 15.0  # seconds the nodes of an owner that was killed may take to end
_LEAST_SPACE = 200 << 20  # bytes: below this Kafka would stop soon after it started


class Broker:
    """`with Broker(directory) as broker: connect(broker.bootstrap)`. Data, cluster id and ports stay in the directory."""

    def __init__(self, directory: Path | str, nodes: int = 1, progress: Progress | None = None) -> None:
        if nodes not in {1, 3}:
            raise ConfigurationError(f"kafka.nodes is {nodes}; Kafka from casebus runs on 1 node or on 3.")
        self.directory = Path(directory).absolute()
        self._count = nodes
        self._progress = progress
        self._lock: TextIO | None = None
        self._nodes: list[Node] = []
        self._training: Training | None = None
        self._orphans = False
        self.bootstrap = ""

    @property
    def owner(self) -> bool:
        """True where the nodes are this process's own; False where another process's broker was found."""
        return self._lock is not None

    @property
    def serves(self) -> bool:
        """True where somebody's broker serves this directory now; nothing is started by asking."""
        return self._running() is not None

    def start(self) -> None:
        """Start, or find the one that runs. Returns when every node serves."""
        if self.bootstrap:
            return
        self._make_directory()
        if not self._own_or_attach():
            return
        try:
            self._launch()
        except BaseException:
            self.stop()
            raise

    def _make_directory(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The folder {self.directory} cannot be made: {error.strerror}. Change `data:` in casebus.yaml."
            ) from error

    def _own_or_attach(self) -> bool:
        deadline = time.monotonic() + _ATTACH_TIMEOUT
        while not self._own():
            if running := self._running():
                self.bootstrap = running["bootstrap"]
                return False
            if time.monotonic() > deadline:
                raise BusError(
                    f"Another process has been starting the broker in {self.directory} for {_ATTACH_TIMEOUT:.0f} s. Look there."
                )
            time.sleep(0.1)
        return True

    def _own(self) -> bool:
        try:
            handle = (self.directory / "owner.lock").open("a+", encoding="ascii")
        except PermissionError as error:
            raise ConfigurationError(
                f"The broker's folder {self.directory} belongs to another user. Start it as that user."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        self._orphans = handle.tell() > 0  # the last owner did not say that it stopped
        self._lock = handle
        self._announce()
        return True

    def _running(self) -> dict[str, Any] | None:
        """What the owner wrote when it was ready, if that owner is alive."""
        with suppress(FileNotFoundError, json.JSONDecodeError, ProcessLookupError):
            said: dict[str, Any] = json.loads((self.directory / "owner.lock").read_text("ascii"))
            os.kill(said["owner"], 0)
            return said if said["bootstrap"] else None
        return None

    def _launch(self) -> None:
        if shutil.disk_usage(self.directory).free < _LEAST_SPACE:
            raise ConfigurationError(
                f"Less than 200 MB are free where {self.directory} lies. Make room, or change `data:` in casebus.yaml."
            )
        runtime = java(fetch(self._progress))
        cluster = self._cluster()
        self._nodes = [Node(self.directory / f"node-{number}", number, cluster, runtime) for number in range(1, self._count + 1)]
        with ThreadPoolExecutor(self._count) as pool:
            list(pool.map(Node.prepare, self._nodes))
        for node in self._nodes:
            node.launch()
        for node in self._nodes:
            node.ready()
        self.bootstrap = cluster.bootstrap
        self._announce()
        self._training = Training(runtime, self._nodes[0])
        self._training.begin()

    def _announce(self) -> None:
        assert self._lock  # noqa: S101 - only the owner launches
        self._lock.truncate(0)
        nodes = [node.pid for node in self._nodes] if self.bootstrap else []
        self._lock.write(json.dumps({"owner": os.getpid(), "bootstrap": self.bootstrap, "nodes": nodes}))
        self._lock.flush()

    def _cluster(self) -> Cluster:
        remembered = _remember(self.directory / "cluster.json", lambda: {"id": new_id(), "nodes": self._count})
        if remembered["nodes"] != self._count:
            raise ConfigurationError(
                f"The broker's data in {self.directory} was made with kafka.nodes: {remembered['nodes']}, "
                f"the settings say {self._count}. Set it back, or take another `data:` folder."
            )
        ports = _remember(self.directory / "ports.json", lambda: free_ports(2 * self._count))
        cluster = Cluster(remembered["id"], tuple(Ports(*pair) for pair in zip(ports[::2], ports[1::2], strict=True)))
        self._check_ports(cluster)
        return cluster

    def _check_ports(self, cluster: Cluster) -> None:
        deadline = time.monotonic() + (_ORPHANS_TIMEOUT if self._orphans else 0)
        for port in (port for ports in cluster.ports for port in ports):
            while not is_free(port) and time.monotonic() < deadline:
                time.sleep(0.1)
            if not is_free(port):
                raise ConfigurationError(
                    f"Port {port}, which the broker in {self.directory} has had so far, is used by another program. "
                    f"Stop that program, or delete {self.directory / 'ports.json'}: others are then chosen; the data stays."
                )

    def check(self) -> None:
        """Raise BusError where a node has ended by itself, or whoever owns the broker has."""
        if self.bootstrap and not self.owner and self._running() is None:
            raise BusError(f"The process that ran the broker in {self.directory} has ended. Start it again.")
        for node in self._nodes:
            if not node.running:
                raise BusError(
                    f"Kafka node {node.number} ended (exit {node.exit_code}). Its log is {node.log}. Start the broker again."
                )

    def memory(self) -> int:
        """Resident memory of all nodes, bytes; 0 where the system does not tell, or another process owns them."""
        return sum(_resident(node.pid) for node in self._nodes if node.running)

    def pid(self, node: int = 1) -> int:
        return self._nodes[node - 1].pid

    def ports(self, node: int = 1) -> Ports:
        """Where its clients and the other nodes reach it: for tests that cut it off."""
        return self._nodes[node - 1].cluster.ports[node - 1]

    def kill(self, node: int = 1) -> None:
        """As `kill -9` of node number `node`: for tests of what survives it."""
        self._nodes[node - 1].kill()

    def restart(self, node: int = 1) -> None:
        """Start a node again that was killed or ended."""
        self._nodes[node - 1].launch()
        self._nodes[node - 1].ready()
        self._announce()

    def stop(self) -> None:
        """Stop the nodes in order; a broker that another process owns goes on."""
        if self._training:
            self._training.cancel()
        for node in self._nodes:
            node.request_stop()
        for node in self._nodes:
            node.stop()
        self._nodes, self._training, self.bootstrap = [], None, ""
        if self._lock:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def new_id() -> str:
    """A cluster id as Kafka makes them: 16 bytes in URL-safe base 64, without a leading dash."""
    text = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    return new_id() if text.startswith("-") else text


def _remember(file: Path, make: Any) -> Any:
    """The content of a small JSON file, made once."""
    try:
        return json.loads(file.read_text("ascii"))
    except FileNotFoundError:
        made = make()
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps(made), "ascii")
        temporary.replace(file)
        return made
    except ValueError as error:
        raise CorruptionError(f"{file} cannot be read ({error}). Put it back from a copy of the folder.") from error


def _resident(pid: int) -> int:
    with suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
    return 0
