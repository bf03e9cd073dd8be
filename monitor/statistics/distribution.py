"""A set of numbers, said in a few: mean, extremes, spread, percentiles.

Percentiles come in two forms because two readers compute them differently and both are right: `linear` interpolates
between neighbours (NumPy's default), `nearest_rank` is the ceil(p*n)-th smallest value, which really occurred.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

DIGITS = 6


class Percentile(msgspec.Struct, frozen=True):
    linear: float
    nearest_rank: float


class Distribution(msgspec.Struct, frozen=True, omit_defaults=True):
    """Empty (`n` 0) when there was nothing to measure; the other fields are then absent."""

    n: int
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    #: Standard deviation of the whole population, not of a sample: every case is in it.
    std_pop: float | None = None
    p50: Percentile | None = None
    p90: Percentile | None = None
    p95: Percentile | None = None
    p99: Percentile | None = None


def distribution(values: Iterable[float]) -> Distribution:
    ordered = sorted(values)
    if not ordered:
        return Distribution(0)
    n = len(ordered)
    mean = math.fsum(ordered) / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in ordered) / n)
    percentiles = (percentile(ordered, percent) for percent in (50, 90, 95, 99))
    return Distribution(n, _round(mean), _round(ordered[0]), _round(ordered[-1]), _round(spread), *percentiles)


def percentile(ordered: Sequence[float], percent: int) -> Percentile:
    """Of sorted values. The rank is computed in whole numbers: 0.95 * 20 is a little more than 19 as a float."""
    n = len(ordered)
    rank = -(-percent * n // 100)
    below, rest = divmod(percent * (n - 1), 100)
    low, high = ordered[below], ordered[min(below + 1, n - 1)]
    return Percentile(_round(low + (high - low) * rest / 100), _round(ordered[max(rank, 1) - 1]))


def _round(value: float) -> float:
    return round(float(value), DIGITS)
