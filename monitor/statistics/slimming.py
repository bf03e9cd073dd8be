"""Items and powers, slimmed and handed down: the catalogue at two days beside each other.

An item counts on a day when a version of it holds then. A power is an item with the level that decides it: an item whose
decision went to a lower level was handed down (下放), to a higher one handed up (上收).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol

import msgspec

from schemas.catalogue import Item
from schemas.directory import Level


class Items(Protocol):
    """The part of `schemas.catalogue.Catalogue` that is needed."""

    def __iter__(self) -> Any: ...
    def item(self, code: str, version: str | None, on: date, region: str = "", /) -> Item | None: ...


class Changed(msgspec.Struct, frozen=True):
    """What differs between the two days in one item; text as people read it."""

    item: str
    name: str
    before: str
    after: str


class Slimming(msgspec.Struct, frozen=True):
    first: str
    last: str
    items_first: int
    items_last: int
    added: list[Changed]
    ended: list[Changed]
    handed_down: list[Changed]
    handed_up: list[Changed]
    promised: list[Changed]
    statutory: list[Changed]
    #: Items by the level that decides, on each day.
    levels_first: dict[str, int]
    levels_last: dict[str, int]


def slimming(items: Items, first: date, last: date) -> Slimming:
    """The catalogue on `last` beside that on `first`."""
    before = {code: item for code in sorted(items) if (item := items.item(code, None, first)) is not None}
    after = {code: item for code in sorted(items) if (item := items.item(code, None, last)) is not None}
    both = [(before[code], after[code]) for code in before.keys() & after.keys()]
    pairs = sorted(both, key=lambda pair: pair[0].code)
    return Slimming(
        first=first.isoformat(),
        last=last.isoformat(),
        items_first=len(before),
        items_last=len(after),
        added=[Changed(item.code, item.name, "", _level(item)) for code, item in after.items() if code not in before],
        ended=[Changed(item.code, item.name, _level(item), "") for code, item in before.items() if code not in after],
        handed_down=[_moved(*pair) for pair in pairs if _rank(pair[1]) > _rank(pair[0]) > 0],
        handed_up=[_moved(*pair) for pair in pairs if 0 < _rank(pair[1]) < _rank(pair[0])],
        promised=[one for pair in pairs if (one := _limit(*pair, "promised"))],
        statutory=[one for pair in pairs if (one := _limit(*pair, "statutory"))],
        levels_first=_levels(before),
        levels_last=_levels(after),
    )


def _rank(item: Item) -> int:
    return int(item.decided_at or 0)


def _level(item: Item) -> str:
    return item.decided_at.name.lower() if item.decided_at else ""


def _moved(before: Item, after: Item) -> Changed:
    return Changed(after.code, after.name, _level(before), _level(after))


def _limit(before: Item, after: Item, which: str) -> Changed | None:
    was, is_now = getattr(before, which), getattr(after, which)
    return None if was == is_now else Changed(after.code, after.name, days_of(was), days_of(is_now))


def days_of(limit: Any) -> str:
    """A limit as the catalogue writes it: `5 working`; empty without one."""
    return f"{limit.days} {limit.unit}" if limit else ""


def _levels(items: dict[str, Item]) -> dict[str, int]:
    found = {level.name.lower(): sum(item.decided_at is level for item in items.values()) for level in Level}
    return {name: count for name, count in found.items() if count}
