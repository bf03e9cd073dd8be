"""Regions, departments, authorities and items as people call them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property

from monitor.web.words import Words, humanized
from schemas.directory import Authority, Region

_AUTHORITY = re.compile(r"[\w-]+@\w+", re.ASCII)


class Names:
    """`item_name` gives an item's name by its code; empty where it is not known."""

    def __init__(
        self, regions: Mapping[str, Region], authorities: Mapping[str, Authority], item_name: Callable[[str], str]
    ) -> None:
        self.regions = regions
        self._authorities = authorities
        self.item_name = item_name

    def region(self, code: str, words: Words) -> str:
        known = self.regions.get(code)
        return known.name if known else code or words("unknown")

    def department(self, code: str, words: Words) -> str:
        """In Chinese as the directory calls it, without its region; else the code in words."""
        return (self._departments.get(code) if words.language == "zh" else None) or _title(code) or words("unknown")

    def authority(self, code: str, words: Words) -> str:
        """In Chinese its own name; else department and region."""
        if not code:
            return words("unknown")
        known = self._authorities.get(code)
        if known and words.language == "zh":
            return known.name
        department, _, region = code.partition("@")
        return f"{_title(department)}, {self.region(region, words)}" if region else _title(code)

    def item(self, code: str, words: Words) -> str:
        return self.item_name(code) or code or words("unknown")

    def in_text(self, text: str, words: Words) -> str:
        """A sentence with its authorities by name."""
        return _AUTHORITY.sub(lambda found: self.authority(found[0], words), text)

    @property
    def departments(self) -> list[str]:
        """Codes of those that the directory has."""
        return sorted({one.department for one in self._authorities.values()})

    @cached_property
    def _departments(self) -> dict[str, str]:
        """The shortest of a department's names, each without the region before it."""
        found: dict[str, str] = {}
        for one in self._authorities.values():
            place = self.regions.get(one.region)
            name = one.name.removeprefix(place.name) if place else one.name
            if one.department not in found or len(name) < len(found[one.department]):
                found[one.department] = name
        return found


def _title(code: str) -> str:
    words = humanized(code)
    return words[:1].upper() + words[1:]
