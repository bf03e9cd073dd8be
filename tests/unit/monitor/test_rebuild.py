"""A view built anew beside the live one holds the same, and those who look never see it half."""

from __future__ import annotations

import monitor_world as world
import pytest
from sqlalchemy import insert, inspect, select

from bus import topics
from bus.errors import ConfigurationError, CorruptionError
from bus.memory import Cluster
from bus.ports import Message
from monitor import tables
from monitor.rebuild import outdated, rebuild
from monitor.service import Service
from monitor.view import View

EVENTS = [world.event("Applied", 1), world.event("Accepted", 3)]


@pytest.fixture
def cluster():
    made = Cluster()
    made.create(topics.standard(2))
    records = [world.journal_record(entry, 0) for entry in world.chain(EVENTS)]
    records += [world.state_record(world.state(EVENTS), 0), world.letter_record(0)]
    made.publish([Message(one.topic, one.partition, one.key, one.value, one.timestamp, one.headers) for one in records])
    return made


@pytest.fixture
def view(tmp_path, cluster):
    opened = View.at(tmp_path / "view.db")
    Service(opened, cluster, world.CODEC).load()
    yield opened
    opened.close()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/view.db"


def content(view):
    return {table.name: view.all(select(table)) for table in tables.metadata.sorted_tables if table is not tables.meta}


def nobody(_):
    """Nobody listens."""


def test_the_new_view_holds_what_the_old_one_held(view, url, cluster, tmp_path):
    """Through a connection that was open all the while; nothing is left beside."""
    before, heard = content(view), []
    with view.writing() as connection:
        connection.execute(tables.events.delete())
    assert rebuild(url, cluster, world.CODEC, heard.append) == 4
    assert content(view) == before
    assert heard[-1].read == 4
    assert [path.name for path in tmp_path.iterdir() if "next" in path.name] == []


def test_while_it_is_built_the_old_one_is_seen(view, url, cluster):
    """Somebody looks at every step."""
    before, seen = content(view), []
    rebuild(url, cluster, world.CODEC, lambda _: seen.append(content(view)))
    assert seen == [before] * len(seen)


def test_a_rebuild_that_falls_leaves_the_old_one(view, url, cluster, tmp_path):
    """The journal could not be read; the next attempt begins anew beside."""
    before = content(view)
    cluster.publish([Message(topics.JOURNAL.name, 0, b"x", b"no record", 0)])
    with pytest.raises(CorruptionError):
        rebuild(url, cluster, world.CODEC, nobody)
    assert content(view) == before
    with pytest.raises(CorruptionError):
        rebuild(url, cluster, world.CODEC, nobody)


def test_the_new_view_has_every_index(view, url, cluster):
    """They are made at last; whoever looks up a number must not wait for a pass over all cases."""
    rebuild(url, cluster, world.CODEC, nobody)
    wanted = {index.name for table in tables.metadata.sorted_tables for index in table.indexes}
    found = {index["name"] for table in tables.metadata.tables for index in inspect(view.engine).get_indexes(table)}
    assert wanted == found


def test_alerts_about_departments_are_carried_over(view, url, cluster):
    """No journal has them."""
    row = {**tables.empty_row(tables.alerts), "alert": "a", "type": "AlertRaised", "who": "quality"}
    with view.writing() as connection:
        connection.execute(insert(tables.alerts), row)
    rebuild(url, cluster, world.CODEC, nobody)
    assert [one.who for one in view.all(select(tables.alerts))] == ["quality"]


def test_tables_of_another_version_are_found_and_replaced(view, url, cluster):
    """The monitor does so when it starts."""
    assert outdated(url) is None
    with view.writing() as connection:
        connection.execute(tables.meta.update().where(tables.meta.c.name == "version").values(value="1"))
        connection.exec_driver_sql("DROP TABLE alerts")
    assert outdated(url) == "1"
    rebuild(url, cluster, world.CODEC, nobody)
    assert outdated(url) is None
    assert len(view.all(select(tables.events))) == 2


def set_version(view, value):
    with view.writing() as connection:
        connection.execute(tables.meta.update().where(tables.meta.c.name == "version").values(value=value))


def test_alerts_about_departments_are_carried_over_from_older_tables_too(view, url, cluster):
    """Though these lacked a column and had another one."""
    row = {**tables.empty_row(tables.alerts), "alert": "a", "type": "AlertRaised", "who": "quality", "text": "slow"}
    with view.writing() as connection:
        connection.execute(insert(tables.alerts), row)
        connection.exec_driver_sql("ALTER TABLE alerts DROP COLUMN about")
        connection.exec_driver_sql("ALTER TABLE alerts ADD COLUMN gone TEXT")
    set_version(view, "2")
    rebuild(url, cluster, world.CODEC, nobody)
    assert [(one.who, one.text, one.about) for one in view.all(select(tables.alerts))] == [("quality", "slow", "")]


def test_tables_of_a_newer_program_are_refused_until_somebody_wants_them_gone(view, url, cluster):
    """An older monitor that is started by mistake throws nothing away; whoever goes back for good says so."""
    newer = str(int(tables.VERSION) + 1)
    set_version(view, newer)
    with pytest.raises(ConfigurationError, match=f"version {newer}, made by a newer program.*casebus monitor --rebuild"):
        outdated(url)
    with pytest.raises(ConfigurationError, match="Start the newer program"):
        View.open(url)
    rebuild(url, cluster, world.CODEC, nobody)
    assert outdated(url) is None


def test_where_nothing_stands_nothing_is_outdated(tmp_path):
    """And looking makes no file."""
    assert outdated(f"sqlite:///{tmp_path}/none.db") is None
    assert list(tmp_path.iterdir()) == []
