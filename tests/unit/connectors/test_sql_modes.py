"""The ways to read a table through the runner: what is marked, when, and what a crash or a wrong clock leaves behind."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from connector_world import CLOCK, NOW, connector, kafka

from bus import topics
from bus.errors import ConfigurationError, RetryError
from bus.memory import Cluster
from bus.ports import Message
from connectors import deadletters, deliver
from connectors.config import Connector
from connectors.deliver import Deliveries
from connectors.inbox import FIELDS
from connectors.runner import Runner
from connectors.source import Context
from connectors.sqlread import table as tables
from connectors.sqlread.follow import Follow
from connectors.sqlread.settings import SqlSettings
from schemas.codec import default
from schemas.envelope import Event
from schemas.problem import ProblemsError

MAPPING = """
zone: Asia/Shanghai
columns:
  id: {required: true}
  number: {from: 办件编号, clean: key, required: true}
  at: {from: 办理时间, type: time, required: true}
key: id
case: number
header: {occurred_at: at}
events: [{type: Accepted}]
"""
FLAG = "key: 流水号, flag: {column: 同步, unset: '0', taken: '1', refused: '2', error: 原因, at: 时间}"


@pytest.fixture
def cluster() -> Cluster:
    return kafka()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(tmp_path / "data.db", isolation_level=None) as connection:
        columns = "流水号 integer primary key, 办件编号 text, 办理时间 text, 同步 text default '0', 原因 text, 时间 text"
        connection.execute(f"create table 办件 ({columns})")
        yield connection
    connection.close()


def put(database: sqlite3.Connection, *numbers: int, case: str | None = None) -> None:
    rows = [(number, f"C{number}" if case is None else case, "2025-06-01 09:00:00") for number in numbers]
    database.executemany("insert into 办件 (流水号, 办件编号, 办理时间) values (?, ?, ?)", rows)


def reading(folder: Path, settings: str, mapping: str = MAPPING) -> Connector:
    text = f'kind: sql\nsource: {{url: "sqlite:///data.db", table: 办件, {settings}}}\n'
    return connector(folder, text, mapping.replace("id: {required", "id: {from: 流水号, required"))


def events(cluster: Cluster) -> list[Event]:
    return [default().decode(record.value or b"") for record in cluster.records(topics.EVENTS.name)]


def flags(database: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return list(database.execute("select 流水号, 同步, 原因 from 办件 order by 流水号"))


# flag and outbox


def test_rows_are_marked_only_when_kafka_has_them(cluster: Cluster, database: sqlite3.Connection, tmp_path: Path) -> None:
    """With the sentence of the dead letter for those that were refused."""
    put(database, 1)
    put(database, 2, case="")
    runner = Runner(reading(tmp_path, FLAG), cluster, default(), CLOCK)
    cluster.fail_next_commit()
    with pytest.raises(RetryError):
        runner.run_once()
    assert flags(database) == [(1, "0", None), (2, "0", None)]
    assert runner.run_once().records == 2
    (letter,) = deadletters.read(cluster, default())
    assert flags(database) == [(1, "1", None), (2, "2", letter.value["text"])]
    assert all(database.execute("select 时间 is not null from 办件"))
    assert runner.run_once().records == 0


def test_a_crash_before_the_mark_gives_the_same_events(cluster: Cluster, database: sqlite3.Connection, tmp_path: Path) -> None:
    """Same ids and bodies: they count once."""
    put(database, 1, 2)
    for _ in range(2):
        database.execute("update 办件 set 同步 = '0'")
        Runner(reading(tmp_path, FLAG), cluster, default(), CLOCK).run_once()
    found = [(event.id, event.header["body_hash"]) for event in events(cluster)]
    assert len(found) == 4
    assert len(set(found)) == 2


def test_nothing_is_published_where_nothing_may_be_marked(cluster: Cluster, database: sqlite3.Connection, tmp_path: Path) -> None:
    """Otherwise the same rows would be published again and again."""
    put(database, 1)
    found = reading(tmp_path, FLAG)
    text = found.path.read_text("utf-8").replace("sqlite:///data.db", f"sqlite:///file:{tmp_path}/data.db?mode=ro&uri=true")
    found.path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match="does not allow it: attempt to write a readonly database"):
        Runner(reading_again(found), cluster, default(), CLOCK).run_once()
    assert events(cluster) == []


def reading_again(found: Connector) -> Connector:
    from connectors.config import read

    return read(found.path)


def test_an_outbox_is_emptied_when_kafka_has_it(cluster: Cluster, database: sqlite3.Connection, tmp_path: Path) -> None:
    """What was refused lies among the dead letters with its bytes."""
    put(database, 1, 3)
    put(database, 2, case="")
    Runner(reading(tmp_path, "key: 流水号, outbox: delete"), cluster, default(), CLOCK).run_once()
    assert flags(database) == []
    assert [event.header["source"]["key"] for event in events(cluster)] == ["1", "3"]
    (letter,) = deadletters.read(cluster, default())
    assert json.loads(letter.value["raw"])["流水号"] == 2


@pytest.mark.parametrize(
    ("settings", "once"), [(FLAG, {"办件"}), ("key: 流水号, outbox: delete", {"办件"}), ("key: 流水号", set())]
)
def test_a_queue_says_that_it_cannot_be_asked_again(tmp_path: Path, settings: str, once: set[str]) -> None:
    """The audit does not look for rows where they have been taken from."""
    assert reading(tmp_path, settings).once == once


def test_a_row_that_no_dead_letter_holds_whole_stays_in_the_outbox(
    cluster: Cluster, database: sqlite3.Connection, tmp_path: Path
) -> None:
    """Unreadable or too long, it is refused once; mended where it lies, it is taken as any other."""
    put(database, 1, 3)
    database.execute("insert into 办件 values (2, cast(x'43ff32' as text), '2025-06-01 09:00:00', '0', null, null)")
    database.execute("insert into 办件 values (4, ?, '2025-06-01 09:00:00', '0', null, null)", ("x" * 600_000,))
    runner = Runner(reading(tmp_path, "key: 流水号, outbox: delete"), cluster, default(), CLOCK)
    runner.run_once()
    assert [number for (number,) in database.execute("select 流水号 from 办件 order by 1")] == [2, 4]
    assert runner.run_once().records == 0
    assert sorted(letter.value["reason"] for letter in deadletters.read(cluster, default())) == ["broken_row", "too_large"]
    database.execute("update 办件 set 办件编号 = 'C2' where 流水号 = 2")
    runner.run_once()
    assert [event.header["source"]["key"] for event in events(cluster)] == ["1", "3", "2"]
    assert [number for (number,) in database.execute("select 流水号 from 办件")] == [4]


# clocks, positions, rows


def follow(folder: Path, now: datetime, **settings: Any) -> Follow:
    made = SqlSettings(url=f"sqlite:///{folder}/data.db", table="办件", key="流水号", watermark="办理时间", **settings)
    return Follow(made, Context(folder, [], "dep.yaml", zone="UTC"), now=lambda: now)


def test_a_clock_that_is_set_back_hides_nothing(database: sqlite3.Connection, tmp_path: Path) -> None:
    """Rows written at an earlier time than those read are found; those read in between may come again, with the same ids."""
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def write(number: int, at: datetime) -> None:
        database.execute("insert into 办件 values (?, ?, ?, '0', null, null)", (number, f"C{number}", f"{at:%Y-%m-%d %H:%M:%S}"))

    write(1, noon - timedelta(hours=2))
    write(2, noon)
    (batch,) = follow(tmp_path, noon + timedelta(seconds=1), overlap=0).fetch(None, 10)
    back = noon - timedelta(hours=1)
    write(3, back)
    (late,) = follow(tmp_path, back + timedelta(seconds=1), overlap=0).fetch(batch.position, 10)
    assert [record.row["流水号"] for record in late.records] == [3, 2]
    assert list(follow(tmp_path, back + timedelta(seconds=2), overlap=0).fetch(late.position, 10)) == []


def test_a_position_of_the_first_release_is_read_on_from(database: sqlite3.Connection, tmp_path: Path) -> None:
    """It knew only the last row; `rewind` writes such ones by hand."""
    put(database, 1, 2, 3)
    found = reading(tmp_path, "key: 流水号").open().fetch('{"after": [2], "rows": 2}', 10)
    assert [record.row["流水号"] for batch in found for record in batch.records] == [3]


def test_a_row_too_long_goes_to_the_dead_letters_in_part(
    database: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on."""
    monkeypatch.setattr(tables, "LONGEST_ROW", 1000)
    put(database, 1)
    put(database, 2, case="x" * 2000)
    (batch,) = reading(tmp_path, "key: 流水号").open().fetch(None, 10)
    assert [record.fault and record.fault.reason for record in batch.records] == [None, "row_too_long"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("key: 流水号, flag: {column: a}, outbox: delete", "write either flag: or outbox:"),
        ("key: 流水号, flag: {column: a, unset: 1}", "must differ from what unset: says"),
        ("key: 流水号, snapshot: true", "snapshot: goes before a watermark:"),
        ("key: 流水号, nulls: never", "'read' or 'wait'"),
    ],
)
def test_settings_that_do_not_go_together_are_told(tmp_path: Path, settings: str, said: str) -> None:
    """With file and line."""
    with pytest.raises(ProblemsError, match=rf"dep.yaml:2: .*{said}"):
        reading(tmp_path, settings)


# an inbox and its receipts

HANDING = """
kind: sql
zone: Asia/Shanghai
source: {url: "sqlite:///data.db", table: 收件箱, key: 投递编号, watermark: 签收时间, nulls: wait}
columns:
  id: {from: 投递编号, required: true}
  number: {from: 办件编号, required: true}
  hand_over: {from: 移交编号}
  at: {from: 签收时间, type: time, required: true}
  who: {from: 签收人}
key: id
case: number
header: {occurred_at: at, actor: who, authority: "'water@990101'"}
events: [{type: Received, body: {hand_over: hand_over}}]
deliver:
  to: water@*
  kind: sql
  target:
    url: sqlite:///data.db
    table: 收件箱
    id: 投递编号
    columns: {办件编号: number, 移交编号: hand_over, 事项: summary.item, 下达时间: decided_at, 状态: "'待签收'", 正文: body}
"""


def delivery(cluster: Cluster) -> None:
    value = {
        "delivery_id": "d1",
        "case": "case:C1",
        "sequence": 3,
        "rule": "hand_up",
        "to": "water@990101",
        "hand_over": "h1",
        "kind": "hand_over",
        "decided_at": NOW,
        "summary": {"item": "取水许可"},
    }
    body = default().encode_record("Delivery", value)
    cluster.publish([Message(topics.DELIVERIES.name, 0, b"water@990101", body, NOW // 1000)])


def test_a_receipt_that_the_department_writes_into_its_inbox_becomes_an_event(
    cluster: Cluster, database: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handed over once, signed for by the department's own system, on the bus as Received of that hand-over."""
    monkeypatch.setattr(deliver, "IDLE", 0.0)
    columns = "投递编号 text primary key, 办件编号 text, 移交编号 text, 事项 text, 下达时间 text, 状态 text, 正文 text"
    database.execute(f"create table 收件箱 ({columns}, 签收时间 text, 签收人 text)")
    found = connector(tmp_path, HANDING, "")
    runner = Runner(found, cluster, default(), CLOCK)
    for _ in range(2):
        delivery(cluster)
        Deliveries(deliver.receivers([found]), cluster, default(), "deliver").run_to_end(threading.Event())
    assert list(database.execute("select 投递编号, 办件编号, 移交编号, 事项, 下达时间, 状态 from 收件箱")) == [
        ("d1", "C1", "h1", "取水许可", "2026-01-01 08:00:00", "待签收")
    ]
    assert runner.run_once().records == 0
    database.execute("update 收件箱 set 状态 = '已签收', 签收时间 = '2026-01-01 09:30:00', 签收人 = '王五'")
    assert (runner.run_once().events, runner.run_once().records) == (1, 0)
    (event,) = events(cluster)
    assert (event.type, event.body["hand_over"], event.case) == ("Received", "h1", "case:C1")
    assert event.occurred_at == NOW + 90 * 60 * 1_000_000


@pytest.mark.parametrize(
    ("expression", "said"), [("sumary.item", "names `sumary`, which a delivery does not have"), ("1 +", "is no expression")]
)
def test_an_inbox_column_that_cannot_be_filled_is_told_at_the_start(tmp_path: Path, expression: str, said: str) -> None:
    """Before the first delivery waits for it."""
    with pytest.raises(ProblemsError, match=said):
        deliver.receivers([connector(tmp_path, HANDING.replace("summary.item", f'"{expression}"'), "")])
    assert "summary" in FIELDS
