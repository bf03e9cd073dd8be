"""Moments told coarsely: an event known only as a day stands after what it presupposes and what happened on that day.

Business order sorts such an event to the start of its day. Without a second look a decision told as a day would come
before the acceptance told as 10 o'clock of that day, and be flagged for it though nobody knows that it was too early. So
within what a coarse moment can mean, the law's order (`PRESUPPOSES`) decides, and the source's own order for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from router.law import PRESUPPOSES
from schemas.case import Blur, Entry
from schemas.envelope import Event, Order

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
#: How far a moment reaches beyond its start, by its precision, in microseconds.
_REACH = {
    "YEAR": 366 * _DAY - 1,
    "MONTH": 31 * _DAY - 1,
    "DAY": _DAY - 1,
    "HOUR": 3600 * _SECOND - 1,
    "MINUTE": 60 * _SECOND - 1,
    "SECOND": _SECOND - 1,
}
Pair = TypeVar("Pair", bound=tuple[Entry, Event])


def until(event: Event) -> int:
    """The last microsecond that the event's moment can mean."""
    return event.occurred_at + _REACH.get(event.header["occurred_at"]["precision"], 0)


def told_until(moment: dict[str, object]) -> int:
    """The same for a moment in a body."""
    return int(str(moment["at"])) + _REACH.get(str(moment["precision"]), 0)


def blurred(before: Blur | None, order: Order, end: int) -> Blur | None:
    """What the coarse moments so far cover: from, until, and the one source they are from (empty: several)."""
    if before is None or order.occurred_at > before.until:
        return Blur(order.occurred_at, end, order.source) if end > order.occurred_at else before
    source = before.source if order.source == before.source else ""
    return Blur(min(before.start, order.occurred_at), max(before.until, end), source)


def clear(blur: Blur | None, order: Order) -> bool:
    """True where an event of this order comes after all that the coarse moments before it can mean.

    Events of one source and one moment keep the order of their source.
    """
    if blur is None or order.occurred_at > blur.until:
        return True
    return order.occurred_at == blur.start and order.source == blur.source


def placed(pairs: Sequence[Pair]) -> Sequence[Pair]:
    """Events in business order, those with coarse moments moved after what they presuppose within them."""
    blur: Blur | None = None
    for entry, event in pairs:
        if not clear(blur, entry.order):
            return _sorted_out(list(pairs))
        blur = blurred(blur, entry.order, until(event))
    return pairs


def _sorted_out(pending: list[Pair]) -> list[Pair]:
    """One after the other, the first in business order that waits for none; where all wait for each other, the first."""
    done = []
    while pending:
        end = until(pending[0][1])
        ready = (index for index, pair in enumerate(pending) if pair[0].order.occurred_at <= end and not _waits(pair, pending))
        done.append(pending.pop(next(ready, 0)))
    return done


def _waits(pair: Pair, pending: Sequence[Pair]) -> bool:
    needs = PRESUPPOSES.get(pair[1].type)
    return needs is not None and any(other[1].type in needs and _within(pair, other) for other in pending)


def _within(pair: Pair, other: Pair) -> bool:
    """Whether `other` may have happened before `pair` though it is sorted after it, and does not wait for it itself."""
    mine, its = pair[0].order, other[0].order
    if other is pair or its.occurred_at < mine.occurred_at or its.occurred_at > until(pair[1]):
        return False
    if its.occurred_at == mine.occurred_at and its.source == mine.source:
        return its < mine
    mutual = pair[1].type in PRESUPPOSES.get(other[1].type, ()) and mine.occurred_at <= until(other[1])
    return not (mutual and mine.occurred_at >= its.occurred_at)
