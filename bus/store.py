"""State by key, one store per partition number on local disk, with its changelog in Kafka.

A store is written only after the commit, in one batch with the changelog offsets it then stands at: it is never ahead of
what is committed, and what it misses it reads on from the changelog. So a lost store costs time, never data.

RocksDB where its wheel exists, else SQLite; the same suite runs over both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from bus.errors import CorruptionError, RetryError
from bus.ports import Client, Message, Partition, Record, Store, Written

try:
    import rocksdict
except ImportError:  # no wheel for this platform: SQLite does the same, more slowly
    rocksdict = None  # type: ignore[assignment]  # a module or nothing

Put = tuple[str, bytes, bytes | None]
#: What a record of a changelog puts into the store, whether it was just written or is read.
Changelog = Callable[[Record | Message], Iterable[Put]]

_OFFSETS = "\x00offsets"
_MEGABYTE = 1 << 20


def open_store(path: Path, engine: str | None = None) -> Store:
    """The store in this folder, made when it is not there. `engine` ("rocksdb", "sqlite") is chosen once, when it is made.

    Raises RetryError while another process holds the folder.
    """
    path.mkdir(parents=True, exist_ok=True)
    if (path / _SQLITE_FILE).exists() or engine == "sqlite" or rocksdict is None:
        return SqliteStore(path)
    return RocksStore(path)


def table(name: str) -> Changelog:
    """A changelog that holds one table as it is: key and value, no value deletes."""
    return lambda record: [(name, record.key or b"", record.value)]


def restore(client: Client, store: Store, number: int, changelogs: Mapping[str, Changelog]) -> int:
    """Read on in the changelogs of this partition number until everything decided is in the store; how many records.

    Raises CorruptionError when the store stands beyond the end of its changelog: it belongs to another cluster.
    """
    starts = {Partition(topic, number): store.offset(topic) for topic in changelogs}
    count = 0
    for batch in client.read(starts):
        store.write(*_puts(batch, changelogs))
        count += len(batch)
    _check_ends(client, store, starts)
    return count


def follow(stores: Mapping[int, Store], written: Sequence[Written], changelogs: Mapping[str, Changelog]) -> None:
    """Bring the stores up to a commit: what of it went to a changelog goes to the store of its partition."""
    found: dict[int, tuple[list[Put], dict[str, int]]] = {}
    for message, offset in written:
        changelog = changelogs.get(message.topic)
        if changelog is not None:
            puts, offsets = found.get(message.partition) or found.setdefault(message.partition, ([], {}))
            puts += changelog(message)
            offsets[message.topic] = offset + 1
    for number, (puts, offsets) in found.items():
        stores[number].write(puts, offsets)


def _puts(records: Sequence[Record], changelogs: Mapping[str, Changelog]) -> tuple[list[Put], dict[str, int]]:
    puts = [put for record in records for put in changelogs[record.topic](record)]
    return puts, {record.topic: record.offset + 1 for record in records}


def _check_ends(client: Client, store: Store, starts: Mapping[Partition, int]) -> None:
    ends = client.ends([place.topic for place in starts])
    for place in starts:
        if store.offset(place.topic) > ends[place]:
            raise CorruptionError(
                f"The local state stands at offset {store.offset(place.topic)} of {place.topic}, partition {place.number}, "
                f"which ends at {ends[place]}: it belongs to another cluster. Delete the folder of the state, it is built again."
            )


class RocksStore:
    """RocksDB with its write-ahead log on; all stores of a process share one cache."""

    def __init__(self, path: Path) -> None:
        try:
            self._db: Any = rocksdict.Rdict(str(path), _rocks_options())
        except Exception as error:
            raise RetryError(f"The state in {path} cannot be opened: {error}") from error

    def get(self, table: str, key: bytes) -> bytes | None:
        value: bytes | None = self._db.get(_name(table, key))
        return value

    def scan(self, table: str, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        start = _name(table, prefix)
        skip = len(start) - len(prefix)
        for key, value in self._db.items(from_key=start):
            if not key.startswith(start):
                return
            yield key[skip:], value

    def write(self, puts: Iterable[Put], offsets: Mapping[str, int]) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for table, key, value in puts:
            if value is None:
                delete(_prefix(table) + key)
            else:
                put(_prefix(table) + key, value)
        for topic, offset in offsets.items():
            batch.put(_name(_OFFSETS, topic.encode()), offset.to_bytes(8, "big"))
        self._db.write(batch)

    def offset(self, topic: str) -> int:
        return int.from_bytes(self.get(_OFFSETS, topic.encode()) or b"", "big")

    def close(self) -> None:
        self._db.close()


def _name(table: str, key: bytes) -> bytes:
    """Tables side by side in one key space; a table's name holds no byte 1."""
    return _prefix(table) + key


@lru_cache(maxsize=64)
def _prefix(table: str) -> bytes:
    return table.encode() + b"\x01"


_cache: Any = None


def _rocks_options() -> Any:
    """Small buffers and one cache: tens of partitions live in one process that should stay under 200 MB."""
    global _cache  # noqa: PLW0603  shared by every store of the process, which is its purpose
    _cache = _cache or rocksdict.Cache(32 * _MEGABYTE)
    blocks = rocksdict.BlockBasedOptions()
    blocks.set_block_cache(_cache)
    blocks.set_bloom_filter(10, block_based=False)
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(blocks)
    options.set_write_buffer_size(4 * _MEGABYTE)
    options.set_max_open_files(64)
    options.set_keep_log_file_num(2)
    return options


_SQLITE_FILE = "state.sqlite"
_SQLITE_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (tab TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS state_key ON state (tab, key);
CREATE TABLE IF NOT EXISTS offsets (topic TEXT PRIMARY KEY, next INTEGER NOT NULL);
"""


_LOCKED = 0.1  # seconds: whoever is refused asks again, and says so meanwhile


class SqliteStore:
    """SQLite in WAL mode: a batch is one transaction. A crash of the machine may lose the last ones, never half of one."""

    def __init__(self, path: Path) -> None:
        # The loop's thread works on it, the main thread may close it after the loop has ended.
        self._db = sqlite3.connect(path / _SQLITE_FILE, check_same_thread=False, isolation_level=None, timeout=_LOCKED)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_SQLITE_SCHEMA)
        except sqlite3.OperationalError as error:
            self._db.close()
            raise RetryError(f"The state in {path} cannot be opened: {error}") from error

    def get(self, table: str, key: bytes) -> bytes | None:
        row = self._db.execute("SELECT value FROM state WHERE tab = ? AND key = ?", (table, key)).fetchone()
        return row[0] if row else None

    def scan(self, table: str, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        rows = self._db.execute("SELECT key, value FROM state WHERE tab = ? AND key >= ? ORDER BY key", (table, prefix))
        for key, value in rows:
            if not key.startswith(prefix):
                return
            yield key, value

    def write(self, puts: Iterable[Put], offsets: Mapping[str, int]) -> None:
        self._db.execute("BEGIN")
        try:
            for table, key, value in puts:
                self._put(table, key, value)
            self._db.executemany("INSERT OR REPLACE INTO offsets VALUES (?, ?)", offsets.items())
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def offset(self, topic: str) -> int:
        row = self._db.execute("SELECT next FROM offsets WHERE topic = ?", (topic,)).fetchone()
        return row[0] if row else 0

    def close(self) -> None:
        self._db.close()

    def _put(self, table: str, key: bytes, value: bytes | None) -> None:
        if value is None:
            self._db.execute("DELETE FROM state WHERE tab = ? AND key = ?", (table, key))
        else:
            self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (table, key, value))
