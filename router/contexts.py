"""What the rules may know besides the case: looked up in the catalogue and the directory."""

from __future__ import annotations

from router.decide import Context
from router.effect import local_date
from schemas.case import Case
from schemas.catalogue import Catalogue, Item
from schemas.directory import Directory


class Contexts:
    """`zone` is the deployment's: an item's version holds on local dates."""

    def __init__(
        self, catalogue: Catalogue | None = None, directory: Directory | None = None, zone: str = "Asia/Shanghai"
    ) -> None:
        self._catalogue = catalogue
        self._directory = directory
        self._zone = zone

    def __call__(self, case: Case) -> Context:
        """Without an item in the catalogue, the rules that need none still work."""
        item = self._item(case)
        return Context(tuple(self._assisting(case, item)) if item else (), self._directory)

    def _item(self, case: Case) -> Item | None:
        if self._catalogue is None or case.applied_at is None or not case.item:
            return None
        on = local_date(case.applied_at, self._zone)
        return self._catalogue.item(case.item, case.item_version or None, on, case.region)

    def _assisting(self, case: Case, item: Item) -> list[tuple[str, str]]:
        """The assisting departments at the lead's own level, in the case's region."""
        place = case.authority.partition("@")[2]
        return [(department, self._resolved(department, place, case.region)) for department in item.assisting]

    def _resolved(self, department: str, place: str, region: str) -> str:
        beside = f"{department}@{place}"
        if self._directory is None or beside in self._directory.authorities:
            return beside
        levels = (place.level.name.lower() for place in self._directory.path(region))
        found = (self._directory.resolve(f"{department}@{level}", region) for level in levels)
        return next((name for name in found if name), beside)
