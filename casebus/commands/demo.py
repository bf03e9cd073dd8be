"""`casebus demo`: a made-up city through the real pipeline, its figures beside the truth."""

from __future__ import annotations

import shutil
import sys
import time
from importlib.resources import as_file, files
from pathlib import Path

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from bus.errors import ConfigurationError
from casebus import demo_exports
from casebus.commands import output
from casebus.demo_check import Line, Report, check
from casebus.deployment import Deployment
from casebus.display import display
from casebus.supervisor import Supervisor
from casebus.wiring import Wiring

FOLDER = Path("casebus-demo")
MARK = ".jichuan"  # a file that says: this folder is ours to make anew
COLOURS = {"red": "red", "yellow": "yellow", "green": "green", "none": "dim"}


def run(folder: Path | None, cases: int, seed: int, *, leave: bool, as_json: bool) -> int:
    began = time.monotonic()
    folder = (folder or FOLDER).absolute()
    truth = make(folder, cases, seed)
    wiring = Wiring(Deployment.load(folder))
    wiring.check()
    with display() as shown, Supervisor(wiring, shown) as supervisor:
        failures = supervisor.run_to_end()
        shown.phase("comparing with the truth")
        view = wiring.view()
        report = check(wiring, view, supervisor.client, truth)
        view.close()
    seconds = time.monotonic() - began
    if as_json:
        output.as_json({**report.to_json(), "events": truth["events"], "seconds": round(seconds, 1), "failures": failures})
    else:
        output.console().print(summary(report, truth["events"], seconds))
        sys.stderr.write("".join(f"casebus: {failure}\n" for failure in failures))
    if not leave:
        _stay(folder)
    return 2 if failures else 0 if report.right else 1


def make(folder: Path, cases: int, seed: int) -> dict[str, object]:
    """The deployment and its exports, made anew; a folder of somebody else's is left alone."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ConfigurationError(f"{folder} holds something else. Name another folder: casebus demo --dir FOLDER.")
    shutil.rmtree(folder, ignore_errors=True)
    with as_file(files("casebus") / "templates" / "demo") as template:
        shutil.copytree(template, folder)
    (folder / MARK).write_text("Made by `casebus demo`, which makes it anew each time.\n", encoding="utf-8")
    return demo_exports.write(folder / "exports", cases, seed)


def _stay(folder: Path) -> None:
    """The city stays up: its lights, live."""
    from casebus.commands import look

    look.stay(folder)


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
