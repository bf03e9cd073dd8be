"""Kafka Streams for `bench.compare`: its jars, its compiler, and the command that runs `CompareStreams.java`.

    uv run python -m bench.compare_streams --lock      # maintainers: resolve the jars anew, then look at the diff

The jars (Kafka Streams with RocksDB, Avro, the Eclipse compiler) come from where Kafka's come from and are held against
`streams.lock` before they run. The compiler is there because the Java that casebus ships has none; so no JDK is needed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bus.errors import BusError
from bus.jars import Jar, fetch, locked, resolve
from bus.java import java
from schemas import contract

HERE = Path(__file__).parent
SOURCE, LOCK = HERE / "CompareStreams.java", HERE / "streams.lock"
ROOTS = ("org.apache.kafka:kafka-streams:4.3.1", "org.apache.avro:avro:1.12.0", "org.eclipse.jdt:ecj:3.42.0")
COMPILER = "org.eclipse.jdt.internal.compiler.batch.Main"
#: The collector and both compilers as Java chooses them; a bound for the heap, else it takes what the machine has.
FLAGS = ("-Xmx512m", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")
#: Without these RocksDB's library stays in the system's temporary folder after each kill, and every thread logs its settings.
LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


class Streams(NamedTuple):
    """A compiled program and what runs it."""

    executable: Path
    classpath: str
    folder: Path

    def command(self, bootstrap: str, state: Path, events: str, output: str) -> list[str]:
        """`state` is both the folder of the stores and, by its name, the application."""
        unpacked = self.folder / "tmp"
        flags = (*FLAGS, f"-Djava.io.tmpdir={unpacked}", f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}")
        program = ("-cp", self.classpath, SOURCE.stem)
        return [str(self.executable), *flags, *program, bootstrap, state.name, str(state), str(self.folder), events, output]


def made(folder: Path) -> Streams:
    """Compile it into `folder`, with the schemas beside it. Raises BusError where jars or Java are missing."""
    (folder / "tmp").mkdir(parents=True)
    (folder / "log4j2.properties").write_text(LOGGING, "ascii")
    for name, published in contract.events().items():
        (folder / f"{name}.avsc").write_text(published.text, "utf-8")
    jars = list(dict.fromkeys([*fetch(lock=LOCK), *fetch()]))
    runtime = java(jars)
    classpath = os.pathsep.join(map(str, jars))
    compiler = [str(runtime.executable), "-cp", classpath, COMPILER, "-source", "17", "-target", "17", "-nowarn", "-proc:none"]
    done = subprocess.run(
        [*compiler, "-cp", classpath, "-d", str(folder), str(SOURCE)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BusError(f"{SOURCE.name} was not compiled: {(done.stderr or done.stdout).strip()[:2000]}")
    return Streams(runtime.executable, os.pathsep.join((str(folder), classpath)), folder)


def write_lock() -> None:
    """Without the jars that Kafka's own lock has: those are there anyway."""
    known = {jar.coordinates[:2] for jar in locked()}
    _write([jar for jar in resolve(ROOTS) if jar.coordinates[:2] not in known])


def _write(jars: Sequence[Jar]) -> None:
    head = (
        "# Jars of Kafka Streams, Avro and a compiler: SHA-256, size in bytes, Maven path. "
        "Written by `python -m bench.compare_streams --lock`, not by hand.\n"
    )
    LOCK.write_text(head + "".join(f"{jar.sha256} {jar.size:>9} {jar.path}\n" for jar in jars), "ascii")
    print(f"{LOCK}: {len(jars)} jars, {sum(jar.size for jar in jars):,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lock", action="store_true", help="write the lock and end")
    if parser.parse_args().lock:
        write_lock()
    else:
        parser.print_help()


if __name__ == "__main__":
    main()
