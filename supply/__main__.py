"""Audit what is locked: hashes, licences, known vulnerabilities. Ends with 1 where anything is wrong.

Where no advisory service can be reached it says so and ends with 0: hashes and licences hold, vulnerabilities were not looked at.
With --require, or CASEBUS_AUDIT=require, that ends with 75: so it belongs into a CI that reaches OSV.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bus import jars
from schemas.problem import Problem, ProblemsError
from supply import advisories, licences
from supply.locked import Lock, of_jars

_ROOT = Path(__file__).parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    lock = Lock(asked.lock)
    try:
        problems = [*lock.faults(), *_licences(lock)]
        silent = _advisories(lock, asked.service, problems)
    except ProblemsError as error:
        problems, silent = [*error.problems], ""
    for problem in problems:
        print(problem)
    if silent:
        print(f"NOT AUDITED for vulnerabilities: {silent}")
    if problems:
        return 1
    return 75 if silent and asked.require else 0


def _licences(lock: Lock) -> Iterator[Problem]:
    known = licences.table()
    packages = {name: licences.of_package(name) for name in lock.shipped()}
    yield from licences.faults(packages, known.packages, known.allowed)
    locked = [":".join(jar.coordinates[:2]) for jar in jars.locked()]
    here = dict(zip(locked, map(licences.of_jar, jars.fetch()), strict=True))
    yield from licences.faults(here, known.jars, known.allowed)
    print(f"licences: {len(packages)} packages and {len(here)} jars that a user gets; hashes: {len(lock.parts())} packages")


def locks() -> list[Path]:
    """Every lock of jars: what a user gets, and what benches and tests run beside it."""
    return sorted(file for pattern in ("*/*.lock", "tests/*/*.lock") for file in _ROOT.glob(pattern) if file.stem != ".lock")


def _advisories(lock: Lock, service: str, problems: list[Problem]) -> str:
    """Adds to the problems. What is to be told where nobody answers."""
    parts = {*lock.parts(), *(part for file in locks() for part in of_jars(jars.locked(file)))}
    try:
        found = advisories.known(sorted(parts), service)
    except advisories.ServiceError as error:
        return str(error)
    problems += advisories.faults(found, advisories.accepted(), datetime.now(UTC).date())
    print(f"vulnerabilities: {len(parts)} packages and jars asked of {service}, {len(found)} found")
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -P -m supply", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    service = os.environ.get("CASEBUS_OSV") or advisories.SERVICE
    parser.add_argument("--service", default=service, help="who speaks OSV's API: a mirror of your own (CASEBUS_OSV)")
    required = os.environ.get("CASEBUS_AUDIT") == "require"
    parser.add_argument("--require", action="store_true", default=required, help="fail where nobody answers")
    parser.add_argument("--lock", type=Path, default=_ROOT / "uv.lock", help="another uv.lock")
    return parser


if __name__ == "__main__":
    sys.exit(main())
