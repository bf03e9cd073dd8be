"""Figures at a time T equal the truth of a made-up city: who was open, running, paused, overdue then."""

from __future__ import annotations

from collections import Counter

import monitor_city
import monitor_world as world
import pytest
from generated_city import state_of

from monitor.gather import all_now
from monitor.indicator import Panel, indicators
from monitor.statistics.cases import Judged, tally
from monitor.statistics.compute import Inputs, compute
from monitor.statistics.source import Window, known
from schemas.deadlines import deadlines
from schemas.rules import Subject


@pytest.fixture(scope="module", params=[1, 2, 3])
def city(request, shared, tmp_path_factory):
    return monitor_city.City(shared, tmp_path_factory.mktemp("city"), request.param)


@pytest.fixture(scope="module")
def view(city, tmp_path_factory):
    with monitor_city.fed(city, tmp_path_factory.mktemp("view")) as view:
        yield view


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


#: Events of the hall that name no case.
NO_WORK = ("APPOINTED", "APPOINT_NO_SHOW", "TAKE_NUMBER")
#: Fields of the truth that are compared as they stand: those of every case first.
ALWAYS = ("extension_days", "answers_over_5_days", "answer_workdays")
SAID = ("case_no", "region", "dept", "item", "state", "events", "promise_days", "legal_days", *ALWAYS)


def told(case, clockwork, end):
    """A case in the words of truth_cases.jsonl; the answers to its papers are limits like any other."""
    answers = [one for one in deadlines(case, None, clockwork.terms, end) if one.kind is Subject.ANSWER and one.met_at]
    accepted = case.accepted_at is not None
    return {
        "case_no": case.key.partition(":")[2],
        "region": case.region,
        "dept": case.authority.partition("@")[0],
        "item": case.item,
        "state": state_of(case),
        "submitted": case.applied_at,
        "accepted": case.accepted_at,
        "clock_stop": case.stopped_at if accepted else None,
        "closed": case.ended_at,
        "extension_days": sum(one.days for one in case.extensions),
        "pauses": sorted([one.start, one.end] for one in case.pauses),
        "events": case.events,
        "answer_workdays": [one.elapsed for one in answers],
        "answers_over_5_days": sum(one.passed for one in answers),
    } | ({"promise_days": case.promised_days, "legal_days": case.statutory_days} if accepted else {})


def right(line):
    """The same of a line of the truth; the limits of a case that was not accepted are the item's and stand in no event."""
    times = {name: line[name] and monitor_city.moment(line[name]) for name in ("submitted", "accepted", "clock_stop", "closed")}
    pauses = sorted([monitor_city.moment(start), end and monitor_city.moment(end)] for start, end in line["pauses"])
    known = {name: line[name] for name in SAID if line["accepted"] or not name.endswith("_days") or name in ALWAYS}
    return known | times | {"pauses": pauses}


def test_every_case_of_the_view_equals_its_truth_at_the_end(city, view, inputs):
    """Whose it is, where it stands, its times, limits, pauses, answers: of all cases, and the totals of them."""
    summary, clockwork = city.summary(), inputs.clockwork
    end = monitor_city.moment(summary["span"][1])
    with view.snapshot() as snapshot:
        cases = [one.case for one in known(snapshot, inputs.reader, inputs.folding, Window()) if one.case.opened]
    found = {one["case_no"]: one for one in (told(case, clockwork, end) for case in cases)}
    assert found == {line["case_no"]: right(line) for line in city.truth()}
    assert Counter(one["state"] for one in found.values()) == summary["final_states"]
    assert sum(one["accepted"] is not None for one in found.values()) == summary["counts"]["accepted"]
    assert sum(len(one["answer_workdays"]) for one in found.values()) == summary["counts"]["answers"]
    assert sum(one["answers_over_5_days"] for one in found.values()) == summary["counts"].get("answers_over_5_days", 0)


def test_events_by_type_equal_the_truth(city, view, inputs):
    """What is work on a case is counted under its own name; tickets and appointments are none."""
    found = compute(view, inputs, now=monitor_city.moment(city.summary()["span"][1])).log
    right = {name: number for name, number in city.summary()["events_per_type"].items() if name not in NO_WORK}
    with view.snapshot() as snapshot:
        rows = [row for one in known(snapshot, inputs.reader, inputs.folding, Window()) for row in one.trace.rows]
    assert Counter(row.activity for row in rows) == right
    assert found.events == sum(right.values())


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
