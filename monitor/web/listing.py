"""Cases for lists: from the picture where it has them, else from the tables, always bounded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, func, select

from monitor import tables
from monitor.view import Snapshot
from monitor.web.glance import BRIGHT, Glance, glances
from monitor.web.models.listing import MOST, PAGE, Filter, Listed, fitting, listed
from monitor.web.picture import Picture
from monitor.web.site import Site

_TABLE = tables.cases.c
#: Open cases that are looked at together for a page of a list.
_SOME = 1_000
#: What a list is ordered by: an index of it, and the columns behind it that tell ties apart.
_ORDER: dict[str, tuple[Any, ...]] = {
    "applied": (_TABLE.applied_at,),
    "ended": (_TABLE.ended_at,),
    "number": (_TABLE.number,),
    "item": (_TABLE.item, _TABLE.applied_at),
}


def page_of(site: Site, picture: Picture, wanted: Filter) -> Listed:
    """One page of the list."""
    if in_picture(picture, wanted):
        return _page_in(picture, wanted)
    with site.view.snapshot() as snapshot:
        total = _count(snapshot, wanted)
        query = ordered(wanted, many=total > MOST).limit(PAGE).offset((wanted.page - 1) * PAGE)
        rows = list(glances(snapshot.all(query), site.inputs.clockwork, picture.now))
    return Listed(rows, min(total, MOST), total > MOST, wanted.page)


def all_of(site: Site, picture: Picture, wanted: Filter, most: int | None = None) -> Iterator[Glance]:
    """All that fit, or the first of them, for an export."""
    if in_picture(picture, wanted):
        yield from _fitting(picture, wanted)[:most]
        return
    with site.view.snapshot() as snapshot:
        query = ordered(wanted, many=_count(snapshot, wanted) > MOST).limit(most)
        yield from glances(snapshot.stream(query), site.inputs.clockwork, picture.now)


def in_picture(picture: Picture, wanted: Filter) -> bool:
    """A picture holds all open cases, one of the past all that there were."""
    return picture.whole or wanted.state == "open"


def _page_in(picture: Picture, wanted: Filter) -> Listed:
    """Where the tallies tell how many fit, only the first of the open cases are read, and not a hundred thousand."""
    if picture.tallies is None or picture.whole or wanted.q or wanted.sort != "urgency" or wanted.down:
        return listed(_fitting(picture, wanted), wanted)
    total = _tallied(picture, wanted)
    page = min(wanted.page, max(1, -(-total // PAGE)))
    found, place, until = list[Glance](), _first_of(picture, wanted.light), min(page * PAGE, total)
    while len(found) < until and place < len(picture.glances):
        some = picture.glances[place : place + _SOME]
        found += fitting(some, wanted._replace(state="all"), picture.now)
        place += _SOME
    return Listed(found[(page - 1) * PAGE : page * PAGE], total, False, page)


def _tallied(picture: Picture, wanted: Filter) -> int:
    asked = wanted.region, wanted.department, wanted.item
    places = picture.tally(wanted.allowed).items()
    fit = (one for place, one in places if all(not part or part == here for part, here in zip(asked, place, strict=True)))
    return sum(getattr(one, wanted.light) if wanted.light else one.total for one in fit)


def _first_of(picture: Picture, light: str) -> int:
    """Where the cases of a light begin: they stand light by light."""
    return bisect_left(picture.glances, BRIGHT[light], key=lambda one: BRIGHT[one.light]) if light else 0


def _fitting(picture: Picture, wanted: Filter) -> list[Glance]:
    """A live picture holds open cases only: none need be asked whether it is."""
    return fitting(picture.glances, wanted if picture.whole else wanted._replace(state="all"), picture.now)


def ordered(wanted: Filter, *, many: bool) -> Select[Any]:
    """The states of cases that fit, in order.

    Where `many` fit, the order's index is walked and the first that fit are soon there; of few, the filter's index gives
    all, which are then sorted. Left to itself the database would look for many by the filter and sort hundreds of thousands.
    """
    columns = _ORDER.get(wanted.sort, (_TABLE.applied_at,))
    down = (wanted.sort not in ("number", "item")) != wanted.down
    order = [column.desc() if down else column.asc() for column in columns]
    return select(_TABLE.state).where(*conditions(wanted, hidden=many)).order_by(*order, _TABLE.case_key)


def conditions(wanted: Filter, *, hidden: bool = False) -> Iterator[Any]:
    """`hidden` ones are no use for an index: those of what is looked for by the order."""
    yield and_(_TABLE.opened, _TABLE.forwards_to == "", ~_TABLE.expired)
    if wanted.state == "ended":
        yield _TABLE.ended_at.is_not(None)
    for column, value in ((_TABLE.region, wanted.region), (_TABLE.department, wanted.department), (_TABLE.item, wanted.item)):
        if value:
            yield (column.concat("") if hidden else column) == value
    if wanted.allowed is not None:
        yield (_TABLE.region.concat("") if hidden else _TABLE.region).in_(sorted(wanted.allowed))
    if wanted.q:
        yield _said(wanted, hidden=hidden)


def _said(wanted: Filter, *, hidden: bool) -> Any:
    """One condition, by one index: items by their name, else a key, else the beginning of a number."""
    if wanted.items:
        return (_TABLE.item.concat("") if hidden else _TABLE.item).in_(sorted(wanted.items))
    if ":" in wanted.q:
        return _TABLE.case_key == wanted.q
    return and_(_TABLE.number >= wanted.q, _TABLE.number < wanted.q + "\U0010ffff")


def _count(snapshot: Snapshot, wanted: Filter) -> int:
    """Up to one more than is told."""
    some = select(_TABLE.case_key).where(*conditions(wanted)).limit(MOST + 1).subquery()
    return int(snapshot.all(select(func.count()).select_from(some))[0][0])
