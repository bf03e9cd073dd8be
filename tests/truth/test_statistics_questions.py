"""Process maps, halls, the catalogue then and now, and where regions differ."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import monitor_world as world

from monitor.statistics.hall import HallMeasure, Ticket, halls
from monitor.statistics.processmap import process_map
from monitor.statistics.row import Row, Trace
from monitor.statistics.slimming import slimming
from monitor.statistics.source import Known
from monitor.statistics.standard import Listing, StandardMeasure
from schemas.case import Case
from schemas.case import Ticket as Number
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


def row(at, actor, kind="StepCompleted", case=world.KEY):
    return Row(case, at, 0, "hall", 0, f"{case} {at}", kind, kind, "quality", actor)


def visited(key=world.KEY, hours=(10, 11, 60), numbers=(("A7", 9, "3"), ("A8", 34, ""))):
    """A case with its queue tickets, worked on at these hours."""
    case = Case(key, tickets=[Number(name, world.at(hour), "north", window) for name, hour, window in numbers])
    actors = ("王小明", "王小明", "李四")
    return Known(case, Trace(key, tuple(row(world.at(hour), who, case=key) for hour, who in zip(hours, actors, strict=False))))


def measured(*known):
    measure = HallMeasure([(world.at(0), world.at(99)), (world.at(20), world.at(30))], ZONE)
    for one in known:
        measure.add(one)
    return measure.result()


def test_a_ticket_is_served_by_the_next_work_of_the_same_day():
    """The second ticket's case was turned to only the day after; in another span there is none."""
    found, other = measured(visited())
    assert (found.total.tickets, found.total.served, found.total.waiting_minutes.max) == (2, 1, 60)
    assert found.halls["north"].by_window == {"3": 1}
    assert (other.total.tickets, other.clerks) == (0, [])


def test_one_ticket_for_two_cases_is_one_visit():
    """It was served when the first of them was turned to."""
    found, _ = measured(visited("city:1", (12,), (("A7", 9, ""),)), visited("city:2", (10,), (("A7", 9, ""),)))
    assert (found.total.tickets, found.total.waiting_minutes.max) == (1, 60)


def test_the_load_of_clerks_is_told_without_their_names():
    """The busiest first."""
    busiest, other = measured(visited())[0].clerks
    assert (busiest.name, busiest.events, busiest.cases, busiest.days) == ("王** 1", 2, 1, 1)
    assert (other.name, other.events_a_day) == ("李** 2", 1)


def test_the_load_of_clerks_stands_beside_the_earlier_span():
    """One did three things in two days before, the other nothing; who did nothing since is not told of."""
    gone = world.at(-24 * 6)
    earlier = [row(world.at(hour), actor) for hour, actor in ((-48, "Wang"), (-47, "Wang"), (-20, "Wang"), (-19, "Zhao"))]
    later = [row(world.at(hour), actor) for hour, actor in ((9, "Wang"), (10, "Li"))]
    measure = HallMeasure([(world.at(0), world.at(24)), (gone, world.at(0))], ZONE, clear=True)
    measure.add(Known(Case(world.KEY), Trace(world.KEY, (*earlier, *later))))
    now, then = measure.result()
    assert [(one.name, one.events, one.events_before, one.events_a_day_before) for one in now.clerks] == [
        ("Li", 1, None, None),
        ("Wang", 1, 3, 1.5),
    ]
    assert {(one.name, one.events, one.events_before) for one in then.clerks} == {("Wang", 3, None), ("Zhao", 1, None)}


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
    known = {"item": "05", "region": region, "applied_at": world.at(number), "promised_days": days, "materials": list(papers)}
    return Case(f"city:{number}", **known)


def test_where_regions_differ_on_an_item():
    """Two of three agree: the third is on the to-do list, by what the catalogue says and by what it does."""
    measure = StandardMeasure((world.at(0), world.at(99)))
    for case in (applied(1, "A", 5, "plan"), applied(2, "B", 5, "plan"), applied(3, "C", 9, "plan", "photo")):
        measure.add(case)
    measure.add(applied(120, "B", 9, "photo"))  # outside of the time
    item = {"item": "05", "name": "crane", "versions": [version("1", "2024-01-01", promised=5, regions={"C": {"promised": 9}})]}
    found = measure.result(Listing(catalogue(item), ("A", "B", "C"), date(2025, 3, 3)))
    assert [(one.what, one.source, one.standard, one.others) for one in found] == [
        ("promised", "catalogue", "5 working", {"9 working": ["C"]}),
        ("promised_days", "cases", "5", {"9": ["C"]}),
        ("paper: photo", "cases", "not asked for", {"asked for": ["C"]}),
    ]
    assert measure.result(Listing(catalogue(item), ("A", "B"), date(2025, 3, 3)), "06") == []
