"""The JVM's ahead-of-time cache of Kafka's classes (JEP 514), made once: later starts take 1 s instead of 2.

It is made beside the first broker, by a second Kafka on a scratch folder with what the processor has left over, and given
up when that broker stops: nobody ever waits for it, and without it everything works the same.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from bus.addresses import free_ports
from bus.cluster import Cluster, Ports
from bus.errors import BusError
from bus.java import Java
from bus.node import Manner, Node

_FORMATTED = ("meta.properties", "bootstrap.checkpoint")  # what Kafka's format leaves in a data folder
_UNUSED = 30 * 86_400  # seconds: caches of Java or Kafka versions that are gone


class Training:
    """Makes the cache in a thread, unless it is there or another process is making it."""

    def __init__(self, java: Java, pattern: Node) -> None:
        self._java, self._pattern = java, pattern
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-startup-cache", daemon=True)

    def begin(self) -> None:
        if self._java.startup_cache.exists():
            os.utime(self._java.startup_cache)
        else:
            self._thread.start()

    def cancel(self) -> None:
        self._cancelled.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        target = self._java.startup_cache
        with suppress(OSError, BusError):  # a full disk, say: then there is no cache
            target.parent.mkdir(parents=True, exist_ok=True)
            with (target.parent / ".lock").open("w") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _sweep(target.parent)
                with tempfile.TemporaryDirectory(prefix=".make-", dir=target.parent) as scratch:
                    self._make(Path(scratch), target)

    def _make(self, scratch: Path, target: Path) -> None:
        made = scratch / "made.aot"
        manner = Manner(grace=0, nice=10, flags=(f"-XX:AOTCacheOutput={made}",))
        node = Node(scratch, 1, self._cluster(), self._java, manner)
        (scratch / "data").mkdir()
        for name in _FORMATTED:
            shutil.copy(self._pattern.folder / "data" / name, scratch / "data")
        try:
            node.prepare()
            node.launch()
            node.ready(self._cancelled)
            os.kill(node.pid, signal.SIGTERM)  # the cache is written as it ends
            while node.running and not self._cancelled.is_set():
                time.sleep(0.1)
        finally:
            completed = node.exit_code is not None
            node.stop()
        if completed and made.exists():
            made.replace(target)

    def _cluster(self) -> Cluster:
        return Cluster(self._pattern.cluster.id, (Ports(*free_ports(2)),))


def _sweep(folder: Path) -> None:
    for leftover in folder.glob(".make-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    for cache in folder.glob("*.aot"):
        if cache.stat().st_mtime < time.time() - _UNUSED:
            cache.unlink(missing_ok=True)
