"""Exchange tables: read behind a watermark and a key, joined and translated; deliveries into an inbox, once."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from connector_world import connector, reasons, records

from bus.errors import ConfigurationError, RetryError
from connectors.inbox import InboxSettings
from connectors.kinds import sql
from connectors.source import Context
from connectors.sqlread.values import restored, stored
from schemas.problem import ProblemsError

MAPPING = """
zone: Asia/Shanghai
columns:
  id: {required: true}
  number: {from: 办件编号, clean: key, required: true}
  at: {type: time, formats: "%Y-%m-%d %H:%M:%S", required: true}
key: id
case: number
header: {occurred_at: at}
events: [{type: Accepted}]
"""


def source(extra: str) -> str:
    return f'kind: sql\nsource: {{url: "sqlite:///data.db", {extra}}}\n'


@pytest.fixture
def database(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "data.db")
    connection.isolation_level = None
    connection.execute('create table "环节 表" (id integer primary key, "办件编号" text, at text, changed integer)')
    return connection


def put(database: sqlite3.Connection, *rows: tuple[Any, ...]) -> None:
    database.executemany('insert or replace into "环节 表" values (?, ?, ?, ?)', rows)


def line(number: int, changed: int | None = None) -> tuple[Any, ...]:
    return number, f"C{number}", "2025-06-01 09:00:00", changed


TABLE = 'table: "环节 表", key: id'


def test_rows_are_read_in_order_in_batches_and_go_on_behind_the_last(database: sqlite3.Connection, tmp_path: Path) -> None:
    """Chinese names of tables and columns; each batch is a query of its own."""
    put(database, *(line(number) for number in (3, 1, 2, 5, 4)))
    found = connector(tmp_path, source(TABLE), MAPPING)
    batches = list(found.open().fetch(None, 2))
    assert [[one.row["id"] for one in batch.records] for batch in batches] == [[1, 2], [3, 4], [5]]
    put(database, line(6))
    (more,) = found.open().fetch(batches[-1].position, 2)
    assert [one.position for one in more.records] == ["环节 表:6"]
    assert list(found.open().fetch(more.position, 2)) == []


def test_a_changed_row_comes_again_when_its_watermark_moves(database: sqlite3.Connection, tmp_path: Path) -> None:
    """Ties of the watermark are told apart by the key: none is skipped, none comes twice."""
    put(database, line(1, 10), line(2, 10), line(3, 10))
    found = connector(tmp_path, source(TABLE + ", watermark: changed"), MAPPING)
    first, *_ = found.open().fetch(None, 2)
    put(database, line(1, 11), line(4, 10))
    rest = records(found, first.position)
    assert [one.row["id"] for one in rest] == [3, 4, 1]


def test_a_query_may_join(database: sqlite3.Connection, tmp_path: Path) -> None:
    """Its columns are the fields; a colon in it is no parameter."""
    put(database, line(1), line(2))
    database.execute("create table names (id integer, full text)")
    database.execute("insert into names values (1, 'a:b')")
    query = 'query: "select h.*, n.full from \\"环节 表\\" h join names n on n.id = h.id and n.full = \'a:b\';", key: id'
    found = connector(tmp_path, source(query), MAPPING)
    assert [one.row["full"] for one in records(found)] == ["a:b"]


def test_a_missing_column_table_or_file_is_told(database: sqlite3.Connection, tmp_path: Path) -> None:
    """Sentences that name what there is; nothing that waiting would not mend is tried again."""
    put(database, line(1))
    with pytest.raises(ConfigurationError, match="has no column nummer; it has id, 办件编号, at, changed"):
        records(connector(tmp_path, source(TABLE), MAPPING.replace("办件编号", "nummer")))
    with pytest.raises(ConfigurationError, match="refused the query: no such table: absent"):
        records(connector(tmp_path, source("table: absent, key: id"), MAPPING))
    with pytest.raises(RetryError, match="did not answer"):
        records(connector(tmp_path, source(TABLE).replace("data.db", "no/such/folder/data.db"), MAPPING))


@pytest.mark.parametrize("url", ["nonsense", "nosuchdatabase://host/x"])
def test_an_unusable_address_is_told_without_its_password(tmp_path: Path, url: str) -> None:
    """Neither a traceback nor a secret."""
    text = source(TABLE).replace("sqlite:///data.db", url)
    with pytest.raises(ConfigurationError, match="database"):
        records(connector(tmp_path, text, MAPPING))


def test_table_and_query_exclude_each_other(tmp_path: Path) -> None:
    """Told with the line."""
    with pytest.raises(ProblemsError, match=r"dep.yaml:2: .*write either table: or query:"):
        connector(tmp_path, source("table: a, query: select 1, key: id"), MAPPING)


def test_a_code_table_translates_and_an_unknown_code_is_a_reason(database: sqlite3.Connection, tmp_path: Path) -> None:
    """Lookups from the connector's own database."""
    put(database, line(1), line(2))
    database.execute("create table map (local text, number text)")
    database.execute("insert into map values ('c1', 'X1')")
    mapping = MAPPING.replace("clean: key,", "clean: key, lookup: cases,")
    mapping = "lookups: {cases: {sql: {table: map}, key: local, value: number, fold: true, unknown: unknown_case}}" + mapping
    assert reasons(connector(tmp_path, source(TABLE), mapping)) == ["Accepted", "unknown_case"]


def test_values_of_all_kinds_pass_through_a_position() -> None:
    """Watermarks are times, dates, decimals, text or numbers, and compare as what they were."""
    from datetime import UTC, date, datetime
    from decimal import Decimal

    for value in (datetime(2025, 6, 1, tzinfo=UTC), date(2025, 6, 1), Decimal("1.50"), "text", 7, None):
        assert restored(stored([value])) == (value,)


DELIVERY = {
    "delivery_id": "d1",
    "case": "case:C1",
    "sequence": 3,
    "rule": "hand_up",
    "to": "water@990101",
    "hand_over": None,
    "kind": "hand_over",
    "decided_at": 1_748_740_000_000_000,
    "summary": {"item": "取水许可"},
}


def test_a_delivery_becomes_one_row_of_the_inbox(tmp_path: Path) -> None:
    """The delivery id is the key: a repetition changes nothing."""
    settings = InboxSettings(url="sqlite:///inbox.db")
    inbox = sql.KIND.target(settings, Context(tmp_path, [], "test")) if sql.KIND.target else None
    assert inbox is not None
    first, second = inbox.deliver(DELIVERY), inbox.deliver(DELIVERY)
    assert (first.repeated, second.repeated) == (False, True)
    rows = list(sqlite3.connect(tmp_path / "inbox.db").execute("select delivery_id, case_key, receiver from casebus_inbox"))
    assert rows == [("d1", "case:C1", "water@990101")]
