"""Known vulnerabilities of what is locked, asked of OSV (osv.dev), which holds those of PyPI and of Maven.

A service that knows nothing looks like a clean audit: mirrors of a registry often answer "none" for everything. So each
call asks for two versions too that are known to be vulnerable, and who does not know these is not believed.
"""

from __future__ import annotations

import json
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from schemas.problem import Problem, ProblemsError
from supply.locked import Part

SERVICE = "https://api.osv.dev"
ACCEPTED = Path(__file__).with_name("accepted.toml")
#: Log4Shell, and a sandbox that was left through `format_map`.
CANARIES = (Part("Maven", "org.apache.logging.log4j:log4j-core", "2.14.1"), Part("PyPI", "jinja2", "2.10"))
_AT_ONCE = 1000  # queries, as OSV allows
_TIMEOUT = 30  # seconds


class ServiceError(Exception):
    """Nobody answered, or somebody whose answer proves nothing. What is locked was not audited."""


class Known(NamedTuple):
    """One vulnerability of one part, by OSV's id."""

    part: Part
    id: str


class Accepted(NamedTuple):
    """A vulnerability that somebody looked at: why it does no harm here, and until when that holds."""

    id: str
    package: str
    why: str
    until: date


def known(parts: Sequence[Part], service: str = SERVICE) -> list[Known]:
    """The vulnerabilities of these parts. Raises ServiceError."""
    asked = [*CANARIES, *parts]
    found: list[Known] = []
    for start in range(0, len(asked), _AT_ONCE):
        found += _batch(asked[start : start + _AT_ONCE], service)
    if unknown := set(CANARIES) - {one.part for one in found}:
        names = ", ".join(sorted(map(str, unknown)))
        raise ServiceError(f"{service} knows no vulnerability of {names}, which have some: its answer proves nothing.")
    return [one for one in found if one.part not in CANARIES]


def _batch(parts: Sequence[Part], service: str) -> Iterator[Known]:
    queries = [{"package": {"ecosystem": one.ecosystem, "name": one.name}, "version": one.version} for one in parts]
    results = _posted(f"{service}/v1/querybatch", {"queries": queries}).get("results")
    if not isinstance(results, list) or len(results) != len(parts):
        raise ServiceError(f"{service} did not answer each question: it is no OSV.")
    for part, result in zip(parts, results, strict=True):
        for one in (result or {}).get("vulns") or ():
            yield Known(part, str(one["id"]))


def _posted(url: str, value: Mapping[str, Any]) -> dict[str, Any]:
    if not url.startswith(("https://", "http://")):
        raise ServiceError(f"{url} is no address of a service: write https://...")
    request = urllib.request.Request(url, json.dumps(value).encode(), {"Content-Type": "application/json"})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 - checked above
            read = json.load(answer)
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise ServiceError(f"{url} does not answer ({reason}).") from error
    if not isinstance(read, dict):
        raise ServiceError(f"{url} answers no object: it is no OSV.")
    return read


def accepted(path: Path = ACCEPTED) -> list[Accepted]:
    """What was looked at and is borne for a time. Raises ProblemsError."""
    found = tomllib.loads(path.read_text("utf-8")).get("accepted", [])
    try:
        return [Accepted(**one) for one in found]
    except TypeError as error:
        wrong = Problem(path.name, f"an entry is not complete ({error})", "Write id, package, why, until.")
        raise ProblemsError(wrong) from error


def faults(there: Sequence[Known], borne: Sequence[Accepted], today: date) -> Iterator[Problem]:
    """Of each vulnerability that nobody bears today, and of each that is borne for nothing."""
    by = {(one.id, one.package): one for one in borne}
    for one in there:
        bears = by.get((one.id, one.part.name))
        if bears is None or bears.until < today:
            past = f", which was borne until {bears.until}" if bears else ""
            found = f"{one.id}{past}: https://osv.dev/vulnerability/{one.id}"
            yield Problem(str(one.part), found, "Lock a version without it, or say in accepted.toml why not.")
    names = {(one.id, one.part.name) for one in there}
    for bears in borne:
        if (bears.id, bears.package) not in names:
            yield Problem(ACCEPTED.name, f"{bears.id} of {bears.package} is no longer there", "Remove the entry.")
