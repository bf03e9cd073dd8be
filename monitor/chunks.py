"""Few large pieces instead of many small ones: a transaction or a query costs more than a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter (`itertools.batched` comes with Python 3.12)."""
    source = iter(items)
    while piece := list(islice(source, size)):
        yield piece
