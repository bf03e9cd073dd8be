"""Process maps, halls, the catalogue then and now, and where regions differ."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import monitor_world as world
import pytest

from monitor.statistics.hall import Ticket, clerks, halls, taken, tickets_of
from monitor.statistics.processmap import process_map
from monitor.statistics.slimming import slimming
from monitor.statistics.standard import differences, in_regions, items_that_differ
from monitor.view import View
from schemas.case import Case
from schemas.catalogue import Catalogue
from schemas.itemfile import ItemText

ZONE = ZoneInfo("Asia/Shanghai")


def test_the_map_of_the_receipt_log_is_its_directly_follows_graph(receipt_traces, receipt_figures, oracle):
    """Every edge, every node, every way: what process miners count."""
    found = process_map(receipt_traces)
    flow = receipt_figures.flow
    assert (found.cases, found.events) == (receipt_figures.cases, receipt_figures.events)
    assert (len(found.edges), sum(one.count for one in found.edges)) == (flow.dfg.edges, flow.dfg.pairs)
    assert {one.activity: one.events for one in found.nodes} == flow.activities
    assert found.variants == flow.variants.number
    assert [one.cases for one in found.ways] == [one.cases for one in flow.variants.top[: len(found.ways)]]
    assert sum(one.begins for one in found.nodes) == sum(one.ends for one in found.nodes) == found.cases
    assert all(one.cases <= one.count and one.median_hours <= one.longest_hours for one in found.edges)


def test_a_map_of_nothing_is_empty():
    """Before anything came."""
    assert process_map([]).ways == []


def test_waiting_runs_from_the_ticket_to_what_comes_next():
    """Ten minutes and twenty; one left, or was never turned to."""
    minute = 60_000_000
    tickets = [
        Ticket("north", "1", world.at(9), world.at(9) + 10 * minute),
        Ticket("north", "2", world.at(9), world.at(9) + 20 * minute),
        Ticket("north", "", world.at(14), None),
    ]
    found = halls(tickets, ZONE)["north"]
    assert (found.tickets, found.served, found.waiting_minutes.mean) == (3, 2, 15)
    assert found.busiest == {"9": 2, "14": 1}
    assert found.by_window == {"1": 1, "2": 1}
    assert list(found.by_hour) == ["9"]


EVENTS = [
    world.event("TicketTaken", 9, ticket="A7", hall="north", window="3"),
    world.event("Applied", 10, actor={"value": "王小明"}, authority="quality@500103"),
    world.event("Accepted", 11, actor={"value": "王小明"}, authority="quality@500103"),
    world.event("TicketTaken", 34, ticket="A8", hall="north"),
    world.event("Decided", 60, actor={"value": "李四"}, authority="quality@500103", result="GRANTED"),
]


@pytest.fixture
def view(tmp_path):
    opened = View.at(tmp_path / "view.db")
    records = [world.journal_record(entry, n) for n, entry in enumerate(world.chain(EVENTS))]
    case = Case(world.KEY, item="0123", region="500103", applied_at=world.at(10), promised_days=5, events=4)
    opened.apply_batch([*records, world.state_record(world.state(EVENTS, case), 0)], {}, world.CODEC)
    yield opened
    opened.close()


def test_a_ticket_is_served_by_the_next_work_of_the_same_day(view):
    """The second ticket's case was turned to only the day after."""
    with view.snapshot() as snapshot:
        first, second = tickets_of(snapshot, world.CODEC, (world.at(0), world.at(99)), ZONE)
        assert (first.hall, first.window, first.served_at) == ("north", "3", world.at(10))
        assert second.served_at is None
        assert tickets_of(snapshot, world.CODEC, (world.at(20), world.at(30)), ZONE) == []
        assert taken(snapshot) == {world.KEY: [world.at(9), world.at(34)]}


def test_the_load_of_clerks_is_told_without_their_names(view):
    """The busiest first."""
    with view.snapshot() as snapshot:
        busiest, other = clerks(snapshot, (world.at(0), world.at(99)), ZONE)
    assert (busiest.name, busiest.events, busiest.cases, busiest.days) == ("王** 1", 2, 1, 1)
    assert (other.name, other.events_a_day) == ("李** 2", 1)


def catalogue(*items):
    return Catalogue(ItemText.model_validate(one) for one in items)


def version(name, start, **fields):
    return {"version": name, "from": start, "decided_at": "municipal", "accepted_at": "county"} | fields


OLD, NEW = "2024-01-01", "2025-01-01"
CATALOGUE = catalogue(
    {"item": "01", "name": "elevator", "versions": [version("1", OLD, promised=10), version("2", NEW, promised=5)]},
    {"item": "02", "name": "sign", "versions": [version("1", OLD), version("2", NEW, decided_at="county")]},
    {"item": "03", "name": "bell", "versions": [version("1", OLD, to="2024-12-31")]},
    {"item": "04", "name": "bridge", "versions": [version("1", NEW)]},
)


def test_the_catalogue_then_and_now():
    """One shortened, one handed down, one ended, one added."""
    found = slimming(CATALOGUE, date(2024, 6, 1), date(2025, 6, 1))
    assert (found.items_first, found.items_last) == (3, 3)
    assert [(one.item, one.before, one.after) for one in found.promised] == [("01", "10 working", "5 working")]
    assert [(one.item, one.before, one.after) for one in found.handed_down] == [("02", "municipal", "county")]
    assert [one.name for one in found.ended] == ["bell"]
    assert [one.name for one in found.added] == ["bridge"]
    assert (found.levels_first, found.levels_last) == ({"municipal": 3}, {"municipal": 2, "county": 1})
    assert found.handed_up == found.statutory == []


def applied(number, region, days, *papers):
    """A case of item 05 in a region, with the days it states and the papers it was handed in with."""
    key = f"city:{number}"
    event = world.event("Applied", number, key, materials=[{"name": one, "form": None, "count": None} for one in papers])
    case = Case(key, item="05", region=region, applied_at=world.at(number), promised_days=days, events=1)
    return [world.journal_record(world.chain([event])[0], number), world.state_record(world.state([event], case), number)]


def test_where_regions_differ_on_an_item(tmp_path):
    """Two of three agree: the third is on the to-do list, by what the catalogue says and by what it does."""
    opened = View.at(tmp_path / "other.db")
    records = [*applied(1, "A", 5, "plan"), *applied(2, "B", 5, "plan"), *applied(3, "C", 9, "plan", "photo")]
    opened.apply_batch([*records, *applied(4, "C", 9, "plan", "photo")], {}, world.CODEC)
    item = {"item": "05", "name": "crane", "versions": [version("1", "2024-01-01", promised=5, regions={"C": {"promised": 9}})]}
    listed = in_regions(catalogue(item), ("A", "B", "C"), date(2025, 3, 3), "05")
    with opened.snapshot() as snapshot:
        found = differences(snapshot, world.CODEC, listed, "05")
        assert items_that_differ(snapshot) == {"05": 2}
    opened.close()
    assert [(one.what, one.source, one.standard, one.others) for one in found] == [
        ("promised", "catalogue", "5 working", {"9 working": ["C"]}),
        ("promised_days", "cases", "5", {"9": ["C"]}),
        ("paper: photo", "cases", "not asked for", {"asked for": ["C"]}),
    ]
