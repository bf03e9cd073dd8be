"""The view: the journal and the state of cases as tables, each batch with its offsets in one transaction.

    view = View.open("sqlite:///view.db")
    view.apply_batch(records, {Partition("case.journal", 0): 0}, codec)

Offsets are advanced by compare-and-set before anything else is written: when two monitors feed one view, the second
finds an offset that is not the one it read from, writes nothing and is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, event, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from bus import crash
from bus.errors import ConfigurationError, FencedError
from bus.ports import Partition, Record
from monitor import tables
from monitor.bulk import KEYS, delete_of_cases, insert_many
from monitor.chunks import chunks
from monitor.engines import engine as engine_of
from monitor.faults import REBUILD, faults
from monitor.rows import Reader, Row, Rows, rows_of

#: What else is written in the transaction of a batch.
Also = Callable[[Connection, Rows], None]
#: Seconds a writer waits for another one's transaction on SQLite.
BUSY = 30
#: SQLite: readers beside one writer; a writer waits instead of failing. NORMAL is enough in WAL mode: a power cut may
#: take back the last transactions as a whole, tables with their offsets, and they are read again.
LIVE = ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY * 1000}", "cache_size=-16000")
#: What somebody does whose view a newer program has built.
BACK = f"Start the newer program; or, to go back to this one for good, build the view anew with it: {REBUILD}."
_READ_BY = 1000
_END = "end"
#: What an alert and its withdrawal have in common, though only the alert says it.
_ABOUT = ("indicator", "light", "who", "about")


class Snapshot:
    """Reads from one state of the tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, query: Select[Any]) -> list[Any]:
        return list(self._connection.execute(query))

    def stream(self, query: Select[Any]) -> Iterator[Any]:
        """Rows as they come, not all at once in memory; other queries may run meanwhile."""
        yield from self._connection.execute(query, execution_options={"yield_per": _READ_BY})


class View:
    """Tables in a database. Readers may look at any time; one monitor writes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str, pragmas: Sequence[str] = LIVE) -> View:
        """Open or create; `pragmas` tune SQLite. Raises ConfigurationError when the tables there are of another version."""
        engine = engine_of(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", partial(_tune, pragmas))
            event.listen(engine, "begin", _begin)
        view = cls(engine)
        view._prepare()
        return view

    @classmethod
    def at(cls, path: Path) -> View:
        """The SQLite view in this file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls.open(f"sqlite:///{path}")

    def close(self) -> None:
        self.engine.dispose()

    def positions(self, places: Sequence[Partition] = ()) -> dict[Partition, int]:
        """Next offset of every partition the view has read, and 0 for those of `places` it has not."""
        read = {Partition(row.topic, row.partition): row.next_offset for row in self.all(select(tables.offsets))}
        return dict.fromkeys(places, 0) | read

    def aim(self, end: int) -> None:
        """Say how far there is to read while history is loaded, in offsets of all topics; 0 when it is."""
        with self.writing() as connection:
            connection.execute(delete(tables.meta).where(tables.meta.c.name == _END))
            connection.execute(insert(tables.meta), {"name": _END, "value": str(end)})

    def progress(self) -> tuple[int, int]:
        """How far the view has read, of how much; (0, 0) when nothing is being loaded."""
        end = next((int(row.value) for row in self.all(select(tables.meta.c.value).where(tables.meta.c.name == _END))), 0)
        return (min(sum(self.positions().values()), end), end) if end else (0, 0)

    def apply_batch(
        self, records: Sequence[Record], read_from: Mapping[Partition, int], reader: Reader, also: Also | None = None
    ) -> Rows:
        """Write a batch that was read from these offsets, and the offsets after it. All of it or nothing.

        `also` may write more in the same transaction (alerts).
        Raises FencedError when another monitor has moved on in between, CorruptionError when a record is unreadable or
        a journal entry comes twice.
        """
        rows = rows_of(records, reader)
        after = advanced(records)
        with self.writing() as connection:
            for place, offset in after.items():
                _advance(connection, place, read_from.get(place, 0), offset)
            crash.point("monitor.between_tables_and_offsets")
            _write(connection, rows)
            if also:
                also(connection, rows)
            crash.point("monitor.before_commit")
        return rows

    def ended(self, run: str) -> set[int]:
        """Journal partitions in which everything before the end of this run has been read."""
        query = select(tables.input_ends.c.partition).where(tables.input_ends.c.run == run)
        return {row.partition for row in self.all(query)}

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Several queries over one state of the tables, whatever the monitor writes meanwhile."""
        engine = self.engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with faults(), engine.connect() as connection:
            yield Snapshot(connection)

    def all(self, query: Select[Any]) -> list[Any]:
        with self.snapshot() as snapshot:
            return snapshot.all(query)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction. Raises RetryError where waiting helps, CorruptionError where a row is there already."""
        with faults(), self.engine.begin() as connection:
            yield connection

    def _prepare(self) -> None:
        """The version comes first: on tables of another one not even an index can be made."""
        with self.writing() as connection:
            found = version_of(connection)
            if found is None:
                tables.metadata.create_all(connection, checkfirst=True)
                connection.execute(insert(tables.meta), {"name": "version", "value": tables.VERSION})
        if found not in (None, tables.VERSION):
            raise ConfigurationError(
                f"The view at {self.engine.url!r} has tables of version {found}, this program writes {tables.VERSION}. "
                + (BACK if newer(found) else f"The monitor builds it anew from the journal when it starts; at once: {REBUILD}.")
            )


def newer(version: str) -> bool:
    """Whether tables of this version were made by a newer program than this one."""
    return version.isdecimal() and int(version) > int(tables.VERSION)


def version_of(connection: Connection) -> str | None:
    """The version of the tables that stand there; None where there are none."""
    if not inspect(connection).has_table(tables.meta.name):
        return None
    return connection.execute(select(tables.meta.c.value).where(tables.meta.c.name == "version")).scalar()


def advanced(records: Sequence[Record]) -> dict[Partition, int]:
    """The next offset of each partition after these records."""
    last = {(record.topic, record.partition): record.offset + 1 for record in records}
    return {Partition(*place): offset for place, offset in last.items()}


def _advance(connection: Connection, place: Partition, old: int, new: int) -> None:
    table = tables.offsets
    here = (table.c.topic == place.topic) & (table.c.partition == place.number)
    if connection.execute(update(table).where(here, table.c.next_offset == old).values(next_offset=new)).rowcount == 1:
        return
    found = connection.execute(select(table.c.next_offset).where(here)).scalar()
    if found is not None or old != 0:
        raise _fenced(place, old, found or 0)
    try:
        connection.execute(insert(table), {"topic": place.topic, "partition": place.number, "next_offset": new})
    except IntegrityError as error:
        raise _fenced(place, old, None) from error


def _fenced(place: Partition, old: int, found: int | None) -> FencedError:
    stands = "has just begun" if found is None else f"stands at {found}, not at {old}"
    return FencedError(
        f"Another monitor feeds this view: {place.topic}, partition {place.number} {stands}. "
        "Nothing was written; run one monitor for each view."
    )


def _write(connection: Connection, rows: Rows) -> None:
    delete_of_cases(connection, tables.OF_STATE, _known(connection, rows.replaced))
    for table in tables.metadata.sorted_tables:
        if table is tables.alerts:
            _remember(connection, rows.of(table))
        else:
            insert_many(connection, table, rows.values(table))


def _known(connection: Connection, keys: Sequence[str]) -> list[str]:
    """Which of these cases have a state here already: while history is loaded, hardly one."""
    table = tables.cases.c
    asked = (select(table.case_key).where(table.case_key.in_(part)) for part in chunks(keys, KEYS))
    return [row.case_key for query in asked for row in connection.execute(query)]


def _remember(connection: Connection, rows: list[Row]) -> None:
    """Alerts that the journal brings: those we raised stand here already. A withdrawal is of whom the alert was about."""
    table = tables.alerts
    for row in rows:
        said = {one.type: one for one in connection.execute(select(table).where(table.c.alert == row["alert"]))}
        if row["type"] not in said:
            about = {name: getattr(one, name) for one in said.values() for name in _ABOUT}
            connection.execute(insert(table), row | about)


def _begin(connection: Connection) -> None:
    """Python's driver would begin only at the first write, and give each query before it a state of its own."""
    connection.exec_driver_sql("BEGIN")


def _tune(pragmas: Sequence[str], connection: Any, _: ConnectionPoolEntry) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    connection.isolation_level = None
