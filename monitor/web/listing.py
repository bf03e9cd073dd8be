"""Cases for lists: from the picture where it has them, else from the tables, always bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, func, select

from monitor import tables
from monitor.view import Snapshot
from monitor.web.glance import Glance, glances
from monitor.web.models.listing import MOST, PAGE, Filter, Listed, fitting, listed
from monitor.web.picture import Picture
from monitor.web.site import Site

_TABLE = tables.cases.c
_ORDER: dict[str, Any] = {"applied": _TABLE.applied_at, "ended": _TABLE.ended_at, "number": _TABLE.number, "item": _TABLE.item}


def page_of(site: Site, picture: Picture, wanted: Filter) -> Listed:
    """One page of the list."""
    if in_picture(picture, wanted):
        return listed(fitting(picture.glances, wanted, picture.now), wanted)
    with site.view.snapshot() as snapshot:
        query = ordered(wanted).limit(PAGE).offset((wanted.page - 1) * PAGE)
        rows = list(glances(snapshot.all(query), site.inputs.clockwork, picture.now))
        total = _count(snapshot, wanted)
    return Listed(rows, min(total, MOST), total > MOST, wanted.page)


def all_of(site: Site, picture: Picture, wanted: Filter, most: int) -> Iterator[Glance]:
    """All that fit, for an export."""
    if in_picture(picture, wanted):
        yield from fitting(picture.glances, wanted, picture.now)[:most]
        return
    with site.view.snapshot() as snapshot:
        yield from glances(snapshot.stream(ordered(wanted).limit(most)), site.inputs.clockwork, picture.now)


def in_picture(picture: Picture, wanted: Filter) -> bool:
    """A picture holds all open cases, one of the past all that there were."""
    return picture.whole or wanted.state == "open"


def ordered(wanted: Filter) -> Select[Any]:
    """By an index, and by key where that ties."""
    column = _ORDER.get(wanted.sort, _TABLE.applied_at)
    newest = wanted.sort not in ("number", "item")
    order = (column.desc(), _TABLE.case_key) if newest != wanted.down else (column.asc(), _TABLE.case_key)
    return select(_TABLE.state).where(*conditions(wanted)).order_by(*order)


def conditions(wanted: Filter) -> Iterator[Any]:
    yield and_(_TABLE.opened, _TABLE.forwards_to == "", ~_TABLE.expired)
    if wanted.state == "ended":
        yield _TABLE.ended_at.is_not(None)
    for column, value in ((_TABLE.region, wanted.region), (_TABLE.department, wanted.department), (_TABLE.item, wanted.item)):
        if value:
            yield column == value
    if wanted.allowed is not None:
        yield _TABLE.region.in_(sorted(wanted.allowed))
    if wanted.q:
        yield _said(wanted)


def _said(wanted: Filter) -> Any:
    """One condition, by one index: items by their name, else a key, else the beginning of a number."""
    if wanted.items:
        return _TABLE.item.in_(sorted(wanted.items))
    if ":" in wanted.q:
        return _TABLE.case_key == wanted.q
    return and_(_TABLE.number >= wanted.q, _TABLE.number < wanted.q + "\U0010ffff")


def _count(snapshot: Snapshot, wanted: Filter) -> int:
    """Up to one more than is told."""
    some = select(_TABLE.case_key).where(*conditions(wanted)).limit(MOST + 1).subquery()
    return int(snapshot.all(select(func.count()).select_from(some))[0][0])
