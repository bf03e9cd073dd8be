"""The figures of the receipt log equal those of its oracle, which PM4Py has checked."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import monitor_receipt
import msgspec
import pytest

from monitor.statistics.context import Measuring
from monitor.statistics.log import measure
from monitor.statistics.row import Row, traces
from monitor.times import micros
from schemas.calendar import Calendar, CalendarSettings


def plain(figure):
    return msgspec.to_builtins(figure)


def test_counts_equal_the_oracle(receipt_figures, oracle):
    """Cases, events, activities, departments and people."""
    found = receipt_figures
    assert (found.cases, found.events) == (oracle["cases"], oracle["events"]) == (1434, 8577)
    assert len(found.flow.activities) == oracle["activities"]
    assert len(found.passing.by_department) == oracle["departments"]
    assert found.passing.by_resource.number == oracle["resources"]
    assert found.passing.by_resource.events_without == oracle["data_quality"]["events_without_resource"]


def test_durations_equal_the_oracle(receipt_figures, oracle):
    """First to last event in calendar days and in the deployment's working days, in all their percentiles."""
    found = plain(receipt_figures.throughput.throughput)
    assert found["first_to_last_event_calendar_days"] == oracle["throughput"]["first_to_last_event_calendar_days"]
    assert found["first_to_last_event_workdays"] == oracle["throughput"]["first_to_last_event_workdays_nl"]
    assert found["first_to_last_event_workdays"]["mean"] == 3.799163
    assert plain(receipt_figures.throughput.events_per_case) == oracle["events_per_case"]


def test_cases_over_a_limit_equal_the_oracle(receipt_figures, oracle):
    """Over a limit in days of the clock, in dates, and in working days."""
    found, right = plain(receipt_figures.throughput.exceeding), oracle["exceeding_L"]
    assert found["first_to_last_event_calendar_days"] == right["first_to_last_event_calendar_days"]
    assert found["first_to_last_event_date_difference"] == right["first_to_last_event_date_difference"]
    assert found["first_to_last_event_workdays"] == right["first_to_last_event_workdays_nl"]


@pytest.fixture(scope="module")
def chinese():
    """The same log under the working days of the State Council's notices, as the product knows them."""
    return Measuring(monitor_receipt.ZONE, Calendar(CalendarSettings()))


def test_working_days_by_the_state_councils_calendar_equal_the_oracle(receipt_traces, chinese, oracle):
    """How long cases took, and how many longer than a limit, by another calendar over the same log."""
    found = measure(receipt_traces, chinese).throughput
    right = oracle["throughput"]["first_to_last_event_workdays_cn"]
    assert plain(found.throughput)["first_to_last_event_workdays"] == right
    assert plain(found.exceeding)["first_to_last_event_workdays"] == oracle["exceeding_L"]["first_to_last_event_workdays_cn"]


@pytest.mark.parametrize("day", ["2011-03-31", "2011-06-30", "2011-12-31"])
def test_what_was_open_long_by_the_state_councils_calendar_equals_the_oracle(receipt_traces, chinese, oracle, day):
    """At each date, by working days of the other calendar."""
    right = oracle["at"][day]
    found = measure(receipt_traces, chinese, micros(datetime.fromisoformat(right["T"]))).open_at
    assert plain(found)["open_longer_than_workdays"] == right["open_longer_than_L_workdays_cn"]


def test_channels_equal_the_oracle(receipt_figures, oracle):
    """Cases, events and durations by the channel a case came through."""
    assert plain(receipt_figures.throughput.by_channel) == oracle["by_channel"]


def test_hand_overs_equal_the_oracle(receipt_figures, oracle):
    """The matrix of consecutive pairs, and the 5,440 of them that cross departments."""
    found, right = plain(receipt_figures.passing.handover), oracle["handover"]
    assert found["matrix"] == right["matrix"]
    assert found["pairs_total"] == right["pairs_total"]
    assert found["between_departments"] == right["handovers_between_departments"] == 5440
    assert found["cases_in_one_department"] == right["cases_in_one_department"]


def test_departments_equal_the_oracle(receipt_figures, oracle):
    """Events, cases, people and waiting hours of each department."""
    assert plain(receipt_figures.passing.by_department) == oracle["by_department"]


def test_hand_overs_between_people_equal_the_oracle(receipt_figures, oracle):
    """The twenty pairs of people who pass most."""
    assert plain(receipt_figures.passing.by_resource.handovers) == oracle["handover_resources_top20"]


def test_rework_equals_the_oracle(receipt_figures, oracle):
    """245 events repeat an activity of their case."""
    found, right = plain(receipt_figures.flow.rework), oracle["rework"]
    assert found["events_minus_distinct_case_activity"] == right["events_minus_distinct_case_activity"] == 245
    assert found["cases_with_rework"] == right["cases_with_rework"]
    assert found["immediate_repeats"] == right["immediate_repeats"]
    assert found["cases_per_activity"] == right["cases_per_activity_top20"]


def test_directly_follows_graph_equals_the_oracle(receipt_figures, oracle):
    """Edges, pairs, the twenty strongest edges in order, where cases start and end."""
    found, right = plain(receipt_figures.flow.dfg), oracle["dfg"]
    assert (found["edges"], found["pairs"]) == (right["edges"], right["pairs"])
    assert [(edge["from"], edge["to"], edge["count"]) for edge in found["top"]] == [
        (edge["from"], edge["to"], edge["count"]) for edge in right["top20"]
    ]
    assert found["start_activities"] == right["start_activities"]
    assert found["end_activities"] == right["end_activities"]


def test_variants_equal_the_oracle(receipt_figures, oracle):
    """Different paths, those walked once, and the ten most walked."""
    found, right = plain(receipt_figures.flow.variants), oracle["variants"]
    assert (found["number"], found["singletons"]) == (right["number"], right["singletons"])
    assert [{**one, "activities": list(one["activities"])} for one in found["top"][:10]] == right["top10"]


def test_stages_equal_the_oracle(receipt_figures, oracle):
    """Events and cases by the kind of event."""
    assert plain(receipt_figures.flow.stages) == oracle["stages"]


def test_diary_equals_the_oracle(receipt_figures, oracle):
    """Events by local day, first and last events by month, the busiest days in order."""
    found = plain(receipt_figures.diary)
    assert found["events_per_day"] == oracle["events_per_day"]
    assert found["per_month"] == oracle["per_month"]
    assert list(found["busiest_days"].items()) == list(oracle["busiest_days"].items())
    edges = [micros(datetime.fromisoformat(oracle[name])) for name in ("first_event", "last_event")]
    assert [found["first_event"], found["last_event"]] == edges


@pytest.mark.parametrize("day", ["2011-03-31", "2011-06-30", "2011-12-31"])
def test_what_was_open_at_a_time_equals_the_oracle(receipt_traces, measuring, oracle, day):
    """Open and open longer than so many days at T, with hindsight, by both ways to count days."""
    right = oracle["at"][day]
    found = measure(receipt_traces, measuring, micros(datetime.fromisoformat(right["T"])))
    open_at = plain(found.open_at)
    for name in ("events_so_far", "cases_seen", "closed_by_last_event", "open_by_last_event"):
        assert open_at[name] == right[name], name
    assert open_at["open_longer_than_calendar_days"] == right["open_longer_than_L_calendar_days"]
    assert open_at["open_longer_than_workdays"] == right["open_longer_than_L_workdays_nl"]
    assert (found.cases, found.events) == (right["cases_seen"], right["events_so_far"])


def test_rows_in_any_order_give_the_same_figures(shared, measuring, receipt_figures):
    """The order of arrival decides nothing: rows of a case are sorted before they are counted."""
    backwards = sorted(monitor_receipt.rows(shared), key=lambda row: (row.case, -row.step))
    found = measure(traces(backwards, monitor_receipt.channels(shared)), measuring)
    assert plain(found) == plain(receipt_figures)


def test_how_exact_the_log_is_equals_the_oracle(receipt_figures, oracle):
    """Equal times, times at midnight or with milliseconds, events that name nobody, repeats, cases of one event."""
    found, right = plain(receipt_figures.quality), oracle["data_quality"]
    repeats = found.pop("exact_repeats")
    assert repeats == right["exact_repeats_case_activity_ts_resource"] == 0
    assert found == {name: right[name] for name in found}
    assert found["events_with_milliseconds"] == 3489


def test_dates_for_times_and_repeats_are_seen(measuring):
    """Two events at midnight of the zone, in summer and in winter, one of them twice."""
    midnights = [micros(datetime.fromisoformat(text)) for text in ("2011-07-01T00:00+02:00", "2011-12-01T00:00+01:00")]
    rows = [Row("a", at, step, "s", 0, "", "t", "look", "d", "x") for step, at in enumerate((*midnights, midnights[1]))]
    found = measure(traces(rows), measuring).quality
    assert (found.events_at_local_midnight, found.exact_repeats, found.pairs_with_equal_timestamp) == (3, 1, 1)


def test_people_are_counted_apart_from_nobody(receipt_figures):
    """Blanked operators are no person, but their events are counted."""
    people = receipt_figures.passing.by_resource
    assert sum(people.events.values()) + people.events_without == receipt_figures.events
    assert Counter(people.events)[""] == 0
