"""`casebus check`: every file of a deployment, every fault with file, line and what to write instead."""

from __future__ import annotations

import sys
from pathlib import Path

from casebus.commands.output import as_json as print_json
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from schemas.problem import Problem, ProblemsError


def run(folder: Path, *, as_json: bool) -> int:
    try:
        deployment = Deployment.load(folder)
    except ProblemsError as error:
        return _tell(list(error.problems), None, as_json=as_json)
    wiring = Wiring(deployment)
    return _tell(wiring.problems(), wiring, as_json=as_json)


def _tell(problems: list[Problem], wiring: Wiring | None, *, as_json: bool) -> int:
    if as_json:
        print_json({"good": not problems, "problems": [problem._asdict() for problem in problems]})
    elif problems:
        sys.stderr.write("".join(f"{problem}\n" for problem in problems))
        sys.stderr.write(f"{len(problems)} to mend.\n")
    elif wiring:
        parts = (
            f"{len(wiring.connectors)} connectors, {len(wiring.catalogue)} items, {len(wiring.directory.authorities)} authorities"
        )
        sys.stdout.write(f"{wiring.settings.name}: {parts}. Nothing to mend.\n")
    return 2 if problems else 0
