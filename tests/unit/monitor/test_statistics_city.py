"""Figures at a time T equal the truth of a made-up city: who was open, running, paused, overdue then."""

from __future__ import annotations

import monitor_city
import monitor_world as world
import pytest

from monitor.gather import all_now
from monitor.indicator import Panel, indicators
from monitor.statistics.cases import Judged, tally
from monitor.statistics.compute import Inputs, compute
from monitor.statistics.source import Window
from monitor.view import View


@pytest.fixture(scope="module", params=[1, 2, 3])
def city(request, shared, tmp_path_factory):
    return monitor_city.City(shared, tmp_path_factory.mktemp("city"), request.param)


@pytest.fixture(scope="module")
def view(city, tmp_path_factory):
    opened = View.at(tmp_path_factory.mktemp("view") / "view.db")
    city.feed(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def inputs(city):
    return Inputs(world.CODEC, monitor_city.FOLDING, city.clockwork)


def nonzero(figures):
    return {name: value for name, value in figures.items() if value}


def ours(counts):
    """A tally without what the truth does not count."""
    plain = {name: getattr(counts, name) for name in counts.__struct_fields__ if name != "elapsed_sum_running"}
    return nonzero(plain)


def line(one):
    """An overdue case in the columns of truth_at.csv."""
    clock = "running" if one.running else "stopped"
    number = one.case.partition(":")[2]
    days = (one.elapsed, one.promised_limit, one.statutory_limit, int(one.overdue_legal), int(one.paused))
    return [number, one.region, one.department, clock, *map(str, days)]


def test_figures_at_every_time_of_the_truth_equal_it(city, view, inputs):
    """Totals, regions, departments, days left, and each overdue case with its numbers."""
    overdue = city.overdue()
    for truth in city.summary()["at"]:
        found = compute(view, inputs, now=0, window=Window(at=monitor_city.moment(truth["as_of"]))).cases
        assert ours(found.total) == nonzero(truth["total"])
        assert {name: ours(one) for name, one in found.by_region.items()} == {
            k: nonzero(v) for k, v in truth["by_region"].items()
        }
        assert {name: ours(one) for name, one in found.by_department.items()} == {
            k: nonzero(v) for k, v in truth["by_dept"].items()
        }
        assert found.remaining == truth["remaining_promise_days_of_running_cases"]
        lines = [list(one.values())[1:] for one in overdue[truth["as_of"]]]
        assert sorted(map(line, found.overdue)) == sorted(lines)


def test_the_shortcut_over_published_states_changes_no_figure(city, view, inputs):
    """Folding every case again up to T gives the same tally as folding only those in between."""
    at = monitor_city.moment(city.summary()["at"][1]["as_of"])
    past = {key: [event for event in events if event.occurred_at <= at] for key, events in city.cases.items()}
    folded = [monitor_city.FOLDING.fold(events, f"city:{key}") for key, events in past.items() if events]
    long_way = tally([Judged(case, inputs.clockwork.reading(case, at)) for case in folded], at)
    assert compute(view, inputs, now=0, window=Window(at=at)).cases == long_way


def test_as_known_then_counts_only_what_had_been_received(city, view, inputs):
    """Events that came later are not counted, though they happened before."""
    moment = monitor_city.moment(city.summary()["at"][2]["as_of"])
    found = compute(view, inputs, now=0, window=Window(at=moment, known=moment))
    happened = [event for events in city.cases.values() for event in events if event.occurred_at <= moment]
    told = [event for event in happened if event.received_at <= moment]
    assert found.log.events == len(told) < len(happened)


def test_all_that_is_known_is_counted_without_a_window(city, view, inputs):
    """Every case and every event, at the end of the span."""
    summary = city.summary()
    found = compute(view, inputs, now=monitor_city.moment(summary["span"][1]))
    assert found.cases.total.cases == summary["cases"]
    assert found.log.events == sum(map(len, city.cases.values()))
    counts = summary["counts"]
    late = found.cases.total
    assert late.running_overdue_promise + late.stopped_overdue_promise == counts["overdue_promise_at_end"]
    assert late.running_overdue_legal + late.stopped_overdue_legal == counts["overdue_legal_at_end"]


def test_no_alert_on_a_limit_is_more_or_less_than_the_truth(city, view, inputs):
    """At each time of the truth: the running cases past their promise, and those past the law."""
    panel = Panel(tuple((indicators()[name], 0) for name in ("promise_passed", "statute_passed")))
    for as_of, lines in city.overdue().items():
        running = [one for one in lines if one["clock"] == "running"]
        truth = {(f"city:{one['case_no']}", "statute" if one["overdue_legal"] == "1" else "promise") for one in running}
        with view.snapshot() as snapshot:
            sights = all_now(snapshot, city.clockwork, monitor_city.moment(as_of))
            found = {(one.case, one.indicator.name.partition("_")[0]) for seen in sights for one in panel.of_case(seen)}
        assert found == truth
