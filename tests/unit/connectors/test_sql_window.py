"""What was read lately, without a database: whatever becomes visible late is found, nothing is given twice."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sqlread.clock import Clock
from connectors.sqlread.values import Key
from connectors.sqlread.window import Rules, Window, digest

OVERLAP = 60.0


def one_pass(
    state: dict[str, Any], visible: list[Key], rules: Rules, now: float, looked: float = 0.0
) -> tuple[list[Key], dict[str, Any], list[Key]]:
    """What is given, the state afterwards as it went through JSON, and everything that was read for it."""
    window = Window(state, rules, now, looked)
    behind = sorted(key for key in visible if window.floor is None or key > window.floor)
    fresh = [key for key in behind if window.new(key, digest(repr(key).encode()))]
    window.end()
    return fresh, json.loads(json.dumps(window.state(now))) if fresh else state, behind


@given(
    st.lists(st.floats(0, OVERLAP * 0.9), min_size=1, max_size=40),
    st.lists(st.floats(1, 10 * OVERLAP), min_size=1, max_size=5),
    st.sampled_from([0.5, 7, 40]),
)
def test_a_row_visible_within_the_overlap_is_given_once(late: list[float], pauses: list[float], between: float) -> None:
    """However late each row is, however often one looks, and however long nobody could."""
    appears = {(number,): number * between + late_by for number, late_by in enumerate(late)}
    given_rows: list[Key] = []
    state: dict[str, Any] = {}
    now, pause = 0.0, cycle(pauses)
    while now <= max(appears.values()):
        now += next(pause)
        fresh, state, _ = one_pass(state, [key for key, at in appears.items() if at <= now], Rules(OVERLAP, 1000), now)
        given_rows += fresh
    assert sorted(given_rows) == sorted(appears)


def test_an_idle_table_is_not_read_again_when_the_overlap_is_over() -> None:
    """So long the last rows are looked at, then none; what comes then is found."""
    rules, rows = Rules(OVERLAP, 100), [(number,) for number in range(10)]
    _, state, _ = one_pass({}, rows, rules, 1000.0)
    assert one_pass(state, rows, rules, 1059.0)[2] == rows
    assert one_pass(state, rows, rules, 1061.0, looked=1059.0)[2] == rows
    assert one_pass(state, rows, rules, 1062.0, looked=1061.0)[2] == []
    assert one_pass(state, [*rows, (10,)], rules, 1062.0, looked=1061.0)[0] == [(10,)]


def test_a_row_that_came_while_nobody_looked_is_found() -> None:
    """A worker that was away, a connector that looks seldom: that the overlap is over by now says nothing."""
    rules = Rules(OVERLAP, 100)
    _, state, _ = one_pass({}, [(1,), (3,)], rules, 1000.0)
    assert one_pass(state, [(1,), (2,), (3,)], rules, 9000.0)[0] == [(2,)]


def test_a_window_keeps_so_many_rows_and_few_marks() -> None:
    """A million rows at once leave a small position."""
    rules = Rules(OVERLAP, 50)
    state: dict[str, Any] = {}
    rows = [(number,) for number in range(1000)]
    for until in range(100, 1001, 100):
        fresh, state, behind = one_pass(state, rows[:until], rules, float(until))
        assert len(fresh) == 100
        assert len(behind) <= 150
    assert len(json.dumps(state)) < 1000
    assert len(state["marks"]) <= 7


@pytest.mark.parametrize("later", [61.0, 75.0, 90.0, 400.0])
def test_more_rows_than_are_remembered_are_not_read_again_when_marks_grow_old(later: float) -> None:
    """The floor has gone on with the reading; a mark of its beginning does not draw it back."""
    rules, rows = Rules(OVERLAP, 50), [(number,) for number in range(1000)]
    state: dict[str, Any] = {}
    for second, until in enumerate(range(100, 1001, 100)):
        _, state, _ = one_pass(state, rows[:until], rules, second * 5.0)
    fresh, _, read = one_pass(state, rows, rules, later, looked=later)
    assert fresh == []
    assert len(read) <= 50


def test_without_an_overlap_only_the_last_place_is_remembered() -> None:
    """As cheap as a watermark alone."""
    _, state, _ = one_pass({}, [(1,), (2,)], Rules(0, 100), 5.0)
    assert state == {"floor": [2], "marks": [[5.0, [2]]], "looked": 5.0}


def test_rows_ahead_of_the_clock_stay_in_the_window() -> None:
    """However long ago they were read, and however many others were since; but not without end."""
    rules = Rules(OVERLAP, 5, lambda key: key[0] > 100)
    state: dict[str, Any] = {}
    for number in range(20):
        fresh, state, _ = one_pass(state, [(at,) for at in (*range(number + 1), 999)], rules, number * 100.0)
        assert fresh == ([(0,), (999,)] if number == 0 else [(number,)])
    window = Window({}, rules, 0.0)
    for number in range(200, 300):
        window.new((number,), digest(b"%d" % number))
    assert window.hiding


NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (datetime(2026, 3, 2, 11, 59), datetime(2026, 3, 2, 12, 1)),  # noqa: DTZ001  in the connector's zone, as columns are
        (datetime(2026, 3, 2, 3, 59, tzinfo=UTC), datetime(2026, 3, 2, 4, 1, tzinfo=UTC)),
        (date(2026, 3, 2), date(2026, 3, 3)),
        ("2026-03-02 11:59", "2026-03-02 12:01"),
        ("2026-03-02 11:59:59.999", "2026-03-02 12:00:01.000"),
        ("2026-03-02T11:59:59", "2026-03-02T12:00:01"),
        ("2026/03/02 11:59:59", "2026/03/02 12:00:01"),
        ("20260302115959", "20260302120001"),
        ("2026-03-02", "2026-03-03"),
    ],
)
def test_the_clock_knows_times_in_every_writing(before: Any, after: Any) -> None:
    """And writes an earlier time in the same way."""
    clock = Clock(NOON, "Asia/Shanghai")
    assert [clock.ahead((before, 1)), clock.ahead((after, 1))] == [False, True]
    (earlier,) = clock.back((after, 1), 3600) or (None,)
    assert type(earlier) is type(after)
    assert earlier <= before


@pytest.mark.parametrize("value", [7, 10**15, "A-17", "", b"x"])
def test_what_is_no_time_is_never_ahead(value: Any) -> None:
    """Numbers and codes grow as they like."""
    assert not Clock(NOON, "Asia/Shanghai").ahead((value,))
    assert Clock(NOON, "Asia/Shanghai").back((value,), 60) is None
