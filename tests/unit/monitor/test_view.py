"""The view holds what the topics hold: rows and offsets together or not at all."""

from __future__ import annotations

import json
from io import BytesIO

import monitor_world as world
import pytest
from fastavro import schemaless_writer
from sqlalchemy import select

from bus.errors import ConfigurationError, CorruptionError, FencedError, RetryError
from bus.ports import Partition
from monitor import tables
from monitor.rows import rows_of
from monitor.view import View
from schemas import contract
from schemas.case import Case, Finding, HandOver
from schemas.codec import Codec
from schemas.envelope import Event

JOURNAL = Partition("case.journal", 0)


@pytest.fixture
def view(tmp_path):
    opened = View.at(tmp_path / "view.db")
    yield opened
    opened.close()


def entries_of(events):
    return [world.journal_record(entry, n) for n, entry in enumerate(world.chain(events))]


TWO = [world.event("Applied", 1, activity="收件", authority="hall@500103"), world.event("Accepted", 3)]


def test_an_event_becomes_a_row_with_its_columns_and_bytes(view):
    """What the header says stands in columns; the published bytes stand beside them, unchanged."""
    view.apply_batch(entries_of(TWO), {}, world.CODEC)
    first, second = view.all(select(tables.events).order_by(tables.events.c.sequence))
    assert (first.type, first.activity, first.department, first.region) == ("Applied", "收件", "hall", "")
    assert (first.occurred_at, first.received_at, first.reported_at) == (TWO[0].occurred_at, TWO[0].received_at, None)
    assert first.raw == TWO[0].raw
    assert second.activity == "Accepted", "where the source names no activity the type stands in"


def test_every_journal_entry_is_kept_with_its_place_in_the_chain(view):
    """The entries table holds sequence, links and hashes as the journal does."""
    view.apply_batch(entries_of(TWO), {}, world.CODEC)
    rows = view.all(select(tables.entries).order_by(tables.entries.c.sequence))
    assert [(row.sequence, row.kind) for row in rows] == [(1, "EVENT"), (2, "EVENT")]
    assert rows[1].previous == rows[0].hash


def test_an_event_of_another_version_of_its_schema_becomes_the_same_row(view):
    """A newer program has published it: what is new is left out, what it lacks has its default."""
    text = json.loads(contract.events()["Accepted"].text)
    text["fields"].append({"name": "colour", "type": "string", "default": "", "doc": "New."})
    newer = contract.contract(json.dumps(text))
    codec = Codec()
    codec.learn(newer.text)
    stream = BytesIO()
    schemaless_writer(stream, newer.plain, {"header": TWO[1].header, **TWO[1].body, "colour": "red"})
    raw = b"\xc3\x01" + newer.fingerprint + stream.getvalue()
    told = Event("Accepted", TWO[1].header, TWO[1].body, raw)
    here = rows_of(entries_of([TWO[1]]), world.CODEC).of(tables.events)
    assert rows_of(entries_of([told]), codec).of(tables.events) == [here[0] | {"raw": raw}]


class Away(Codec):
    """Its schema registry does not answer."""

    def written(self, data):
        raise RetryError(f"The schema registry of {data[:5]} does not answer.")


def test_a_registry_that_is_away_is_waited_for():
    """The record is sound: whoever took it for a broken one would never be started again."""
    with pytest.raises(RetryError, match="does not answer"):
        rows_of(entries_of(TWO), Away())


def test_a_state_replaces_what_the_case_said_before(view):
    """Moves, findings and events set aside are those of the newest state, nothing is left of the older one."""
    old = Case(
        world.KEY, findings=[Finding("opinion_before_acceptance", 5, "e")], hand_overs=[HandOver("h1", "up", "a@1", "b@2", 7)]
    )
    new = Case(world.KEY, region="500103", authority="hall@500103", hand_overs=[HandOver("h2", "down", "b@2", "a@1", 9)])
    view.apply_batch([world.state_record(world.state(TWO, old), 0)], {}, world.CODEC)
    again = world.state(TWO, new, standings={TWO[0].id: "superseded"})
    view.apply_batch([world.state_record(again, 1)], {Partition("case.state", 0): 1}, world.CODEC)
    assert [row.hand_over for row in view.all(select(tables.moves))] == ["h2"]
    assert view.all(select(tables.findings)) == []
    assert [(row.sequence, row.standing) for row in view.all(select(tables.set_aside))] == [(1, "superseded")]
    (case,) = view.all(select(tables.cases))
    assert (case.number, case.department, case.head) == ("0001", "hall", again.head)


def test_of_several_states_in_one_batch_the_last_counts(view):
    """Compaction keeps the last state of a key, and so does one batch."""
    states = [world.state(TWO[:n], Case(world.KEY, events=n)) for n in (1, 2)]
    view.apply_batch([world.state_record(one, n) for n, one in enumerate(states)], {}, world.CODEC)
    assert [row.events for row in view.all(select(tables.cases))] == [2]


def test_dead_letters_keep_place_reason_and_raw_bytes(view):
    """NUL characters, which PostgreSQL refuses in text, do not stop the monitor."""
    view.apply_batch([world.letter_record(4, found="2\x00", raw=b"7,\x00,")], {}, world.CODEC)
    (row,) = view.all(select(tables.dead_letters))
    assert (row.reason, row.position, row.raw, row.found) == ("missing_time", "row 7", b"7,\x00,", "2\ufffd")


def test_offsets_stand_after_the_last_record(view):
    """The next start reads on from there."""
    view.apply_batch(entries_of(TWO), {}, world.CODEC)
    other = Partition("case.state", 3)
    assert view.positions([JOURNAL, other]) == {JOURNAL: 2, other: 0}


def test_a_second_monitor_on_the_same_view_is_refused_and_writes_nothing(view, tmp_path):
    """Both read from offset 0; the one that comes second finds the offset moved."""
    second = View.at(tmp_path / "view.db")
    records = entries_of(TWO)
    view.apply_batch(records[:1], {JOURNAL: 0}, world.CODEC)
    with pytest.raises(FencedError, match="Another monitor feeds this view"):
        second.apply_batch(records, {JOURNAL: 0}, world.CODEC)
    assert [row.sequence for row in view.all(select(tables.events))] == [1]
    view.apply_batch(records[1:], {JOURNAL: 1}, world.CODEC)
    with pytest.raises(FencedError, match="stands at 2, not at 1"):
        second.apply_batch(records[1:], {JOURNAL: 1}, world.CODEC)
    second.close()


def test_rows_and_offsets_fall_together(view):
    """A batch with an entry that is already there leaves neither rows nor offset behind."""
    records = entries_of(TWO)
    view.apply_batch(records[:1], {}, world.CODEC)
    repeated = [records[1], world.journal_record(world.chain(TWO)[0], 2)]
    with pytest.raises(CorruptionError, match="already holds"):
        view.apply_batch(repeated, {JOURNAL: 1}, world.CODEC)
    assert view.positions() == {JOURNAL: 1}
    assert len(view.all(select(tables.events))) == 1


def test_an_unreadable_record_is_named_by_topic_partition_and_offset(view):
    """Whoever reads the message finds the record."""
    bad = entries_of(TWO)[1]._replace(value=b"\xc3\x01nonsense")
    with pytest.raises(CorruptionError, match=r"case\.journal, partition 0, offset 1 "):
        view.apply_batch([bad], {}, world.CODEC)
    assert view.positions() == {}


def test_the_end_of_a_run_counts_only_at_the_last_hop(view):
    """Hop 2 says that the router is through with a journal partition."""
    view.apply_batch([world.ended_record("run", 1, 0), world.ended_record("run", 2, 0, partition=3)], {}, world.CODEC)
    assert view.ended("run") == {3}
    assert view.ended("another") == set()


def test_a_view_of_another_version_is_refused_with_a_remedy(view, tmp_path):
    """Tables of another shape are built anew, never guessed at."""
    with view.engine.begin() as connection:
        connection.execute(tables.meta.update().values(value="0"))
    with pytest.raises(ConfigurationError, match="builds it anew from the journal"):
        View.at(tmp_path / "view.db")


def test_older_tables_are_refused_before_anything_is_made_in_them(view, tmp_path):
    """An index over a column that they lack would fail with the database's own words."""
    with view.engine.begin() as connection:
        connection.execute(tables.meta.update().values(value="1"))
        connection.exec_driver_sql("DROP INDEX cases_by_end")
        connection.exec_driver_sql("ALTER TABLE cases RENAME COLUMN ended_at TO finished_at")
    with pytest.raises(ConfigurationError, match=r"version 1, this program writes .* at once: casebus monitor --rebuild"):
        View.at(tmp_path / "view.db")


def test_a_column_that_is_not_there_is_a_sentence_with_the_command(view):
    """Waiting would not bring it."""
    with view.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX cases_by_end")
        connection.exec_driver_sql("ALTER TABLE cases RENAME COLUMN ended_at TO finished_at")
    with pytest.raises(ConfigurationError, match=r"no such column.* casebus monitor --rebuild"):
        view.all(select(tables.cases))


def test_a_file_that_is_no_database_is_a_sentence(tmp_path):
    """Somebody saved something else under the view's name."""
    (tmp_path / "view.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(ConfigurationError, match="Delete it: it is built again"):
        View.at(tmp_path / "view.db")


def test_a_database_that_does_not_answer_is_a_sentence():
    """Nobody listens there; the remedy is to start it."""
    with pytest.raises(RetryError, match="does not answer"):
        View.open("postgresql+psycopg://127.0.0.1:1/view?connect_timeout=1")
