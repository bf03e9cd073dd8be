"""Regions, departments, authorities: who is above, below and beside whom.

`regions.csv` (code,name,level,parent) is the tree; `authorities.csv` (authority,name,department,region,credit_code) says
which department acts in which region. An authority's name is `<department>@<region code>`; in an item's steps it is named
relative to the case, `<department>@<level>`: `quality-supervision@county`, `quality-supervision@municipal`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from schemas.csvfile import Row, rows
from schemas.problem import Problem, ProblemsError

_CODE = re.compile(r"[^\s@]+")
#: GB 32100-2015: 18 digits and capitals without I, O, S, V, Z.
_CREDIT = re.compile(r"[0-9A-HJ-NP-RT-UW-Y]{18}")


class Level(IntEnum):
    """Levels of authorities (GB/T 39046-2020 A): a smaller number is above."""

    NATIONAL = 1
    PROVINCIAL = 2
    MUNICIPAL = 3
    COUNTY = 4
    TOWN = 5
    VILLAGE = 6


LEVELS: Mapping[str, Level] = {level.name.lower(): level for level in Level}


class Region(NamedTuple):
    """A place in the tree. `parent` is empty at the root."""

    code: str
    name: str
    level: Level
    parent: str = ""


class Authority(NamedTuple):
    """One department in one region."""

    id: str
    name: str
    department: str
    region: str
    level: Level
    credit_code: str = ""


def named_by(patterns: Iterable[str], authority: str) -> bool:
    """Whether an authority is among those that patterns such as `water@*` name."""
    return any(fnmatchcase(authority, pattern) for pattern in patterns)


class Directory:
    """The regions and authorities of a deployment. `load` checks them; the constructor trusts them."""

    def __init__(self, regions: Mapping[str, Region], authorities: Mapping[str, Authority]) -> None:
        self.regions = regions
        self.authorities = authorities
        self._children: dict[str, list[str]] = {}
        self._in_region: dict[str, list[str]] = {}
        for region in regions.values():
            self._children.setdefault(region.parent, []).append(region.code)
        for authority in authorities.values():
            self._in_region.setdefault(authority.region, []).append(authority.id)

    @classmethod
    def load(cls, folder: Path) -> Directory:
        """Raises ProblemsError with a file and line for each fault."""
        problems: list[Problem] = []
        regions = _regions(folder / "regions.csv", problems)
        authorities = _authorities(folder / "authorities.csv", regions, problems)
        if problems:
            raise ProblemsError(*problems)
        return cls(regions, authorities)

    def path(self, region: str) -> Iterator[Region]:
        """The region and all that it lies in, upwards; nothing for an unknown one."""
        found = self.regions.get(region)
        while found is not None:
            yield found
            found = self.regions.get(found.parent)

    def level(self, authority: str) -> Level | None:
        known = self.authorities.get(authority)
        return known.level if known else None

    def above(self, authority: str) -> str | None:
        """The same department at the nearest higher level that has it; None at the top or for an unknown authority."""
        department, region = _split(authority)
        higher = (f"{department}@{place.code}" for place in list(self.path(region))[1:])
        return next((name for name in higher if name in self.authorities), None) if authority in self.authorities else None

    def below(self, authority: str) -> tuple[str, ...]:
        """The same department at the nearest lower level, region by region."""
        department, region = _split(authority)
        return tuple(self._below(department, region)) if authority in self.authorities else ()

    def beside(self, authority: str) -> tuple[str, ...]:
        """The other departments of the same region."""
        region = _split(authority)[1]
        return tuple(name for name in self._in_region.get(region, ()) if name != authority)

    def resolve(self, name: str, region: str) -> str | None:
        """The authority that a name means for a case of a region; None where there is none.

        `department@level` is the region of that level that the case's region lies in, or is; an authority's full name
        stands for itself.
        """
        if name in self.authorities:
            return name
        department, level = _split(name)
        place = next((place for place in self.path(region) if place.level == LEVELS.get(level)), None)
        found = f"{department}@{place.code}" if place else ""
        return found if found in self.authorities else None

    def _below(self, department: str, region: str) -> Iterator[str]:
        for child in self._children.get(region, ()):
            name = f"{department}@{child}"
            if name in self.authorities:
                yield name
            else:
                yield from self._below(department, child)


def _split(authority: str) -> tuple[str, str]:
    department, _, place = authority.partition("@")
    return department, place


def _regions(path: Path, problems: list[Problem]) -> dict[str, Region]:
    found: dict[str, Region] = {}
    places = {}
    for row in rows(path, ("code", "name", "level", "parent"), problems):
        fault = _region_fault(row, found)
        if fault:
            problems.append(fault)
        else:
            found[row["code"]] = Region(
                row["code"], row["name"] or row["code"], _level(row["level"]) or Level.NATIONAL, row["parent"]
            )
            places[row["code"]] = row.where
    for code, region in found.items():
        problems += _parent_faults(region, found, places[code])
    return found


def _region_fault(row: Row, found: Mapping[str, Region]) -> Problem | None:
    code = row["code"]
    if not _CODE.fullmatch(code):
        return Problem(row.where, f"`{code}` is no region code", "Write 6 to 12 digits, without spaces or @.")
    if code in found:
        return Problem(row.where, f"region {code} stands twice", "Keep one of the rows.")
    if _level(row["level"]) is None:
        return Problem(row.where, f"`{row['level']}` is no level", f"Write 1 to 6, or one of {', '.join(LEVELS)}.")
    return None


def _parent_faults(region: Region, found: Mapping[str, Region], where: str) -> Iterator[Problem]:
    if not region.parent:
        return
    parent = found.get(region.parent)
    if parent is None:
        yield Problem(where, f"parent {region.parent} of {region.code} is no region here", "Add its row, or correct the code.")
    elif parent.level >= region.level:
        yield Problem(
            where,
            f"{region.code} is {region.level.name.lower()}, its parent {parent.code} {parent.level.name.lower()}",
            "A parent's level is above: correct level or parent.",
        )


def _level(text: str) -> Level | None:
    if text.lower() in LEVELS:
        return LEVELS[text.lower()]
    return Level(int(text)) if text in {str(level.value) for level in Level} else None


def _authorities(path: Path, regions: Mapping[str, Region], problems: list[Problem]) -> dict[str, Authority]:
    found: dict[str, Authority] = {}
    for row in rows(path, ("name", "department", "region"), problems):
        name = f"{row['department']}@{row['region']}"
        faults = list(_authority_faults(row, name, regions))
        if name in found:
            faults.append(Problem(row.where, f"authority {name} stands twice", "Keep one of the rows."))
        problems += faults
        if not faults:
            region = regions[row["region"]]
            found[name] = Authority(name, row["name"] or name, row["department"], region.code, region.level, row["credit_code"])
    return found


def _authority_faults(row: Row, name: str, regions: Mapping[str, Region]) -> Iterator[Problem]:
    if not _CODE.fullmatch(row["department"]):
        yield Problem(row.where, f"`{row['department']}` is no department", "Write its code, without spaces or @.")
    if row["region"] not in regions:
        yield Problem(row.where, f"`{row['region']}` is no region here", "Add it to regions.csv, or correct the code.")
    if row["authority"] not in ("", name):
        yield Problem(row.where, f"`{row['authority']}` is not its department and region", f"Write {name}.")
    if row["credit_code"] and not _CREDIT.fullmatch(row["credit_code"]):
        yield Problem(
            row.where, f"`{row['credit_code']}` is no credit code", "Write GB 32100's 18 characters, or leave it empty."
        )
