"""The contestants of `bench.compare`: what each is, how its process is started, looked at from outside, and killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from bench import compare_streams
from bench.router_events import OUT
from bus import keeper
from bus.errors import BusError
from bus.topics import EVENTS, JOURNAL, Topic

ROOT = Path(__file__).parents[1]
QUIX_OUT, STREAMS_OUT = Topic("bench.quix.journal", "case"), Topic("bench.streams.journal", "case")
PLAIN, QUIX, STREAMS, ROUTER = "plain", "quix", "streams", "router"


class Contestant(NamedTuple):
    """`name` is its consumer group too; `output` the topic where each event comes out once."""

    name: str
    words: str
    kind: str
    client: str
    output: Topic


FIELD = (
    Contestant("plain-kafka-python", "plain loop, kafka-python", PLAIN, "kafka-python", OUT),
    Contestant("plain-confluent", "plain loop, confluent", PLAIN, "confluent", OUT),
    Contestant("quix", "Quix Streams", QUIX, "", QUIX_OUT),
    Contestant("streams", "Kafka Streams", STREAMS, "", STREAMS_OUT),
    Contestant("router-kafka-python", "router, kafka-python", ROUTER, "kafka-python", JOURNAL),
    Contestant("router-confluent", "router, confluent", ROUTER, "confluent", JOURNAL),
)

#: The command of a contestant, for a broker's address and a folder for what it keeps.
Command = Callable[[str, Path], list[str]]


class AbsentError(Exception):
    """A contestant cannot run here. The message says what is missing."""


def command(one: Contestant, folder: Path) -> Command:
    """Make ready what it needs, in `folder`. Raises AbsentError where that cannot be had."""
    if one.kind == QUIX:
        return _quix(folder)
    if one.kind == STREAMS:
        return _streams(folder)
    work = (sys.executable, "-P", "-m", "bench.compare_worker", one.kind, "--client", one.client, "--group", one.name)
    return lambda bootstrap, state: [*work, "--bootstrap", bootstrap, "--folder", str(state)]


def _quix(folder: Path) -> Command:
    """An environment of its own, made once: `uv run` would look at it anew at each start."""
    make = ("uv", "sync", "--quiet", "--frozen", "--no-dev", "--group", "quix")
    place = folder / "quix"
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(place)}
    environment.pop("VIRTUAL_ENV", None)
    try:
        subprocess.run(make, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise AbsentError("there is no uv to make its environment with") from error
    except subprocess.CalledProcessError as error:
        raise AbsentError(f"uv could not make its environment: {str(error.stderr).strip()[-500:]}") from error
    work = (str(place / "bin" / "python"), "-P", "-m", "bench.router_quix")
    return lambda bootstrap, state: [*work, "--bootstrap", bootstrap, "--folder", str(state)]


def _streams(folder: Path) -> Command:
    try:
        program = compare_streams.made(folder / "java")
    except BusError as error:
        raise AbsentError(str(error)) from error
    return lambda bootstrap, state: program.command(bootstrap, state, EVENTS.name, STREAMS_OUT.name)


class Runner:
    """A contestant's process. It ends with whoever started it, however that ends (`bus.keeper`)."""

    def __init__(self, work: list[str], log: Path) -> None:
        guard = (sys.executable, "-I", "-S", keeper.__file__, str(os.getpid()), "0", "0")
        self._log = log
        with log.open("ab") as said:
            self._keeper = subprocess.Popen(
                [*guard, *work], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, start_new_session=True
            )
        assert self._keeper.stdout  # noqa: S101 - a pipe was asked for
        self._process = psutil.Process(int(self._keeper.stdout.readline()))

    def busy(self) -> float:
        """Seconds of processor time so far, of all its threads."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def peak_mb(self) -> float:
        """The most memory it had."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))

    def check(self) -> None:
        """Raises SystemExit where it ended by itself, with what it said last."""
        if self._keeper.poll() is not None:
            said = self._log.read_text("utf-8", "replace")[-3000:]
            raise SystemExit(f"A contestant ended by itself (exit {self._keeper.returncode}). It said:\n{said}")

    def kill(self) -> None:
        """As `kill -9`; returns at once."""
        with suppress(psutil.NoSuchProcess):
            self._process.kill()

    def close(self) -> None:
        """Kill it and wait until it is gone."""
        self.kill()
        if self._keeper.stdin and self._keeper.stdout:
            self._keeper.stdin.close()
            self._keeper.wait()
            self._keeper.stdout.close()
