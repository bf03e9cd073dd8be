"""Rows a second: CSV and SQLite through a connector beside a plain loop of the same client, on one broker, in one run.

    uv run python -P bench/connector.py --rows 60000 [--client confluent] [--profile]

The plain loop is what one would write by hand for this one table: `csv.reader`, one strptime, a dictionary, Avro, the same
client, one transaction each 2,000 rows. The connector does it from YAML and does more: strict decoding and cleaning, lookups,
a plausible window, ids and body hashes, CloudEvents headers, dead letters, the position in the transaction. `sent` is the
client alone, with messages made before. Each runs three times in turn; the median counts. Beside the rate stands the
processor time of this process, which other work on the machine does not change.
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
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import structlog

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
}


class Clock:
    def now(self) -> int:
        return time.time_ns() // 1000


def write(folder: Path, count: int) -> None:
    """The same rows as a CSV file and as a table."""
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
    with sqlite3.connect(folder / "rows.db") as database:
        database.execute("create table rows (id integer primary key, serial, number, seq, code, who, at)")
        database.executemany("insert into rows (serial, number, seq, code, who, at) values (?, ?, ?, ?, ?, ?)", rows)


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


def connector(folder: Path, kind: str, turn: int) -> Connector:
    """One of its own for each turn: it has no position yet."""
    path = folder / "connectors" / f"{kind}{turn}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"batch: {BATCH}\n" + SOURCES[kind] + MAPPING, "utf-8")
    return read(path)


class Seconds(NamedTuple):
    """Time on the wall, and of the processor."""

    wall: float
    cpu: float


def measured(work: Callable[[], Any], profile: cProfile.Profile | None = None) -> Seconds:
    start, busy = time.perf_counter(), time.process_time()
    if profile is None:
        work()
    else:
        profile.runcall(work)
    return Seconds(time.perf_counter() - start, time.process_time() - busy)


def one_turn(client: Client, folder: Path, turn: int, profile: cProfile.Profile | None) -> dict[str, Seconds]:
    ready = list(by_hand(folder))
    seconds = {"sent": measured(lambda: publish(client, f"sent-{turn}", iter(ready)))}
    ready.clear()
    seconds["plain"] = measured(lambda: publish(client, f"plain-{turn}", by_hand(folder)))
    for kind in SOURCES:
        runner = Runner(connector(folder, kind, turn), client, CODEC, Clock())
        seconds[kind] = measured(runner.run_once, profile)
        runner.close()
    return seconds


def figures(turns: list[dict[str, Seconds]], rows: int) -> dict[str, Any]:
    """The median of the turns: rates, processor time, and the share of the plain loop's rate by both."""
    wall = {name: statistics.median(turn[name].wall for turn in turns) for name in turns[0]}
    cpu = {name: statistics.median(turn[name].cpu for turn in turns) for name in turns[0]}
    return {
        "rows a second": {name: round(rows / seconds) for name, seconds in wall.items()},
        "processor microseconds a row": {name: round(seconds / rows * 1e6, 1) for name, seconds in cpu.items()},
        "of plain": {kind: round(wall["plain"] / wall[kind], 2) for kind in SOURCES},
        "of plain by processor time": {kind: round(cpu["plain"] / cpu[kind], 2) for kind in SOURCES},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--client", choices=("kafka-python", "confluent"), default="kafka-python")
    parser.add_argument("--profile", action="store_true", help="say where the connectors' time goes")
    wanted = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    profile = cProfile.Profile() if wanted.profile else None
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder, wanted.rows)
        with Broker(folder / "kafka") as broker:
            client = connect(KafkaSettings.model_validate({"client": wanted.client}).at(broker.bootstrap))
            client.create(standard(PARTITIONS))
            calm_collector()  # as `casebus connect` does, for the plain loop too
            turns = [one_turn(client, folder, turn, profile) for turn in range(wanted.turns)]
            client.close()
    print(json.dumps({"client": wanted.client, "rows": wanted.rows, **figures(turns, wanted.rows)}, indent=1))
    if profile:
        pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(15)


if __name__ == "__main__":
    main()
