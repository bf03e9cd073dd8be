"""One suite over SQLite, PostgreSQL and MariaDB: what the kind `sql` promises holds on each of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from sql_world import ZONE, Database, MariaDb, Reader, mariadb, postgresql

from bus.errors import ConfigurationError, RetryError
from connectors.config import Connector, read
from connectors.inbox import InboxSettings
from connectors.integrate import guess, look
from connectors.kinds.sql import KIND
from connectors.mapping import Rejection
from connectors.source import Context

NOW = 1_900_000_000_000_000
MARIADB = pytest.param("mariadb", marks=pytest.mark.tier2)
#: Tests of connections run where there are any, a test of a stopped server where it is ours to stop.
connections = pytest.mark.parametrize("database", ["postgresql", MARIADB], indirect=True)
own_server = pytest.mark.parametrize("database", [MARIADB], indirect=True)
_servers: dict[str, MariaDb] = {}


@pytest.fixture(
    scope="module",
    params=["sqlite", "postgresql", MARIADB],
)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("sqlite")
        yield Database("sqlite", f"sqlite:///{folder}/data.db", f"sqlite:///file:{quote(str(folder))}/data.db?mode=ro&uri=true")
    elif request.param == "postgresql":
        with postgresql() as found:
            yield found
    else:
        with mariadb() as (found, server):
            _servers[found.url] = server
            yield found
            del _servers[found.url]


@pytest.fixture
def table(database: Database) -> Database:
    """`steps` with some columns, empty: changed is a number."""
    database.fresh("steps", '"id" integer primary key, "changed" integer, "code" words, "flag" words, "said" words')
    return database


def put(database: Database, *rows: tuple[Any, ...]) -> None:
    """Rows of `steps`: id, changed, code."""
    for number, changed, *rest in rows:
        database.run(
            "insert into steps (id, changed, code, flag) values (:id, :changed, :code, '0')",
            id=number,
            changed=changed,
            code=rest[0] if rest else "SL",
        )


def follow(database: Database, limit: int = 100, **settings: Any) -> Reader:
    return Reader(database.url, limit, **{"table": "steps", "key": "id", "watermark": "changed", **settings})


# names and rights

CHINESE = "环节 表"
PEOPLE = ["𠮷野家", "䶮：'\"%s;--", "张三"]


def test_chinese_names_four_byte_characters_a_schema_a_view_and_a_reader(database: Database) -> None:
    """Keys and watermarks of text go through the position; a user who may only read is enough."""
    schema = {"sqlite": "main", "postgresql": "前置", "mariadb": "前置"}[database.kind]
    if database.kind == "postgresql":
        database.run('create schema if not exists "前置"', 'grant usage on schema "前置" to reader')
    database.run(f'drop view if exists "{schema}"."环节_视图"')
    database.fresh(f'"{schema}"."{CHINESE}"', '"办件 编号" words, "更新:时间" words, "经办%人" words')
    for name in PEOPLE:
        text = f'insert into "{schema}"."{CHINESE}" values (:name, \'2026-03-02 09:10:00\', :name)'
        database.run(text, name=name)
    database.run(f'create view "{schema}"."环节_视图" as select * from "{schema}"."{CHINESE}"')
    if database.kind == "postgresql":
        database.run('grant select on all tables in schema "前置" to reader')
    for name in (f"{schema}.{CHINESE}", f"{schema}.环节_视图"):
        reader = Reader(database.reader, 1, table=name, key="办件 编号", watermark="更新:时间")
        found = reader.read()
        assert sorted(record.row["经办%人"] for record in found) == sorted(PEOPLE)
        assert reader.read() == []
    with pytest.raises(ConfigurationError, match=r"does not allow it: .*Ask for the right"):
        Reader(
            database.reader,
            table=f"{schema}.{CHINESE}",
            key="办件 编号",
            flag={"column": "更新:时间", "unset": ["2026-03-02 09:10:00"]},
        ).read()


def test_a_query_with_colons_and_percents_is_left_as_it_is(table: Database) -> None:
    """Only the deployment knows what it means."""
    put(table, (1, 10, "a:b"), (2, 20, "100%"), (3, 30, "x"))
    query = "select * from steps where code like '%:b' or code like '100%%' ;"
    assert follow(table, table=None, query=query).ids() == [1, 2]


# watermark and key


def test_rows_come_in_order_by_batches_and_go_on_from_any_position(table: Database) -> None:
    """Ties of the watermark are told apart by the key."""
    put(table, *((number, 10 + number // 4) for number in (7, 3, 5, 1, 2, 6, 4)))
    reader = follow(table, limit=2)
    assert reader.ids(batches=1) == [1, 2]
    assert reader.ids(batches=2) == [3, 4, 5, 6]
    assert (reader.ids(), reader.ids()) == ([7], [])
    table.run("update steps set changed = 99 where id = 2")
    assert (reader.ids(), reader.ids()) == ([2], [])


def test_a_row_that_is_committed_late_is_read_once(table: Database) -> None:
    """It was written before what has been read already, and seen only afterwards."""
    put(table, (1, 10))
    reader = follow(table)
    if table.kind == "sqlite":  # one writer at a time: only a watermark of its own makes a row late
        put(table, (3, 30))
        assert reader.ids() == [1, 3]
        put(table, (2, 20))
    else:
        with table.transaction() as slow:
            slow.execute(sa.text("insert into steps (id, changed) values (2, 20)"))
            put(table, (3, 30))
            assert reader.ids() == [1, 3]
    assert (reader.ids(), reader.ids()) == ([2], [])


def test_rows_without_a_watermark_come_once_and_again_when_they_get_one(table: Database) -> None:
    """Or with `nulls: wait` not before they have one."""
    put(table, (2, 10), (5, None), (1, None))
    reader, waiting = follow(table), follow(table, nulls="wait")
    assert (reader.ids(), reader.ids(), waiting.ids()) == ([2, 1, 5], [], [2])
    put(table, (3, None))
    table.run("update steps set changed = 11 where id = 5")
    assert (reader.ids(), reader.ids(), waiting.ids()) == ([5, 3], [], [5])


def test_a_row_from_the_future_does_not_hide_those_of_today(database: Database) -> None:
    """Its watermark lies ahead of the clock: it is read, and the reading goes on before it."""
    database.fresh("moments", '"id" integer primary key, "changed" moment')
    reader = Reader(database.url, table="moments", key="id", watermark="changed", overlap=0)
    for number, moment in ((1, "2026-03-02 09:10:00"), (2, "2099-12-31 00:00:00"), (3, "2026-03-02 09:11:00")):
        database.run("insert into moments values (:id, :at)", id=number, at=moment)
        assert (reader.ids(), reader.ids()) == ([number], [])


def test_a_snapshot_is_taken_up_where_it_was_left_and_followed_without_a_gap(table: Database) -> None:
    """Rows changed, added and committed meanwhile, before and behind where it stands; each comes once as it is."""
    put(table, *((number, 100 - number) for number in range(1, 10)), (10, None))
    reader = follow(table, limit=3, snapshot=True, remember=3)
    assert reader.ids(batches=2) == [1, 2, 3, 4, 5, 6]
    table.run("update steps set changed = 200 where id = 2", "update steps set changed = 201 where id = 8")
    put(table, (0, 150))
    assert reader.ids() == [7, 8, 9, 10, 0, 2]
    assert reader.ids() == []
    put(table, (11, 202), (12, None))
    assert (reader.ids(), reader.ids()) == ([11, 12], [])


# flag and outbox

FLAG = {"column": "flag", "unset": "0", "taken": "1", "refused": "2", "error": "said"}


def test_a_flag_is_written_back_with_the_sentence_of_what_was_refused(table: Database) -> None:
    """As text that each column's type takes; null counts as not taken."""
    put(table, *((number, number) for number in (1, 2, 3)))
    table.run("update steps set flag = null where id = 3")
    reader = follow(table, limit=2, watermark=None, flag=FLAG)
    reader.refuse = {2: "code: found 'X', which the mapping does not know. 加上它。𠮷"}
    assert (reader.ids(), reader.ids()) == ([1, 2, 3], [])
    assert table.rows("select id, flag, said from steps order by id") == [
        (1, "1", None),
        (2, "2", reader.refuse[2]),
        (3, "1", None),
    ]
    table.run("update steps set flag = '0' where id = 1")
    assert reader.ids() == [1]


def test_a_row_changed_since_it_was_read_is_not_marked(table: Database) -> None:
    """With a watermark the mark knows what it marks: the row comes again as it is now."""
    put(table, (1, 10), (2, None))
    reader = follow(table, flag=FLAG)
    opened = reader.open()
    (batch,) = opened.fetch(None, 10)
    table.run("update steps set changed = 11, code = 'new' where id = 1")
    reader._settle(opened, batch)
    assert table.rows("select id, flag from steps order by id") == [(1, "0"), (2, "1")]
    assert [record.row["code"] for record in reader.read()] == ["new"]


def test_rows_come_again_when_the_mark_was_not_written(table: Database) -> None:
    """A crash between Kafka and the table: the same rows, so the same events."""
    put(table, (1, 1), (2, 2))
    reader = follow(table, watermark=None, flag=FLAG)
    (batch,) = reader.open().fetch(None, 10)
    assert [one.raw for one in reader.read()] == [one.raw for one in batch.records]


def test_a_sentence_too_long_for_its_column_is_cut(database: Database) -> None:
    """What was refused must not stop what was not."""
    database.fresh("narrow", '"id" integer primary key, "flag" integer, "said" varchar(10)')
    database.run("insert into narrow values (1, null, null)")
    reader = Reader(database.url, table="narrow", key="id", flag={"column": "flag", "error": "said"})
    reader.refuse = {1: "a sentence of many words"}
    reader.read()
    assert database.rows("select flag, said from narrow") == [(2, "a sentence")]


def test_an_outbox_is_read_in_order_and_emptied(database: Database) -> None:
    """Late rows need no overlap: whatever stands there is read. Documents open into fields."""
    database.fresh("outbox", '"id" integer primary key, "payload" words')
    for number in (2, 1):
        database.run("insert into outbox values (:id, :payload)", id=number, payload=json.dumps({"case": {"no": f"C{number}"}}))
    database.run("insert into outbox values (3, '{broken')")
    reader = Reader(database.url, 2, fields=["payload.case.no"], table="outbox", key="id", outbox="delete", json="payload")
    found = reader.read()
    assert [one.row["payload"]["case"]["no"] for one in found[:2]] == ["C1", "C2"]
    assert found[2].fault is not None
    assert found[2].fault.reason == "unreadable_value"
    assert database.rows("select count(*) from outbox") == [(0,)]


# what goes wrong


def broken_view(database: Database) -> None:
    """`steps` with a column that cannot be given for the row 5."""
    bad = {
        "sqlite": "case when id = 5 then cast(x'c328' as text) else code end",
        "postgresql": "case when id = 5 then 'infinity'::timestamp end",
        "mariadb": "(select pair from pairs where pairs.id = steps.id)",
    }[database.kind]
    database.run("drop view if exists broken")
    database.fresh("pairs", '"id" integer, "pair" integer')
    database.run("insert into pairs values (5, 1), (5, 2), (6, 1)")
    database.run(f"create view broken as select id, changed, {bad} as bad from steps")


def test_a_row_that_cannot_be_given_comes_alone_and_the_others_go_on(table: Database) -> None:
    """A text that is no UTF-8, a date beyond the calendar, an expression that fails: told with the row's key."""
    put(table, *((number, number) for number in range(1, 10)))
    broken_view(table)
    reader = follow(table, limit=4, table="broken")
    found = reader.read()
    assert [one.row["id"] for one in found] == list(range(1, 10))
    assert [one.row["id"] for one in found if one.fault] == [5]
    fault = found[4].fault
    assert fault is not None
    assert fault.reason == "broken_row"
    assert reader.read() == []
    table.run("drop view broken")


def endless(database: Database) -> str:
    return {
        "sqlite": "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) as id from n",
        "postgresql": "select 1 as id, pg_sleep(30)",
        "mariadb": "select 1 as id, benchmark(10000000000, sha2('x', 512)) as slow",
    }[database.kind]


def test_a_query_that_does_not_end_is_ended(database: Database) -> None:
    """After `timeout:` seconds, with what would help."""
    reader = Reader(database.url, query=endless(database), key="id", timeout=0.3)
    with pytest.raises(RetryError, match=r"did not answer in time: .*index.*raise timeout:"):
        reader.read()


def test_wrong_names_and_wrong_sql_are_told(table: Database) -> None:
    """Nothing that waiting would mend."""
    put(table, (1, 1))
    for settings in ({"table": "absent"}, {"watermark": "nobody"}, {"table": None, "query": "selec 1 from steps"}):
        with pytest.raises(ConfigurationError, match="refused the query: "):
            follow(table, **settings).read()
    with pytest.raises(ConfigurationError, match=r"steps has no column nummer; it has id, changed"):
        follow(table, fields=["nummer"]).read()


@connections
def test_a_connection_cut_between_two_batches_is_made_again(table: Database) -> None:
    """The next query takes another one."""
    put(table, *((number, number) for number in range(1, 6)))
    reader = follow(table, limit=2)
    opened = reader.open()
    batches = opened.fetch(None, 2)
    first = next(batches)
    cut_all(table)
    assert [record.row["id"] for batch in [first, *batches] for record in batch.records] == [1, 2, 3, 4, 5]


@connections
def test_a_connection_cut_in_the_middle_of_a_query_is_told_and_nothing_is_lost(table: Database) -> None:
    """A sentence, not a traceback; the position is that of the last batch."""
    put(table, *((number, number) for number in range(1, 6)))
    slow = {
        "postgresql": "pg_sleep(case when id = 4 then 20 else 0 end)",
        "mariadb": "sleep(case when id = 4 then 20 else 0 end)",
    }
    query = f"select id, changed, {slow[table.kind]} as slept from steps"
    reader = follow(table, limit=1, table=None, query=query)
    cutter = threading.Timer(1.0, cut_all, [table])
    cutter.start()
    with pytest.raises(RetryError, match=r"did not answer: .*It will be tried again"):
        reader.read()
    cutter.join()
    rest = follow(table)
    rest.position = reader.position
    seen = rest.ids()
    assert seen[-2:] == [4, 5]


def cut_all(database: Database) -> None:
    """End every other connection to this database."""
    if database.kind == "postgresql":
        others = "pid <> pg_backend_pid() and backend_type = 'client backend'"
        database.rows(f"select pg_terminate_backend(pid) from pg_stat_activity where {others}")
        return
    own = "select id from information_schema.processlist where id <> connection_id() and user = 'root'"
    for (number,) in database.rows(own):
        database.run(f"kill {number}")


@own_server
def test_a_server_that_stops_is_told_and_read_on_when_it_is_back(table: Database) -> None:
    """The address stays, the connections do not."""
    server = _servers[table.url]
    put(table, *((number, number) for number in range(1, 6)))
    reader = follow(table, limit=2)
    assert reader.ids(batches=1) == [1, 2]
    server.stop()
    with pytest.raises(RetryError, match="did not answer"):
        reader.read()
    server.start()
    assert reader.ids() == [3, 4, 5]


# zones

MAPPING = """
kind: sql
zone: Asia/Shanghai
source: {url: "URL", table: zoned, key: id, watermark: at}
columns: {id: {}, at: {type: time, required: true}}
key: id
case: id
header: {occurred_at: at}
events: [{type: Accepted}]
"""


def connector(folder: Path, text: str) -> Connector:
    path = folder / "connectors/dep.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return read(path)


def test_a_server_in_another_zone_says_the_same_moment(database: Database, tmp_path: Path) -> None:
    """The server stands at UTC; its column holds an instant; our connector lives in Shanghai."""
    kind = {"sqlite": "text", "postgresql": "timestamptz", "mariadb": "timestamp"}[database.kind]
    database.fresh("zoned", f'"id" integer primary key, "at" {kind}')
    moment = {"postgresql": "2026-03-02 01:10:00+00", "mariadb": "2026-03-02 01:10:00"}.get(database.kind, "2026-03-02 09:10:00")
    database.run("insert into zoned values (1, :at)", at=moment)
    found = connector(tmp_path, MAPPING.replace("URL", database.url))
    (batch,) = found.open().fetch(None, 10)
    (event,) = answers(found, batch.records)
    assert event.occurred_at == round(datetime.fromisoformat("2026-03-02T01:10:00+00:00").timestamp() * 1e6)
    assert list(found.open().fetch(batch.position, 10)) == []


def answers(found: Connector, records: Any) -> list[Any]:
    given: list[Any] = []
    for record in records:
        one = found.mapping.translate(record, NOW)
        assert not isinstance(one, Rejection), one.text
        given += one
    return given


# deliveries

DELIVERY = {
    "delivery_id": "d1",
    "case": "case:C1",
    "sequence": 3,
    "rule": "hand_up",
    "to": "water@990101",
    "hand_over": "h1",
    "kind": "hand_over",
    "decided_at": 1_748_740_000_000_000,
    "summary": {"item": "取水𠮷可"},
}


def test_an_inbox_of_ours_takes_a_delivery_once(database: Database) -> None:
    """The table is made where it is missing; four-byte characters fit whatever the server's default is."""
    database.run("drop table if exists casebus_inbox")
    settings = InboxSettings(url=database.url)
    assert KIND.target is not None
    inbox = KIND.target(settings, Context(Path(), [], "dep.yaml", zone=ZONE))
    assert [inbox.deliver(DELIVERY).repeated for _ in range(2)] == [False, True]
    ((case, receiver, hand_over, body),) = database.rows("select case_key, receiver, hand_over, body from casebus_inbox")
    assert (case, receiver, hand_over) == ("case:C1", "water@990101", "h1")
    assert "取水𠮷可" in body


def test_an_inbox_of_the_departments_own_columns_is_filled_by_expressions(database: Database) -> None:
    """Typed columns take the texts that expressions give; what comes again changes nothing."""
    database.fresh(
        '"收件箱"', '"投递编号" varchar(64) primary key, "办件编号" words, "事项" words, "时间" moment, "状态" integer'
    )
    columns = {"办件编号": "number", "事项": "summary.item", "时间": "decided_at", "状态": "'0'"}
    settings = InboxSettings(url=database.url, table="收件箱", id="投递编号", columns=columns)
    assert KIND.target is not None
    inbox = KIND.target(settings, Context(Path(), [], "dep.yaml", zone=ZONE))
    assert [inbox.deliver(DELIVERY).repeated for _ in range(2)] == [False, True]
    ((identity, number, item, at, state),) = database.rows('select * from "收件箱"')
    assert (identity, number, item, str(at), state) == ("d1", "C1", "取水𠮷可", "2025-06-01 09:06:40", 0)


# a first look


def test_a_first_look_writes_a_connector_that_reads(database: Database, tmp_path: Path) -> None:
    """`connector new --kind sql --from URL`: key, watermark and times are found on each database."""
    database.fresh(
        '"消防检查"', '"流水号" integer primary key, "办件编号" words, "状态" words, "办理时间" moment, "更新时间" moment'
    )
    for number, state in enumerate(("申请", "受理", "准予许可", "受理"), 1):
        at = f"2026-03-02 {9 + number:02}:00:00"
        text = 'insert into "消防检查" values (:id, :no, :state, :at, :at)'
        database.run(text, id=number, no=f"5000012026030100000{number % 2}", state=state, at=at)
    seen = look.table(database.url, "消防检查", tmp_path)
    assert seen.source["key"] == "流水号"
    draft = guess.draft(seen, "dep", ZONE)
    assert 'watermark: "更新时间"' in draft
    found = connector(tmp_path, draft)
    (batch,) = found.open().fetch(None, 10)
    assert [event.type for event in answers(found, batch.records)] == ["Applied", "Accepted", "Decided", "Accepted"]
