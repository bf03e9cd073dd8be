"""What a worker with many idle connectors costs: megabytes and CPU of one `casebus connect`, after it has settled.

    uv run python -P bench/idle.py --connectors 80 --seconds 60

A deployment with an embedded Kafka (in a process of its own, not counted), connectors that have read what there is and look
every 5 s: half over CSV files, half over SQLite tables. CPU is in percent of one core, over `--seconds`, beginning 30 s after
the last connector has made its first pass, when the producers of the first reading have been given back.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bus.broker import Broker
from bus.topics import standard
from casebus.commands.init import run as init
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from connectors.fleet_status import Board, State
from connectors.runner import IDLE

MAPPING = """
zone: Asia/Shanghai
columns:
  serial: {clean: key, required: true}
  number: {clean: key, required: true}
  who: {}
  at: {type: time, formats: "%Y-%m-%d %H:%M:%S", required: true}
key: serial
case: number
header: {occurred_at: at, actor: who, region: "'990101'", authority: "'permits@990101'"}
events: [{type: Accepted}]
"""
ROW = ("1", "9901002025010100001", "王", "2026-01-05 09:00:00")
CASEBUS = (sys.executable, "-P", "-m", "casebus")


def write(folder: Path, count: int) -> None:
    """Connectors with a row each."""
    for old in (folder / "connectors").glob("*.yaml"):
        old.unlink()
    (folder / "drop").mkdir()
    for number in range(count):
        name = f"dep{number:03d}"
        source = _table(folder, name) if number % 2 else _file(folder, name)
        (folder / f"connectors/{name}.yaml").write_text(source + MAPPING, "utf-8")


def _file(folder: Path, name: str) -> str:
    (folder / f"drop/{name}.csv").write_text(f"serial,number,who,at\n{','.join(ROW)}\n", "utf-8")
    return f"kind: files\nsource: {{path: drop/{name}.csv, format: csv}}\n"


def _table(folder: Path, name: str) -> str:
    with sqlite3.connect(folder / f"drop/{name}.db") as database:
        database.execute("create table rows (id integer primary key, serial, number, who, at)")
        database.execute("insert into rows values (1, ?, ?, ?, ?)", ROW)
    return f'kind: sql\nsource: {{url: "sqlite:///drop/{name}.db", table: rows, key: id}}\n'


def settled(wiring: Wiring, count: int) -> float:
    """Seconds until all connectors have read their row."""
    start = time.monotonic()
    with wiring.client() as client:
        client.create(standard(wiring.settings.kafka.partitions))
        board = Board(client)
        while True:
            found = board.look(time.time_ns() // 1000)
            if sum(one.state is State.RUNNING and one.events == 1 for one in found) == count:
                return time.monotonic() - start
            if time.monotonic() - start > 180:
                raise SystemExit(f"Only {len(found)} connectors came up: {[one for one in found if one.error][:3]}")
            time.sleep(0.5)


def measured(process: psutil.Process, seconds: float) -> dict[str, float]:
    before, start = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, took = process.cpu_times(), time.monotonic() - start
    used = after.user + after.system - before.user - before.system
    memory = process.memory_full_info()
    return {
        "CPU %": round(100 * used / took, 2),
        "RSS MB": round(memory.rss / 1e6, 1),
        "own MB (USS)": round(memory.uss / 1e6, 1),
        "threads": process.num_threads(),
        "files and connections": process.num_fds(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connectors", type=int, default=80)
    parser.add_argument("--seconds", type=float, default=60.0)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "city"
        init(folder)
        write(folder, wanted.connectors)
        wiring = Wiring(Deployment.load(folder))
        with Broker(wiring.deployment.data / "kafka"):
            worker = subprocess.Popen([*CASEBUS, "connect", str(folder)], stderr=subprocess.DEVNULL)
            try:
                first = settled(wiring, wanted.connectors)
                time.sleep(IDLE + 10)
                found = measured(psutil.Process(worker.pid), wanted.seconds)
            finally:
                worker.terminate()
                worker.wait(30)
    print(json.dumps({"connectors": wanted.connectors, "s until all had read": round(first, 1), **found}, indent=1))


if __name__ == "__main__":
    main()
