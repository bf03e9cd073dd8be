"""Counters as results: largest first, ties by name, so that the same events always give the same list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec


class Pair(msgspec.Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """How often one thing directly followed another."""

    source: str
    target: str
    count: int


def ranked(counts: Mapping[str, int], top: int | None = None) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top])


def ranked_pairs(counts: Counter[tuple[str, str]], top: int) -> list[Pair]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]
    return [Pair(source, target, count) for (source, target), count in ordered]


def matrix(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Row by row: from whom, to whom, how often."""
    rows: dict[str, dict[str, int]] = {}
    for (source, target), count in sorted(counts.items()):
        rows.setdefault(source, {})[target] = count
    return rows
