"""Where regions differ on one item: the to-do list of the one approval standard (审批一标准).

Compared is what is in force (the catalogue's limits and levels, region by region) and what is done (the limits that cases
state, and the papers that are asked for). What most regions have is the standard; the others are on the list.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import func, select

from monitor import tables
from monitor.rows import Reader
from monitor.statistics.slimming import Items
from monitor.view import Snapshot
from schemas.catalogue import Item

#: A paper is asked for in a region when at least this share of its applications holds it.
USUAL = 0.5
#: Newest applications of a region that are looked at for its papers.
SAMPLE = 200


class Difference(msgspec.Struct, frozen=True):
    """One thing in which regions differ: what most have, and who has what instead. `source`: catalogue or cases."""

    item: str
    what: str
    source: str
    standard: str
    others: dict[str, list[str]]


def differences(snapshot: Snapshot, reader: Reader, listed: Mapping[str, Item], code: str) -> list[Difference]:
    """All of one item; `listed`: as it holds in each region (`in_regions`)."""
    found = [(what, "catalogue", {region: _listed(item, what) for region, item in listed.items()}) for what in _LISTED]
    found += [(what, "cases", values) for what, values in _stated(snapshot, code).items()]
    compared = (_difference(code, what, source, values) for what, source, values in found)
    return [one for one in compared if one] + list(_papers(snapshot, reader, code))


def in_regions(items: Items, regions: Iterable[str], on: date, code: str) -> dict[str, Item]:
    """The item as it holds in each region on a day."""
    return {region: item for region in regions if (item := items.item(code, None, on, region)) is not None}


def items_that_differ(snapshot: Snapshot) -> dict[str, int]:
    """Items of which regions state more than one promised limit, with how many: where to look first."""
    table = tables.cases.c
    number = func.count(table.promised_days.distinct())
    query = select(table.item, number.label("number")).where(table.promised_days.is_not(None)).group_by(table.item)
    return {row.item: row.number for row in snapshot.all(query.having(number > 1).order_by(number.desc(), table.item))}


_LISTED = ("promised", "statutory", "accepted_at", "decided_at")


def _listed(item: Item, what: str) -> str:
    value = getattr(item, what)
    if value is None:
        return "none"
    return f"{value.days} {value.unit}" if hasattr(value, "days") else value.name.lower()


def _stated(snapshot: Snapshot, code: str) -> dict[str, dict[str, str]]:
    """The limits that most cases of each region state."""
    table = tables.cases.c
    names = ("promised_days", "statutory_days")
    columns = (table.region, *(table[name] for name in names), func.count().label("number"))
    counted: dict[str, dict[str, Counter[int]]] = {name: defaultdict(Counter) for name in names}
    for row in snapshot.all(select(*columns).where(table.item == code).group_by(*columns[:-1])):
        for name in names:
            if (days := getattr(row, name)) is not None:
                counted[name][row.region][days] += row.number
    return {
        name: {region: str(min(days.items(), key=lambda pair: (-pair[1], pair[0]))[0]) for region, days in regions.items()}
        for name, regions in counted.items()
    }


def _difference(code: str, what: str, source: str, values: Mapping[str, str]) -> Difference | None:
    """None where all agree."""
    counts = Counter(values.values())
    if len(counts) < 2:
        return None
    standard = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))[0]
    others: dict[str, list[str]] = {}
    for region, value in sorted(values.items()):
        if value != standard:
            others.setdefault(value, []).append(region)
    return Difference(code, what, source, standard, others)


def _papers(snapshot: Snapshot, reader: Reader, code: str) -> Iterator[Difference]:
    """Papers that some regions ask for and others do not."""
    asked = {region: set(_usual(found)) for region, found in _applications(snapshot, reader, code).items()}
    for paper in sorted(set().union(*asked.values()) if asked else ()):
        said = {region: "asked for" if paper in papers else "not asked for" for region, papers in asked.items()}
        if one := _difference(code, f"paper: {paper}", "cases", said):
            yield one


def _usual(applications: list[set[str]]) -> Iterator[str]:
    counts = Counter(paper for one in applications for paper in one)
    return (paper for paper, number in counts.items() if number >= USUAL * len(applications))


def _applications(snapshot: Snapshot, reader: Reader, code: str) -> dict[str, list[set[str]]]:
    """The papers of the newest applications, by region; those that tell no papers are left out."""
    e, cases = tables.events.c, tables.cases.c
    joined = tables.events.join(tables.cases, cases.case_key == e.case_key)
    newest = select(cases.region, e.raw).select_from(joined).where(cases.item == code, e.type == "Applied")
    found: dict[str, list[set[str]]] = defaultdict(list)
    for row in snapshot.stream(newest.order_by(cases.applied_at.desc())):
        if len(found[row.region]) < SAMPLE and (papers := _named(reader.decode(row.raw).body)):
            found[row.region].append(papers)
    return {region: papers for region, papers in found.items() if papers}


def _named(body: Mapping[str, Any]) -> set[str]:
    return {one["name"] for one in body.get("materials") or ()}
