"""What is asked for again and again is answered by an index: at a million cases a pass over all of them takes seconds."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from monitor.gather import standing_keys
from monitor.view import Snapshot, View
from monitor.web.counts import counts
from monitor.web.listing import ordered
from monitor.web.models.listing import Filter


class Plans(Snapshot):
    """Notes how SQLite would answer each question."""

    def __init__(self, connection):
        super().__init__(connection)
        self.told: list[str] = []

    def all(self, query):
        said = str(query.compile(self._connection, compile_kwargs={"literal_binds": True})).replace(":", "\\:")
        self.told += [row.detail for row in self._connection.execute(text(f"EXPLAIN QUERY PLAN {said}"))]
        return super().all(query)


@pytest.fixture
def plans(tmp_path):
    view = View.at(tmp_path / "view.db")
    with view.engine.connect() as connection:
        yield Plans(connection)
    view.close()


def test_the_next_open_cases_are_found_where_the_last_ones_ended(plans):
    """By an index of the open ones alone; bad ratings by one of their own."""
    standing_keys(plans, 0, "city:5", 100)
    first, second, *_ = plans.told
    assert first == "SEARCH cases USING INDEX cases_open (case_key>?)"
    assert "cases_badly_rated" in second


def test_what_came_and_went_is_counted_without_reading_a_case(plans):
    """The indexes of the times hold all that is counted by; the provisional ones have an index of their own."""
    counts(plans, ZoneInfo("Asia/Shanghai"), 0)
    said = [one for one in plans.told if "cases" in one]
    assert ["COVERING INDEX cases_by_application" in said[0], "COVERING INDEX cases_by_end" in said[1]] == [True, True]
    assert "cases_provisional" in said[2]


@pytest.mark.parametrize(
    ("wanted", "many", "index"),
    [
        (Filter(state="ended", department="fire", sort="ended"), True, "cases_by_end"),
        (Filter(state="all", region="11", sort="item"), True, "cases_by_item"),
        (Filter(state="all", sort="number", q="99"), True, "cases_by_number"),
        (Filter(state="all", region="11", department="fire", sort="applied"), True, "cases_by_application"),
        (Filter(state="all", region="11", department="fire", sort="ended"), False, "cases_by_place"),
    ],
)
def test_a_list_of_many_walks_its_order_and_one_of_few_its_filter(plans, wanted, many, index):
    """Sorting hundreds of thousands for fifty lines took half a second."""
    plans.all(ordered(wanted, many=many).limit(50))
    assert f"INDEX {index}" in plans.told[0]
