"""`casebus up`: a whole deployment, for good or to the end of what there is."""

from __future__ import annotations

import sys
from pathlib import Path

from sqlalchemy import func, select

from casebus.commands import output
from casebus.deployment import Deployment
from casebus.display import display
from casebus.stopping import stop_on_signals
from casebus.supervisor import Supervisor
from casebus.wiring import Wiring
from monitor import tables
from monitor.view import View

FAILED = 2  # exit code when a connector could not run


def run(folder: Path, *, leave: bool, as_json: bool) -> int:
    deployment = Deployment.load(folder)
    wiring = Wiring(deployment)
    wiring.check()
    failures: list[str] = []
    with display() as shown, Supervisor(wiring, shown) as supervisor:
        if leave:
            failures = supervisor.run_to_end()
        else:
            shown.phase(f"up; {address(wiring) or f'see it: casebus watch {folder}'}")
            stop = stop_on_signals()
            supervisor.run(stop.is_set)
    if leave:
        _sum_up(wiring, failures, as_json=as_json)
    return FAILED if failures else 0


def address(wiring: Wiring) -> str:
    """Where the page is; empty where there is none."""
    page = wiring.settings.page
    return f"http://{page.host}:{page.port}" if page.port is not None else ""


def _sum_up(wiring: Wiring, failures: list[str], *, as_json: bool) -> None:
    view = wiring.view()
    figures = totals(view)
    view.close()
    if as_json:
        output.as_json({**figures, "failures": failures})
        return
    parts = ", ".join(output.several(value, name.replace("_", " ").removesuffix("s")) for name, value in figures.items())
    sys.stdout.write(f"{wiring.settings.name}: {parts}.\n")
    sys.stderr.write("".join(f"casebus: {failure}\n" for failure in failures))


def totals(view: View) -> dict[str, int]:
    """Cases, events and dead letters of the whole view."""
    cases, events, letters = tables.cases, tables.events, tables.dead_letters
    counted = select(func.count()).select_from(cases).where(cases.c.opened, cases.c.forwards_to == "", ~cases.c.expired)
    queries = {
        "cases": counted,
        "events": select(func.count()).select_from(events),
        "dead_letters": select(func.count()).select_from(letters),
    }
    return {name: int(view.all(query)[0][0]) for name, query in queries.items()}
