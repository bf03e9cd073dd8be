"""One Kafka process (KRaft: broker and controller in one) in a folder of its own."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bus import keeper
from bus.cluster import LOGGING, Cluster, properties
from bus.errors import BusError, ConfigurationError, CorruptionError
from bus.java import Java

_READY = "Kafka Server started"
_START_TIMEOUT = 90.0  # seconds; 1 to 3 are usual
_RELEASE_TIMEOUT = 15.0  # seconds that a Kafka whose owner died may take to close its files

#: What a Kafka that would not start says, what it means, and who mends it.
_CAUSES: tuple[tuple[str, type[BusError], str], ...] = (
    ("No space left on device", ConfigurationError, "The disk is full. Make room, then start again; what was recorded is kept"),
    (
        "Address already in use",
        ConfigurationError,
        "A port it was given is used by another program. Stop that program, then start again",
    ),
    ("OutOfMemoryError", ConfigurationError, "The machine has too little memory for it (about 250 MB a node)"),
    ("Cannot allocate memory", ConfigurationError, "The machine has too little memory for it (about 250 MB a node)"),
    ("Read-only file system", ConfigurationError, "The disk cannot be written"),
    ("Permission denied", ConfigurationError, "A file of its folder belongs to another user"),
)


class Manner(NamedTuple):
    """How a node runs: `grace` seconds from SIGTERM to SIGKILL, priority, additional flags of the JVM."""

    grace: float = 10.0  # 0.3 are usual; three nodes together take 5.5
    nice: int = 0
    flags: tuple[str, ...] = ()


_SERVING = Manner()


class Node:
    """Start, wait, stop, kill."""

    def __init__(self, folder: Path, number: int, cluster: Cluster, java: Java, manner: Manner = _SERVING) -> None:
        self.folder, self.number, self.cluster, self.java, self._manner = folder, number, cluster, java, manner
        self._process: subprocess.Popen[bytes] | None = None
        self.pid = 0

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def prepare(self) -> None:
        """Write the settings; format the data folder if it is new."""
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        (self.folder / "log4j2.properties").write_text(LOGGING, "ascii")
        settings = properties(self.number, self.cluster)
        (self.folder / "server.properties").write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "ascii")
        if not (self.folder / "data" / "meta.properties").exists():
            self._format()

    def _format(self) -> None:
        # Kafka's own tool: a meta.properties by hand leaves transaction.version at 0.
        command = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", self.cluster.id, "-c", "server.properties")
        done = subprocess.run(  # noqa: S603 - our own command
            self.java.command(*command, flags=self.java.cached_flags()),
            cwd=self.folder,
            env=self.java.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise failure(self.folder, done.returncode, done.stdout + done.stderr)

    def launch(self) -> None:
        """Start the process; `ready` waits for it."""
        self._await_release()
        command = self.java.command("kafka.Kafka", "server.properties", flags=(*self.java.cached_flags(), *self._manner.flags))
        guard = [sys.executable, "-I", "-S", keeper.__file__, str(os.getpid()), str(self._manner.grace), str(self._manner.nice)]
        with (self.folder / "jvm.log").open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*guard, *command],
                cwd=self.folder,
                env=self.java.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the one who stops us in order, not for Kafka
            )
        assert self._process.stdout  # noqa: S101 - a pipe was asked for
        self.pid = int(self._process.stdout.readline() or 0)

    def _await_release(self) -> None:
        """A Kafka whose owner was killed a moment ago still holds its data; Kafka's own lock tells."""
        deadline = time.monotonic() + _RELEASE_TIMEOUT
        while locked(self.folder / "data" / ".lock"):
            if time.monotonic() > deadline:
                raise ConfigurationError(f"Another Kafka uses {self.folder}. Stop it, then start again.")
            time.sleep(0.1)

    def ready(self, cancelled: threading.Event | None = None) -> None:
        """Wait until the node serves. Raises a sentence with the cause where it does not, or when it is cancelled."""
        deadline = time.monotonic() + _START_TIMEOUT
        while _READY not in (text := self._output()):
            if self.exit_code is not None:
                raise failure(self.folder, self.exit_code, text)
            if time.monotonic() > deadline or (cancelled and cancelled.is_set()):
                self.stop()
                raise BusError(f"Kafka node {self.number} was not ready after {_START_TIMEOUT:.0f} s. Its log is {self.log}")
            time.sleep(0.03)

    def _output(self) -> str:
        return (self.folder / "jvm.log").read_text("utf-8", errors="replace")

    @property
    def exit_code(self) -> int | None:
        """None while it runs (or was never started)."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def request_stop(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def stop(self) -> None:
        """Stop in order; after 10 s by force."""
        self.request_stop()
        self._reap()

    def kill(self) -> None:
        """As `kill -9`: for tests of what survives it."""
        if self.running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._reap()

    def _reap(self) -> None:
        if self._process:
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    stream.close()


def locked(file: Path) -> bool:
    """Whether a Kafka holds its folder: this is Kafka's own lock."""
    try:
        with file.open("r+b") as handle:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def failure(folder: Path, code: int, output: str) -> BusError:
    """The sentence for a Kafka in this folder that would not start."""
    log = folder / "server.log"
    for sign, kind, meaning in _CAUSES:
        if sign in output:
            return kind(f"Kafka did not start. {meaning}. Its log is {log}")
    said = next((line.strip() for line in output.splitlines() if "ERROR" in line or "Exception" in line), "it said nothing")
    return CorruptionError(
        f"Kafka did not start (exit {code}): {said}. Its data ({folder / 'data'}) may be damaged; its log is {log}"
    )
