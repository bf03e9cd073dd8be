"""`casebus check`: every file of a deployment, every fault with file, line and what to write instead."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from bus.errors import BusError
from casebus.commands.output import as_json as print_json
from casebus.commands.output import several
from casebus.deployment import Deployment
from casebus.registers import Register
from casebus.wiring import Wiring
from connectors import headings
from connectors.config import Connector
from schemas.problem import Problem, ProblemsError


def run(folder: Path, *, sources: bool, as_json: bool) -> int:
    """With `sources` every department's system is opened too: a missing file, table or column shows before the first run."""
    try:
        deployment = Deployment.load(folder)
    except ProblemsError as error:
        return _tell(list(error.problems), None, as_json=as_json)
    wiring = Wiring(deployment)
    problems = wiring.problems()
    if sources and not problems:
        problems = [found for connector in wiring.connectors for found in _opened(connector, folder)]
        problems += [found for register in wiring.registers.values() for found in _readable(register)]
    return _tell(problems, wiring, as_json=as_json)


def _opened(connector: Connector, folder: Path) -> list[Problem]:
    """What is wrong with a system that is looked at; nothing is published, no position moves."""
    if connector.standing or connector.inside:
        return []
    try:
        return headings.missing(connector) or _first_row(connector)
    except BusError as error:
        return [_said(error, str(connector.path.relative_to(folder.resolve())))]


def _readable(register: Register) -> list[Problem]:
    """What is wrong with a register that is looked at: its first row is read."""
    try:
        register.look()
    except BusError as error:
        return [_said(error, register.where)]
    return []


def _said(error: BusError, where: str) -> Problem:
    found, _, instead = str(error).removeprefix(f"{where}: ").rpartition(". ")
    return Problem(where, found or instead, instead if found else "See what the system's own log says.")


def _first_row(connector: Connector) -> list[Problem]:
    """Raises BusError where it cannot be had."""
    with closing(connector.open()) as source:
        next(iter(source.fetch(None, 1)), None)
    return []


def _tell(problems: list[Problem], wiring: Wiring | None, *, as_json: bool) -> int:
    if as_json:
        calls = {one.name: one.functions for one in wiring.connectors if one.functions} if wiring and not problems else {}
        print_json({"good": not problems, "problems": [problem._asdict() for problem in problems], "functions": calls})
    elif problems:
        sys.stderr.write("".join(f"{problem}\n" for problem in problems))
        sys.stderr.write(f"{len(problems)} to mend.\n")
    elif wiring:
        parts = (
            several(len(wiring.connectors), "connector"),
            several(len(wiring.catalogue), "item"),
            several(len(wiring.directory.authorities), "authority", "authorities"),
        )
        sys.stdout.write(f"{wiring.settings.name}: {', '.join(parts)}. Nothing to mend.\n")
        for connector in wiring.connectors:
            if connector.functions:
                sys.stdout.write(f"{connector.name} calls Python: {', '.join(connector.functions)}\n")
    return 2 if problems else 0
