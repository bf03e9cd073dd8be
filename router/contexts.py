"""What the rules may know besides the case: looked up in the catalogue and the directory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from router.decide import Context, Place
from router.effect import local_date
from schemas.case import Case
from schemas.catalogue import Catalogue, Item
from schemas.conditions import condition
from schemas.directory import Directory, Level
from schemas.words import Form

#: Combinations of item, day, region and lead that are remembered.
_CACHED = 4096


class Contexts:
    """`zone` is the deployment's: an item's version holds on local dates. `last`: judge by the last version in any case."""

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        directory: Directory | None = None,
        zone: str = "Asia/Shanghai",
        *,
        last: bool = False,
    ) -> None:
        self._last = last
        self._catalogue = catalogue
        self._directory = directory
        self._zone = zone
        self._nothing = Context(directory=directory)
        self._found = lru_cache(maxsize=_CACHED)(self._context)

    def __call__(self, case: Case) -> Context:
        """Without an item in the catalogue, the rules that need none still work."""
        if self._catalogue is None or case.applied_at is None or not case.item:
            return self._nothing
        on = date.max if self._last else local_date(case.applied_at, self._zone)
        return self._found(case.item, "" if self._last else case.item_version, on, case.region, case.authority)

    def foreign(self, code: str | None) -> bool:
        """Whether an item is none of the catalogue's. A deployment without a catalogue takes every item."""
        return bool(code) and bool(known := self._catalogue or ()) and code not in known

    def _context(self, code: str, version: str, on: date, region: str, lead: str) -> Context:
        item = self._catalogue.item(code, version or None, on, region) if self._catalogue else None
        if item is None:
            return self._nothing
        return Context(
            tuple(self._assisting(item, lead, region)),
            tuple(self._places(item, lead, region)),
            self._directory,
            item.version,
            item.form is Form.PRECEDING_JOINT,
            tuple((step.name, condition(step.when)) for step in item.steps if step.when is not None),
        )

    def _assisting(self, item: Item, lead: str, region: str) -> list[tuple[str, str]]:
        """The assisting departments in the lead's own region, or where the case's region has them."""
        place = lead.partition("@")[2]
        return [(department, self._resolved(department, place, region)) for department in item.assisting]

    def _places(self, item: Item, lead: str, region: str) -> Iterator[Place]:
        """Steps at other authorities, each with its condition."""
        directory = self._directory
        level = directory.level(lead) if directory else None
        for step in item.steps:
            who = directory.resolve(step.by, region) if directory else None
            if who and level and who != lead:
                when = condition(step.when) if step.when is not None else None
                yield Place(step.name, who, _toward(level, directory.level(who) if directory else None), step.after, when)

    def _resolved(self, department: str, place: str, region: str) -> str:
        beside = f"{department}@{place}"
        if self._directory is None or beside in self._directory.authorities:
            return beside
        levels = (place.level.name.lower() for place in self._directory.path(region))
        found = (self._directory.resolve(f"{department}@{level}", region) for level in levels)
        return next((name for name in found if name), beside)


def _toward(lead: Level, other: Level | None) -> str:
    """A smaller level is above."""
    if other is None or other == lead:
        return "across"
    return "up" if other < lead else "down"
