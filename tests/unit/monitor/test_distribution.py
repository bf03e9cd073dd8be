"""Percentiles in both forms, by independent definitions."""

from __future__ import annotations

import math
import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.statistics.counting import matrix, ranked, ranked_pairs
from monitor.statistics.distribution import Distribution, distribution

VALUES = st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=60)


@given(VALUES)
def test_linear_percentiles_are_those_of_the_standard_library(values):
    """`statistics.quantiles` with the inclusive method interpolates as NumPy does."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    found = distribution(values)
    for percent, one in ((50, found.p50), (90, found.p90), (95, found.p95), (99, found.p99)):
        assert one.linear == pytest.approx(cuts[percent - 1], abs=1e-5)


@given(VALUES)
def test_nearest_rank_really_occurred_and_covers_its_share(values):
    """The smallest value that at least so many percent of all do not exceed."""
    found = distribution(values)
    for percent, one in ((50, found.p50), (90, found.p90), (95, found.p95), (99, found.p99)):
        covering = [value for value in sorted(values) if sum(other <= value for other in values) * 100 >= percent * len(values)]
        assert one.nearest_rank == covering[0]


@given(VALUES)
def test_spread_is_that_of_the_whole_population(values):
    """Every case is in it: no correction for a sample."""
    found = distribution(values)
    assert math.isclose(found.std_pop, statistics.pstdev(values), abs_tol=1e-5)
    assert (found.n, found.min, found.max) == (len(values), min(values), max(values))


def test_nothing_measured_is_said_as_nothing():
    """No zero that looks like a measurement."""
    assert distribution([]) == Distribution(0)
    assert distribution([7]).p99.nearest_rank == distribution([7]).p50.linear == 7


def test_ties_are_ordered_by_name_so_that_lists_repeat():
    """The same events always give the same list."""
    assert list(ranked({"b": 1, "a": 1, "c": 2})) == ["c", "a", "b"]
    pairs = Counter({("b", "a"): 1, ("a", "b"): 1})
    assert [(one.source, one.target) for one in ranked_pairs(pairs, 1)] == [("a", "b")]
    assert matrix(pairs) == {"a": {"b": 1}, "b": {"a": 1}}
