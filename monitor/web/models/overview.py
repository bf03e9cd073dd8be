"""The overview: lights, regions by departments, what came and went, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from monitor.web.access import Scope
from monitor.web.glance import Glance
from monitor.web.picture import Lamps, Picture, added, cells
from schemas.directory import Region

#: Departments that have a column of their own; the others share the last one.
COLUMNS = 10
OTHERS = "*"


class Cell(NamedTuple):
    """`shade` 0 to 4 says how much of it is red, for the eye."""

    lamps: Lamps
    region: str
    department: str
    shade: int


class Row(NamedTuple):
    region: str
    depth: int
    cells: tuple[Cell, ...]
    total: Cell


class Heat(NamedTuple):
    """Regions by departments; in the last row all of them."""

    departments: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Row


class Overview(NamedTuple):
    lamps: Lamps
    heat: Heat
    worst: Sequence[Glance]
    near: int


def overview(picture: Picture, allowed: Scope, regions: Mapping[str, Region], most: int = 10) -> Overview:
    """`regions` order the rows: a place, then what lies in it."""
    tallies = picture.tally(allowed)
    worst = [one for one in islice(picture.each(allowed), most) if one.light in ("red", "yellow")]
    total = added(tallies.values())
    return Overview(total, heat(cells(tallies), regions), worst, total.last_day)


def heat(found: Mapping[tuple[str, str], Lamps], regions: Mapping[str, Region]) -> Heat:
    departments = _columns(found)
    others = {department for _, department in found} - set(departments)
    columns = (*departments, *([OTHERS] if others else []))
    named = {region for region, _ in found}
    rows = [_row(region, depth, columns, found, others) for region, depth in ordered(named, regions)]
    total = _row("", 0, columns, _summed(found), others)
    return Heat(columns, tuple(rows), total)


def ordered(named: Iterable[str], regions: Mapping[str, Region]) -> list[tuple[str, int]]:
    """These regions as a tree, with their depth in it; those that the directory does not have come last."""
    wanted = set(named)
    known = [(path, code) for code in wanted if code in regions and (path := _path(code, regions))]
    top = min((len(path) for path, _ in known), default=0)
    inside = [(code, len(path) - top) for path, code in sorted(known)]
    return [*inside, *((code, 0) for code in sorted(wanted - set(regions)))]


def _path(code: str, regions: Mapping[str, Region]) -> tuple[str, ...]:
    path: list[str] = []
    while code in regions and code not in path:
        path.insert(0, code)
        code = regions[code].parent
    return tuple(path)


def _columns(found: Mapping[tuple[str, str], Lamps]) -> tuple[str, ...]:
    totals: dict[str, int] = {}
    for (_, department), one in found.items():
        totals[department] = totals.get(department, 0) + one.total
    ranked = sorted(totals, key=lambda name: (-totals[name], name))
    return tuple(ranked if len(ranked) <= COLUMNS else ranked[: COLUMNS - 1])


def _row(region: str, depth: int, columns: Sequence[str], found: Mapping[tuple[str, str], Lamps], others: set[str]) -> Row:
    parts = [_gathered(found, region, others if name == OTHERS else {name}) for name in columns]
    made = [_cell(one, region, "" if name == OTHERS else name) for name, one in zip(columns, parts, strict=True)]
    return Row(region, depth, tuple(made), _cell(added(parts), region, ""))


def _gathered(found: Mapping[tuple[str, str], Lamps], region: str, departments: set[str]) -> Lamps:
    return added(found[region, name] for name in departments if (region, name) in found)


def _summed(found: Mapping[tuple[str, str], Lamps]) -> dict[tuple[str, str], Lamps]:
    departments: dict[str, list[Lamps]] = {}
    for (_, department), one in found.items():
        departments.setdefault(department, []).append(one)
    return {("", department): added(parts) for department, parts in departments.items()}


def _cell(one: Lamps, region: str, department: str) -> Cell:
    share = one.red / one.total if one.total else 0.0
    shade = 0 if not one.red else 1 + (share > 0.1) + (share > 0.25) + (share > 0.5)
    return Cell(one, region, department, shade)
