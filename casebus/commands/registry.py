"""`casebus registry`: our schemas beside those that the registry of `kafka.registry` holds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bus.registry import HttpRegistry
from casebus.commands import output
from casebus.deployment import Deployment
from casebus.registration import LEVEL, Version, register, standing
from casebus.wiring import Wiring
from schemas.problem import Problem, ProblemsError

DIFFERS = 1
COLUMNS = ("subject", ">version", ">id", "compatibility", "")


def plan(folder: Path, *, as_json: bool) -> int:
    """1 where the registry lacks a version, or holds a subject to less than it should."""
    found = standing(_registry(folder))
    _print(found, as_json=as_json)
    return 0 if all(one.stands for one in found) else DIFFERS


def apply(folder: Path, *, as_json: bool) -> int:
    """Raises ConfigurationError naming what was refused."""
    registry = _registry(folder)
    before = standing(registry)
    register(registry)
    after = standing(registry)
    if as_json:
        _print(after, as_json=True)
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    sys.stderr.write(f"Done: {output.several(len(after), 'version')} in the registry, {changed:,} changed.\n")
    return 0


def _registry(folder: Path) -> HttpRegistry:
    wiring = Wiring(Deployment.load(folder))
    if wiring.registry is None:
        where = str(wiring.deployment.path(wiring.deployment.file))
        cure = "Write its address below kafka:, such as registry: http://host:8080/apis/ccompat/v7."
        raise ProblemsError(Problem(where, "no schema registry is named", cure))
    return wiring.registry


def _print(found: Sequence[Version], *, as_json: bool) -> None:
    if as_json:
        output.as_json([{**one._asdict(), "stands": one.stands} for one in found])
        return
    rows = [(one.subject, one.number, one.id, one.level, _said(one)) for one in found]
    output.console().print(output.table("", COLUMNS, rows))


def _said(one: Version) -> str:
    """What `apply` would do."""
    if one.refusal:
        return f"would be refused: {one.refusal}"
    if one.id is None:
        return "to register"
    return "" if one.stands else f"to hold to {LEVEL}"
