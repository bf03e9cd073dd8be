"""What `uv.lock` and `bus/jars.lock` hold: every package and jar, which of them a user gets, and whether each has its hash."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bus.jars import Jar
from schemas.problem import Problem

PRODUCT = "casebus"


class Part(NamedTuple):
    """One version of one thing that somebody else made. `ecosystem` is OSV's name: PyPI or Maven."""

    ecosystem: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Lock:
    """`uv.lock`, read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        found: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["package"]
        self._product = next(one for one in found if one["name"] == PRODUCT)
        self._others = [one for one in found if one["name"] != PRODUCT]

    def parts(self) -> list[Part]:
        """Everything, what only developers need too. A package stands here once for each of its versions."""
        return [Part("PyPI", one["name"], one["version"]) for one in self._others]

    def shipped(self) -> set[str]:
        """Names of what comes with the product and its extras, on any platform."""
        extras = self._product.get("optional-dependencies", {}).values()
        waiting = [*self._product["dependencies"], *(one for extra in extras for one in extra)]
        seen: set[tuple[str, str]] = set()
        while waiting:
            asked = waiting.pop()
            for extra in ("", *asked.get("extra", ())):
                if (asked["name"], extra) not in seen:
                    seen.add((asked["name"], extra))
                    waiting += self._needed(asked["name"], extra)
        return {name for name, _ in seen}

    def _needed(self, name: str, extra: str) -> Iterator[dict[str, Any]]:
        for one in self._others:
            if one["name"] == name:
                yield from one.get("optional-dependencies", {}).get(extra, ()) if extra else one.get("dependencies", ())

    def faults(self) -> Iterator[Problem]:
        """Of what does not come from a registry with a hash for each file: nobody could tell that it is the same tomorrow."""
        for one in self._others:
            if "registry" not in one["source"]:
                yield self._fault(one, f"comes from {next(iter(one['source']))}", "Take a release from the registry.")
            files = [*one.get("wheels", ()), *([one["sdist"]] if "sdist" in one else ())]
            if not files or not all(file.get("hash", "").startswith("sha256:") for file in files):
                yield self._fault(one, "has a file without a SHA-256", "Lock it anew: uv lock.")

    def _fault(self, one: dict[str, Any], found: str, instead: str) -> Problem:
        return Problem(f"{self.path.name}, {one['name']} {one['version']}", found, instead)


def of_jars(jars: list[Jar]) -> list[Part]:
    return [Part("Maven", f"{group}:{artifact}", version) for group, artifact, version in (jar.coordinates for jar in jars)]
