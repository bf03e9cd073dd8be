"""Debezium itself: PostgreSQL's changes through a real Kafka Connect into a topic, and from it onto the bus by kind `kafka`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import live_connectors
import psycopg
import pytest
from connector_world import deployment

from bus import topics
from bus.broker import Broker
from bus.jars import Jar, locked
from bus.ports import Client
from casebus.wiring import Wall
from connectors import deadletters
from connectors.config import read
from connectors.runner import Runner
from schemas.codec import default

if TYPE_CHECKING:
    from bench.debezium import Database

pytestmark = pytest.mark.broker

#: Two names of equal length, which share a topic, because each sign that is not ASCII becomes `_` in its name.
STEPS, OTHERS = "办件过程", "其他表格"
TOPIC = "department.public.____"
YAML = f"""
kind: kafka
source: {{topic: {TOPIC}, value: debezium}}
zone: Asia/Shanghai
columns:
  id: {{type: whole, required: true}}
  number: {{from: 办件编号, clean: key, required: true}}
  at: {{from: 办理时间, type: time, formats: clock_us, required: true}}
  day: {{from: 受理日期, type: time, formats: clock_days}}
  changed: {{from: 更新时间, type: time, formats: iso}}
  who: {{from: 经办人}}
  op: {{from: ../op}}
  table: {{from: ../source.table}}
key: id
version: "op == 'd' ? 3 : op == 'u' ? 2 : 1"
case: number
choose: op
header: {{occurred_at: at, reported_at: changed, actor: who, activity: table}}
events:
  - {{type: Accepted, name: accepted, on: [c, r, u], when: "table == '{STEPS}'"}}
  - {{type: Corrected, name: gone, on: d, cancels: accepted}}
"""
COLUMNS = "(id integer primary key, 办件编号 text, 办理时间 timestamp, 受理日期 date, 更新时间 timestamptz, 经办人 text)"
ROW = "'A-1', '2025-06-01 09:20:39.5', '2025-06-01', '2025-06-01 10:00:00+08'"


@pytest.fixture
def client(broker: Broker) -> Iterator[Client]:
    with live_connectors.client(broker.bootstrap) as made:
        made.create([topics.Topic(TOPIC, "primary key", partitions=2)])
        yield made


@pytest.fixture
def database(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Its two tables are followed by Debezium."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    from bench import debezium

    with debezium.postgresql() as made, debezium.worker(tmp_path / "connect", broker.bootstrap) as worker:
        run(
            made,
            f"create table {STEPS} {COLUMNS}",
            f"create table {OTHERS} {COLUMNS}",
            f"alter table {STEPS} replica identity full",
        )
        run(made, f"insert into {STEPS} values (1, {ROW}, '张三')", f"insert into {OTHERS} values (1, {ROW}, '别人')")
        worker.create("department", debezium.settings(made, "department", f"public.{STEPS},public.{OTHERS}", "initial"))
        yield made
        worker.remove("department")


def run(database: Database, *statements: str) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_what_debezium_writes_is_read_as_it_was_meant(database: Database, client: Client, tmp_path: Path) -> None:
    """Snapshot, then inserted, changed and deleted rows of the table meant, with its true name; local times stay local."""
    found = read(deployment(tmp_path, YAML, "debezium"))
    runner = Runner(found, client, default(), Wall())

    def published(count: int) -> list[Any]:
        def arrived() -> bool:
            runner.run_once()
            return len(events(client, found.name)) >= count

        until(arrived)
        return events(client, found.name)

    (first,) = published(1)
    run(database, f"update {STEPS} set 经办人 = '李四' where id = 1", f"delete from {STEPS} where id = 1")
    _, changed, gone = published(3)
    runner.close()
    assert [first.type, changed.type, gone.type] == ["Accepted", "Accepted", "Corrected"]
    assert [one.header["actor"]["value"] for one in (first, changed)] == ["张三", "李四"]
    assert first.header["activity"] == STEPS
    assert first.header["occurred_at"] == {"at": 1_748_740_839_500_000, "precision": "MICROSECOND", "zone": "Asia/Shanghai"}
    assert first.header["reported_at"]["at"] == 1_748_743_200_000_000
    assert [one.value["reason"] for one in deadletters.read(client, default()) if one.value["system"] == found.name] == []


def test_connect_is_of_the_brokers_version() -> None:
    """Whoever moves to another Kafka resolves its worker anew too; both are pinned apart."""
    lock = Path(__file__).parents[2] / "bench/connect.lock"

    def clients(jars: list[Jar]) -> set[str]:
        return {jar.sha256 for jar in jars if jar.coordinates[1] == "kafka-clients"}

    assert clients(locked(lock)) == clients(locked())


def events(client: Client, system: str) -> list[Any]:
    """In the order in which they were published."""
    places = dict.fromkeys(client.ends([topics.EVENTS.name]), 0)
    records = [one for batch in client.read(places) for one in batch]
    found = [default().decode(one.value or b"") for one in sorted(records, key=lambda one: (one.timestamp, one.offset))]
    return [one for one in found if one.header["source"]["system"] == system]


def until(holds: Callable[[], object], seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
