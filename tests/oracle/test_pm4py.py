"""Figures and exports against PM4Py, the process miner. Development only: it is AGPL, and the product never imports it.

uv run --group oracle pytest -m tier2 tests/oracle
"""

from __future__ import annotations

from collections import Counter

import monitor_city
import monitor_world as world
import pytest
from sqlalchemy import select

from monitor import tables
from monitor.export import write
from monitor.statistics.ask import Asked, map_of
from monitor.statistics.compute import Inputs, compute
from schemas.case import decode_state

pytestmark = pytest.mark.tier2


@pytest.fixture(scope="module")
def city(shared, tmp_path_factory):
    return monitor_city.City(shared, tmp_path_factory.mktemp("city"), 5, 200)


@pytest.fixture(scope="module")
def view(city, tmp_path_factory):
    with monitor_city.fed(city, tmp_path_factory.mktemp("view")) as view:
        yield view


@pytest.fixture(scope="module")
def figures(view, city):
    return compute(
        view, Inputs(world.CODEC, monitor_city.FOLDING, city.clockwork), monitor_city.moment("2026-06-01T00:00:00+08:00")
    )


@pytest.fixture(scope="module")
def log(view, city, tmp_path_factory):
    """The export as PM4Py reads it: a table with a row an event."""
    import pm4py

    file = tmp_path_factory.mktemp("export") / "log.xes"
    write(view, file, city.clockwork.zone, clear=True)
    return pm4py.read_xes(str(file))


def test_every_event_is_read_back_without_loss(log, city):
    """Case, activity, moment, department and id of each."""
    ours = {
        (event.id, event.case, event.header["activity"], event.occurred_at, event.header["authority"])
        for events in city.cases.values()
        for event in events
    }
    rows = zip(
        log["casebus:event"],
        log["case:concept:name"],
        log["concept:name"],
        (stamp.value // 1000 if stamp.unit == "ns" else int(stamp.timestamp() * 1_000_000) for stamp in log["time:timestamp"]),
        log["casebus:authority"],
        strict=True,
    )
    assert set(rows) == ours
    assert len(log) == len(ours)


def test_the_graph_and_its_ends_are_the_same(log, figures):
    """What directly follows what, what cases begin and end with."""
    import pm4py

    graph, starts, ends = pm4py.discover_dfg(log)
    dfg = figures.log.flow.dfg
    assert (len(graph), sum(graph.values())) == (dfg.edges, dfg.pairs)
    assert {(pair.source, pair.target): pair.count for pair in dfg.top}.items() <= dict(graph).items()
    assert dict(starts) == dfg.start_activities
    assert dict(ends) == dfg.end_activities


def test_the_map_of_each_item_is_its_graph_with_its_ways(log, view, city):
    """Every edge of the page's process map, what begins and ends, and how many cases went each way; of all cases of the item."""
    import pm4py

    inputs = Inputs(world.CODEC, monitor_city.FOLDING, city.clockwork)
    items = {case.item for case in _cases(view)}
    assert len(items) > 1
    keys = {item: {case.key for case in _cases(view) if case.item == item} for item in items}
    for item in items:
        ours = map_of(view, inputs, Asked(item))
        theirs = log[log["case:concept:name"].isin(keys[item])]
        graph, starts, ends = pm4py.discover_dfg(theirs)
        assert {(edge.source, edge.target): edge.count for edge in ours.edges} == dict(graph)
        assert {node.activity: node.begins for node in ours.nodes if node.begins} == dict(starts)
        assert {node.activity: node.ends for node in ours.nodes if node.ends} == dict(ends)
        variants = pm4py.get_variants(theirs)
        assert ours.variants == len(variants)
        assert {way.activities: way.cases for way in ours.ways}.items() <= dict(variants).items()


def _cases(view):
    table = tables.cases.c
    return [decode_state(row.state).case for row in view.all(select(table.state).where(table.opened))]


def test_the_variants_are_the_same(log, figures):
    """How many ways there are, and how many cases went each."""
    import pm4py

    theirs = Counter(dict(pm4py.get_variants(log)))
    ours = figures.log.flow.variants
    assert len(theirs) == ours.number
    assert {one.activities: one.cases for one in ours.top}.items() <= theirs.items()


def test_durations_are_the_same(log, figures):
    """From the first to the last event of each case."""
    import pm4py

    seconds = pm4py.get_all_case_durations(log)
    days = figures.log.throughput.throughput.first_to_last_event_calendar_days
    assert len(seconds) == days.n
    assert sum(seconds) / len(seconds) / 86_400 == pytest.approx(days.mean, abs=1e-5)
    assert max(seconds) / 86_400 == pytest.approx(days.max, abs=1e-5)


def test_hand_overs_between_departments_are_the_same(log, figures):
    """Of all consecutive events of a case, from whom to whom."""
    from pm4py.algo.organizational_mining.sna import algorithm

    found = algorithm.apply(log, parameters={"pm4py:param:resource_key": "org:group"}, variant=algorithm.Variants.HANDOVER_LOG)
    matrix = figures.log.passing.handover.matrix
    total = sum(count for row in matrix.values() for count in row.values())
    ours = {(source, target): count / total for source, row in matrix.items() for target, count in row.items()}
    assert dict(found.connections) == pytest.approx(ours)
