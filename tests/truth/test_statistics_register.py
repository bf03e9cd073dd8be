"""A register of cases held against the bus: the receipt log's own equals the oracle in every such figure."""

from __future__ import annotations

import csv
from datetime import datetime

import monitor_receipt
import msgspec
import pytest

from monitor.statistics.context import Measuring
from monitor.statistics.register import Entry, Judging, Seen, against
from monitor.times import micros
from schemas.calendar import Calendar, CalendarSettings

DATES = ["2011-03-31", "2011-06-30", "2011-12-31"]
END = micros(datetime.fromisoformat("2012-01-23T15:42:54+01:00"))


@pytest.fixture(scope="module")
def entries(shared):
    with (shared / "data/receipt/case_registry.csv").open(encoding="utf-8") as file:
        return [_entry(line) for line in csv.DictReader(file)]


def _entry(line):
    start, deadline, end = (
        micros(datetime.fromisoformat(line[name])) if line[name] else None for name in ("startdate", "deadline", "enddate")
    )
    return Entry(line["case_no"], line["case_no"], start, deadline, end, end)


@pytest.fixture(scope="module")
def seen(receipt_traces):
    return {one.case: Seen(one.case, "990100", one.rows[0].department, one.first, one.last) for one in receipt_traces}


@pytest.fixture(scope="module")
def found(entries, seen, measuring):
    return against(entries, seen, Judging(measuring, END))


@pytest.fixture(scope="module")
def chinese():
    return Measuring(monitor_receipt.ZONE, Calendar(CalendarSettings()))


def plain(figure):
    return msgspec.to_builtins(figure)


def test_durations_equal_the_oracle(found, oracle):
    """From the registered start to the registered end, in calendar days and in the deployment's working days."""
    right = oracle["throughput"]
    assert plain(found.durations.start_to_end_calendar_days) == right["start_to_end_attribute_calendar_days"]
    assert plain(found.durations.start_to_end_workdays) == right["start_to_end_attribute_workdays_nl"]
    assert found.durations.start_to_end_calendar_days.n == 1329


def test_cases_over_a_limit_equal_the_oracle(found, oracle):
    """Longer than so many days, by both ways to count."""
    right = oracle["exceeding_L"]
    assert found.exceeding.start_to_end_calendar_days == right["start_to_end_attribute_calendar_days"]
    assert found.exceeding.start_to_end_workdays == right["start_to_end_attribute_workdays_nl"]


def test_another_calendar_equals_the_oracle(entries, seen, chinese, oracle):
    """By the State Council's working days, as the product knows them."""
    found = against(entries, seen, Judging(chinese, END))
    assert plain(found.durations.start_to_end_workdays) == oracle["throughput"]["start_to_end_attribute_workdays_cn"]
    assert found.exceeding.start_to_end_workdays == oracle["exceeding_L"]["start_to_end_attribute_workdays_cn"]


def test_deadlines_equal_the_oracle(found, oracle):
    """Closed in time, closed late, not closed; and each late one is named."""
    right = oracle["deadline"]
    assert (found.deadlines.closed_in_time, found.deadlines.closed_after) == (952, 377)
    assert found.deadlines.closed_in_time == right["closed_in_time"]
    assert found.deadlines.closed_after == right["closed_after_deadline"] == sum(one.end is not None for one in found.late)
    assert found.deadlines.no_end == right["no_end"] == 105
    assert found.deadlines.open_past == sum(one.end is None for one in found.late)


@pytest.mark.parametrize("day", DATES)
def test_what_was_open_and_late_at_a_time_equals_the_oracle(entries, seen, measuring, oracle, day):
    """Started, closed, open, open long, closed late, open past the deadline: at each date."""
    right = oracle["at"][day]
    moment = micros(datetime.fromisoformat(right["T"]))
    found = against(entries, seen, Judging(measuring, END, moment))
    then = found.open_at
    assert (then.started, then.closed, then.open) == (right["started_by_attr"], right["closed_by_attr"], right["open_by_attr"])
    assert then.open_longer_than_calendar_days == right["open_by_attr_longer_than_L_calendar_days"]
    assert found.deadlines.closed_after == right["closed_after_deadline"]
    assert found.deadlines.open_past == right["open_past_deadline"]


def test_the_open_ones_of_a_time_are_the_same_judged_by_that_time(entries, seen, measuring, oracle):
    """Without --at the whole register counts, yet what is open now is judged by now."""
    right = oracle["at"]["2011-06-30"]
    found = against(entries, seen, Judging(measuring, micros(datetime.fromisoformat(right["T"]))))
    assert (found.open_at.open, found.deadlines.no_end) == (right["open_by_attr"], 105)


def test_doubts_equal_the_oracle(found, oracle):
    """Cases of which register and bus cannot both be right."""
    doubts, right = found.doubts, oracle["data_quality"]
    assert len(doubts.without_end) == right["cases_without_end_attribute"] == 105
    assert len(doubts.end_before_start) == right["end_before_start"] == 2
    assert len(doubts.first_event_before_start) == right["first_event_before_start_attribute"] == 2
    assert len(doubts.last_event_after_end) == right["last_event_after_end_attribute"] == 141
    assert (found.cases, found.on_the_bus, found.never_came, found.unregistered) == (1434, 1434, [], [])


def test_what_one_side_lacks_is_named(entries, seen, measuring):
    """A case taken from the bus never came; one taken from the register is unregistered."""
    without, first = dict(seen), entries[0]
    del without[first.key]
    found = against(entries[:-1], without, Judging(measuring, END))
    assert (found.never_came, found.unregistered) == ([first.number], [entries[-1].number])
    assert (found.cases, found.on_the_bus) == (1433, 1432)


def test_an_empty_register_has_figures_of_nothing(measuring):
    """No case, no division."""
    found = against([], {}, Judging(measuring, END))
    assert (found.cases, found.durations.start_to_end_workdays.n, found.late) == (0, 0, [])
