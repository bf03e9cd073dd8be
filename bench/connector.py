"""Rows a second: CSV, SQLite and PostgreSQL through a connector, beside a plain loop and Debezium, on one broker, in one run.

    uv run python -m bench.connector --rows 60000 [--clients confluent] [--no-debezium] [--profile]

The plain loop is what one would write by hand for this one table: `csv.reader`, one strptime, a dictionary, Avro, the same
client, one transaction each 2,000 rows. The connector does it from YAML and does more: strict decoding and cleaning, lookups,
a plausible window, ids and body hashes, CloudEvents headers, dead letters, the position in the transaction. `sent` is the
client alone, with messages made before. Debezium's connector, in a real Kafka Connect (`bench/debezium.py`), takes its snapshot
of the same PostgreSQL table into JSON without schemas: columns as they are, no event, no check. It does so twice: as it comes
(at least once), and with Connect's transactions. Each runs so many times in turn; the median counts. Beside the rate stands the
processor time of the process that did it, which other work on the machine does not change. Debezium's time runs from the
request to the last row in the topic; the Java machine needs some turns to warm up, so that each turn is printed too.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import json
import logging
import pstats
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
import structlog

from bench import debezium
from bus import connect
from bus.broker import Broker
from bus.collector import calm_collector
from bus.partition import partition_of
from bus.ports import Client, Message
from bus.settings import KafkaSettings
from bus.topics import EVENTS, standard
from connectors.config import Connector, read
from connectors.runner import Runner
from schemas.codec import default

PARTITIONS = 8
BATCH = 2000
ZONE = ZoneInfo("Asia/Shanghai")
CODEC = default()
CODES = {"A1": "check", "A2": "draft", "A3": "sign"}

MAPPING = """
zone: Asia/Shanghai
lookups: {steps: {table: {A1: check, A2: draft, A3: sign}}}
columns:
  serial: {clean: key, required: true}
  number: {clean: key, required: true, pattern: '[0-9]{19}'}
  seq: {type: whole}
  step: {from: code, lookup: steps, required: true}
  who: {}
  at: {type: time, formats: "%Y-%m-%d %H:%M:%S", required: true, not_before: 2000-01-01}
key: serial
case: number
header: {occurred_at: at, actor: who, step: seq, region: "'990101'", authority: "'permits@990101'"}
events: [{type: StepCompleted, body: {step: step}}]
"""
SOURCES = {
    "csv": "kind: files\nsource: {path: rows.csv, format: csv, encoding: gb18030}\n",
    "sqlite": 'kind: sql\nsource: {url: "sqlite:///rows.db", table: rows, key: id}\n',
    "postgresql": 'kind: sql\nsource: {url: "DATABASE", table: rows, key: id}\n',
}
CLIENTS = ("kafka-python", "confluent")
#: The workers of Kafka Connect, and whether they write in transactions.
WORKERS = {"debezium": False, "debezium exactly once": True}


class Clock:
    def now(self) -> int:
        return time.time_ns() // 1000


def write(folder: Path, database: debezium.Database, count: int) -> None:
    """The same rows as a CSV file and as a table in each database."""
    random, start = Random(7), datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        (
            f"S{number:08d}",
            f"{9901002025010100000 + number // 6}",
            number % 6 + 1,
            random.choice(list(CODES)),
            f"张{number % 97}",
            f"{start + timedelta(minutes=number):%Y-%m-%d %H:%M:%S}",
        )
        for number in range(count)
    ]
    with (folder / "rows.csv").open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([("serial", "number", "seq", "code", "who", "at"), *rows])
    with sqlite3.connect(folder / "rows.db") as sqlite:
        sqlite.execute("create table rows (id integer primary key, serial, number, seq, code, who, at)")
        sqlite.executemany("insert into rows (serial, number, seq, code, who, at) values (?, ?, ?, ?, ?, ?)", rows)
    with psycopg.connect(database.url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create table rows (id serial primary key, serial text, number text, seq integer, code text, who text, at text)"
        )
        with cursor.copy("copy rows (serial, number, seq, code, who, at) from stdin") as copy:
            for row in rows:
                copy.write_row(row)


def by_hand(folder: Path) -> Iterator[Message]:
    """The plain loop's messages."""
    with (folder / "rows.csv").open(encoding="gb18030", newline="") as file:
        for number, (serial, case, seq, code, who, at) in enumerate(islice(csv.reader(file), 1, None)):
            moment = datetime.strptime(at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE)
            header = plain_header(serial, case, int(seq), who, int(moment.timestamp()) * 1_000_000)
            header["sequence"] = number
            key = header["case"].encode()
            value = CODEC.encode(
                "StepCompleted", header, {"step": CODES[code], "part": None, "opinion": "OTHER", "comment": None}
            )
            yield Message(EVENTS.name, partition_of(key, PARTITIONS), key, value, time.time_ns() // 1_000_000)


def plain_header(serial: str, case: str, seq: int, who: str, at: int) -> dict[str, Any]:
    """Every field that the schema asks for, none computed."""
    nothing = dict.fromkeys(("item", "item_version", "level", "activity", "reported_at"))
    return nothing | {
        "event_id": serial,
        "body_hash": serial,
        "case": f"case:{case}",
        "links": [],
        "region": "990101",
        "authority": "permits@990101",
        "actor": {"value": who},
        "step": seq,
        "occurred_at": {"at": at, "precision": "SECOND", "zone": "Asia/Shanghai"},
        "received_at": at,
        "source": {"system": "plain", "table": "rows", "key": serial, "position": serial},
        "version": 1,
        "conflict": "REJECT",
    }


def publish(client: Client, name: str, messages: Iterator[Message]) -> None:
    producer = client.producer(name)
    while batch := list(islice(messages, BATCH)):
        producer.begin()
        producer.send(batch)
        producer.commit()
    producer.close()


class World(NamedTuple):
    """What all turns share."""

    folder: Path
    database: debezium.Database
    clients: dict[str, Client]
    workers: dict[str, debezium.Worker]
    rows: int
    profile: cProfile.Profile | None


def connector(world: World, kind: str, name: str) -> Connector:
    """One of its own for each turn: it has no position yet."""
    path = world.folder / "connectors" / f"{kind}-{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"batch: {BATCH}\n" + SOURCES[kind].replace("DATABASE", world.database.url) + MAPPING, "utf-8")
    return read(path)


class Seconds(NamedTuple):
    """Time on the wall, and of the processor."""

    wall: float
    cpu: float


#: Of each work of a client or worker in one turn.
Turn = dict[str, dict[str, Seconds]]


def measured(work: Callable[[], Any], profile: cProfile.Profile | None = None) -> Seconds:
    start, busy = time.perf_counter(), time.process_time()
    if profile is None:
        work()
    else:
        profile.runcall(work)
    return Seconds(time.perf_counter() - start, time.process_time() - busy)


def one_turn(world: World, turn: int) -> Turn:
    ours = {name: by_client(world, client, f"{name}-{turn}") for name, client in world.clients.items()}
    return ours | {
        name: by_debezium(world, worker, f"w{number}t{turn}") for number, (name, worker) in enumerate(world.workers.items())
    }


def by_client(world: World, client: Client, name: str) -> dict[str, Seconds]:
    ready = list(by_hand(world.folder))
    seconds = {"sent": measured(lambda: publish(client, f"sent-{name}", iter(ready)))}
    ready.clear()
    seconds["plain"] = measured(lambda: publish(client, f"plain-{name}", by_hand(world.folder)))
    for kind in SOURCES:
        runner = Runner(connector(world, kind, name), client, CODEC, Clock())
        seconds[kind] = measured(runner.run_once, world.profile)
        runner.close()
    return seconds


def by_debezium(world: World, worker: debezium.Worker, name: str) -> dict[str, Seconds]:
    took = debezium.snapshot(worker, next(reversed(world.clients.values())), world.database, name, world.rows)
    return {"snapshot": Seconds(took.wall, took.cpu), "from the first row on": Seconds(took.flowing, took.cpu)}


def medians(turns: list[Turn]) -> Turn:
    def median(who: str, work: str) -> Seconds:
        return Seconds(*(statistics.median(one) for one in zip(*(turn[who][work] for turn in turns), strict=True)))

    return {who: {work: median(who, work) for work in works} for who, works in turns[0].items()}


def figures(turns: list[Turn], rows: int) -> dict[str, Any]:
    """The median of the turns: rates, processor time, and the rate as a share of the plain loop's and of Debezium's."""
    took = medians(turns)
    ours = [who for who in took if who not in WORKERS]
    return {
        "rows a second": {who: {work: round(rows / one.wall) for work, one in works.items()} for who, works in took.items()},
        "processor microseconds a row": {
            who: {work: round(one.cpu / rows * 1e6, 1) for work, one in works.items()} for who, works in took.items()
        },
        "of plain": {who: {kind: shares(took[who]["plain"], took[who][kind]) for kind in SOURCES} for who in ours},
        "postgresql beside": {
            other: {who: shares(took[other]["snapshot"], took[who]["postgresql"]) for who in ours}
            for other in took
            if other in WORKERS
        },
        "rows a second by turn": {
            who: [round(rows / turn[who]["snapshot"].wall) for turn in turns] for who in took if who in WORKERS
        },
    }


def shares(other: Seconds, own: Seconds) -> str:
    return f"{other.wall / own.wall:.2f} times as fast ({other.cpu / own.cpu:.2f} by processor time)"


def main() -> None:
    wanted = arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    profile = cProfile.Profile() if wanted.profile else None
    with ExitStack() as stack:
        world = prepared(wanted, profile, stack)
        calm_collector()  # as `casebus connect` does, for the plain loop too
        turns = [one_turn(world, turn) for turn in range(wanted.turns)]
    print(json.dumps({"rows": wanted.rows, "turns": wanted.turns, **figures(turns, wanted.rows)}, indent=1))
    if profile:
        pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(15)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=CLIENTS)
    parser.add_argument("--no-debezium", dest="debezium", action="store_false", help="ours and the plain loop alone")
    parser.add_argument("--profile", action="store_true", help="say where the connectors' time goes")
    return parser.parse_args()


def prepared(wanted: argparse.Namespace, profile: cProfile.Profile | None, stack: ExitStack) -> World:
    """Broker, database, clients and workers, until the stack closes."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    broker = stack.enter_context(Broker(folder / "kafka"))
    database = stack.enter_context(debezium.postgresql())
    write(folder, database, wanted.rows)
    clients = {name: connect(KafkaSettings.model_validate({"client": name}).at(broker.bootstrap)) for name in wanted.clients}
    for client in clients.values():
        stack.callback(client.close)
        client.create(standard(PARTITIONS))
    workers = {
        name: stack.enter_context(debezium.worker(folder / f"connect-{number}", broker.bootstrap, exactly_once=exactly_once))
        for number, (name, exactly_once) in enumerate(WORKERS.items() if wanted.debezium else ())
    }
    return World(folder, database, clients, workers, wanted.rows, profile)


if __name__ == "__main__":
    main()
