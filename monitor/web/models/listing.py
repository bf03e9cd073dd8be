"""The list of cases: what an address asks for, and the cases that fit, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import compress
from operator import attrgetter
from typing import NamedTuple

from monitor.web.access import Scope, within
from monitor.web.glance import FAR, LIGHTS, Glance

#: Cases on one page.
PAGE = 50
#: Matches are counted up to here; beyond it is said that there are more.
MOST = 2_000
STATES = ("open", "ended", "all")
SORTS = ("urgency", "applied", "ended", "number", "item", "holder")


class Filter(NamedTuple):
    """What an address asks for. `items` are codes of items whose name holds `q`."""

    q: str = ""
    state: str = "open"
    light: str = ""
    region: str = ""
    department: str = ""
    item: str = ""
    sort: str = "urgency"
    down: bool = False
    page: int = 1
    items: frozenset[str] = frozenset()
    allowed: Scope = None

    @property
    def parts(self) -> dict[str, str]:
        """As an address says it, without the page; what is usual is left out."""
        usual = Filter()
        named = {name: str(getattr(self, name)) for name in ("q", "state", "light", "region", "department", "item", "sort")}
        found = {name: value for name, value in named.items() if value != getattr(usual, name)}
        return found | ({"down": "1"} if self.down else {})


def asked(parts: Mapping[str, str], item_named: Callable[[str], Iterable[str]], allowed: Scope) -> Filter:
    """From an address; what makes no sense is left out. A light is of open cases only, so it sets the state."""
    light = _one_of(parts.get("light", ""), LIGHTS, "")
    state = "open" if light else _one_of(parts.get("state", ""), STATES, "open")
    q = parts.get("q", "").strip()[:100]
    items = frozenset(item_named(q)) if q else frozenset()
    usual = "urgency" if state == "open" else "number" if q and not items else "applied"
    sort = _one_of(parts.get("sort", ""), SORTS, usual)
    return Filter(
        q=q,
        state=state,
        light=light,
        region=parts.get("region", ""),
        department=parts.get("department", ""),
        item=parts.get("item", ""),
        sort=sort,
        down=parts.get("down", "") == "1",
        page=_number(parts.get("page", "")),
        items=items,
        allowed=allowed,
    )


class Listed(NamedTuple):
    """One page. `total` is a lower bound where `more`."""

    rows: Sequence[Glance]
    total: int
    more: bool
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))

    @property
    def first(self) -> int:
        return (self.page - 1) * PAGE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0


def fitting(glances: Iterable[Glance], wanted: Filter, now: int) -> list[Glance]:
    """Those that fit, in the order asked for; `glances` come worst first."""
    found = list(glances)
    for name, value in _values(wanted):
        found = list(compress(found, map(value.__eq__, map(attrgetter(name), found))))
    for fits in _tests(wanted, now):
        found = list(filter(fits, found))
    if wanted.sort != "urgency":
        found.sort(key=_KEYS[wanted.sort])
    return found[::-1] if wanted.down else found


def listed(found: Sequence[Glance], wanted: Filter) -> Listed:
    """The page of all that fit."""
    page = min(wanted.page, max(1, -(-len(found) // PAGE)))
    return Listed(found[(page - 1) * PAGE : page * PAGE], len(found), False, page)


def fits(one: Glance, wanted: Filter, now: int) -> bool:
    same = all(getattr(one, name) == value for name, value in _values(wanted))
    return same and all(fits(one) for fits in _tests(wanted, now))


def _values(wanted: Filter) -> Iterator[tuple[str, str]]:
    """What must be the same as asked for."""
    return ((name, value) for name in ("light", "region", "department", "item") if (value := getattr(wanted, name)))


def _tests(wanted: Filter, now: int) -> Iterator[Callable[[Glance], bool]]:
    """One for each thing that is asked for, and none for what is not: a list may have a hundred thousand cases."""
    if wanted.state != "all":
        still = wanted.state == "open"
        yield lambda one: (one.ended_at is None or one.ended_at > now) is still
    allowed = wanted.allowed
    if allowed is not None:
        yield lambda one: within(one.region, allowed)
    if wanted.q and not wanted.items:
        begins = f":{wanted.q}"
        yield lambda one: begins in one.key or one.key == wanted.q  # quick, and lets few through
    if wanted.q:
        yield partial(_said, wanted)


def _said(wanted: Filter, one: Glance) -> bool:
    """The beginning of a number, or part of an item's name."""
    return one.number.startswith(wanted.q) or one.key == wanted.q or one.item in wanted.items


_KEYS: dict[str, Callable[[Glance], tuple[object, ...]]] = {
    "applied": lambda one: (-(one.applied_at or 0), one.key),
    "ended": lambda one: (-(one.ended_at or FAR), one.key),
    "number": lambda one: (one.number,),
    "item": lambda one: (one.item, one.urgency),
    "holder": lambda one: (one.holder, one.urgency),
}


def _one_of(value: str, known: Sequence[str], usual: str) -> str:
    return value if value in known else usual


def _number(text: str) -> int:
    return max(1, min(int(text), 10_000)) if text.isascii() and text.isdigit() else 1
