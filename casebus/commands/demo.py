"""`casebus demo`: a made-up city through the real pipeline, its figures beside the truth."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import ExitStack, closing
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from bus.errors import ConfigurationError
from casebus import demo_exports
from casebus.commands import look, output
from casebus.commands.page import free, some_port
from casebus.commands.user import made_up
from casebus.demo_check import Line, Report, check
from casebus.deployment import Deployment
from casebus.display import display
from casebus.stopping import stop_on_signals
from casebus.supervisor import Supervisor
from casebus.wiring import Wiring
from monitor.view import View

FOLDER = Path("casebus-demo")
LOGIN = "demo"  # who may see the demo's page
MARK = ".jichuan"  # a file that says: this folder is ours to make anew
COLOURS = {"red": "red", "yellow": "yellow", "green": "green", "none": "dim"}


def run(folder: Path | None, cases: int, seed: int, *, leave: bool, as_json: bool) -> int:
    began = time.monotonic()
    folder = (folder or FOLDER).absolute()
    truth = make(folder, cases, seed)
    wiring = Wiring(Deployment.load(folder))
    wiring.check()
    with ExitStack() as stack:
        shown = stack.enter_context(display())
        supervisor = stack.enter_context(Supervisor(wiring, shown))
        failures = supervisor.run_to_end()
        shown.phase("comparing with the truth")
        view = stack.enter_context(closing(wiring.view()))
        report = check(wiring, view, supervisor.client, truth)
        shown.end()
        _tell(report, failures, truth["events"], time.monotonic() - began, as_json=as_json)
        if not leave:
            _stay(wiring, view, supervisor)
    return 2 if failures else 0 if report.right else 1


def _tell(report: Report, failures: list[str], events: int, seconds: float, *, as_json: bool) -> None:
    if as_json:
        output.as_json({**report.to_json(), "events": events, "seconds": round(seconds, 1), "failures": failures})
        return
    output.console().print(summary(report, events, seconds))
    sys.stderr.write("".join(f"casebus: {failure}\n" for failure in failures))


def _stay(wiring: Wiring, view: View, supervisor: Supervisor) -> None:
    """The city stays up, its services at work, its page open to one made-up supervisor; until Ctrl+C."""
    port = _port(wiring)
    supervisor.begin(port)
    sys.stderr.write(_welcome(wiring, port))
    if sys.stdout.isatty():
        sys.stdout.write("It stays up. Enter shows it live here too; Ctrl+C ends it.\n")
        sys.stdin.readline()
        look.stay(wiring, view, supervisor.tend)
    else:
        sys.stderr.write(f"It stays up: casebus watch {wiring.deployment.folder}. Ctrl+C ends it.\n")
        stop = stop_on_signals()
        while not stop.wait(0.2):
            supervisor.tend()


def _port(wiring: Wiring) -> int:
    """The deployment's, or any other that is free: a demo must not fail for somebody else's server."""
    page = wiring.settings.page
    return page.port if page.port is not None and free(page.host, page.port) else some_port(page.host)


def _welcome(wiring: Wiring, port: int) -> str:
    with closing(wiring.accounts) as accounts:
        password = made_up(accounts, LOGIN)
    return f"Open http://{wiring.settings.page.host}:{port} and sign in as {LOGIN} with {password}\n"


def make(folder: Path, cases: int, seed: int) -> dict[str, Any]:
    """The deployment and its exports, made anew; a folder of somebody else's is left alone."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ConfigurationError(f"{folder} holds something else. Name another folder: casebus demo --dir FOLDER.")
    shutil.rmtree(folder, ignore_errors=True)
    with as_file(files("casebus") / "templates" / "demo") as template:
        shutil.copytree(template, folder)
    (folder / MARK).write_text("Made by `casebus demo`, which makes it anew each time.\n", encoding="utf-8")
    return demo_exports.write(folder / "exports", cases, seed)


def summary(report: Report, events: int, seconds: float) -> Group:
    """All figures, each with its mark; the lights; the verdict."""
    rows = [(line.group, line.name, line.found, line.truth, mark(line)) for line in report.lines]
    figures = output.table("Jichuan, a made-up city: the bus beside the truth", ("", "", ">bus", ">truth", ""), _grouped(rows))
    return Group(figures, "", lights(report), verdict(report, events, seconds))


def _grouped(rows: list[tuple[str, str, int, int, str]]) -> list[tuple[str, str, int, int, str]]:
    """The group's name only where it begins."""
    return [("" if number and rows[number - 1][0] == row[0] else row[0], *row[1:]) for number, row in enumerate(rows)]


def mark(line: Line) -> str:
    return "[green]✓[/]" if line.right else "[bold red]✗[/]"


def lights(report: Report) -> Text:
    text = Text("Lights  ")
    for light in ("red", "yellow", "green", "none"):
        text.append(f"● {report.lights.get(light, 0):,} {light}   ", style=COLOURS[light])
    return text


def verdict(report: Report, events: int, seconds: float) -> Panel:
    wrong = sorted({one.case for one in report.wrong})
    right = report.cases - len(wrong)
    said = (
        f"{right:,} of {report.cases:,} cases equal their truth in phase, outcome, clock and due date; "
        f"{events:,} events; {seconds:.0f} s."
    )
    more = "".join(f"\n{one.case}: {one.field} is {one.found}, the truth is {one.truth}" for one in report.wrong[:10])
    return Panel(said + more, border_style="green" if report.right else "red", expand=False)
