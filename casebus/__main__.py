"""The command `casebus`. Each subcommand imports what it needs when it runs, so that help comes at once.

Exit codes: 0 good; 1 differences or findings in the data; 2 a fault in usage, settings or surroundings, said in a
sentence; 70 a fault of ours; 75 nobody need act, it can be tried again.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from casebus.commands.connector import app as connector_app
from casebus.groups import acl, backup, deadletters, deliveries, evidence, figures, fleet, keys, registry, user
from casebus.options import At, Folder, Health, Here, Json, Known

app = typer.Typer(
    name="casebus",
    help="Approval cases of separate departments on one bus, under one supervision.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
case_app = typer.Typer(help="Look at one case.", no_args_is_help=True)
app.add_typer(case_app, name="case")
app.add_typer(user.app, name="user")
app.add_typer(acl.app, name="acl")
app.add_typer(registry.app, name="registry")
app.add_typer(evidence.app, name="evidence")
app.add_typer(keys.app, name="keys")
app.add_typer(deadletters.app, name="deadletters")
app.add_typer(deliveries.app, name="deliveries")
catalogue_app = typer.Typer(help="The items of a deployment.", no_args_is_help=True)
app.add_typer(catalogue_app, name="catalogue")
fleet.add(connector_app)
app.add_typer(connector_app, name="connector")
app.add_typer(figures.app, name="figures")

SURROUNDINGS = 2  # a file or folder that somebody must mend
UNFORESEEN = 70  # sysexits.h EX_SOFTWARE: a fault of ours
AGAIN = 75  # sysexits.h EX_TEMPFAIL: a supervisor starts it again


@app.command()
def demo(
    cases: Annotated[int, typer.Option(min=1, help="How many cases the made-up city has.")] = 500,
    seed: Annotated[int, typer.Option(help="Another seed, another city.")] = 7,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where to write it.", show_default="./casebus-demo")] = None,
    leave: Annotated[bool, typer.Option("--exit", help="Stop when all is done instead of staying up.")] = False,
    as_json: Json = False,
) -> None:
    """Make up a city, run its exports through the real pipeline, and hold the figures against the truth."""
    from casebus.commands.demo import run

    raise typer.Exit(run(folder, cases, seed, leave=leave or as_json, as_json=as_json))


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="The new deployment's folder.")]) -> None:
    """Write a deployment's folder to start from: settings, directory, an item, a connector with samples, a calendar."""
    from casebus.commands.init import run

    raise typer.Exit(run(folder))


@app.command()
def check(
    folder: Folder = Here,
    sources: Annotated[bool, typer.Option("--sources", help="Open the departments' systems too and read a row of each.")] = False,
    as_json: Json = False,
) -> None:
    """Check all files of a deployment: file, line, what was found, what to write instead."""
    from casebus.commands.check import run

    raise typer.Exit(run(folder, sources=sources, as_json=as_json))


@app.command()
def up(
    folder: Folder = Here,
    leave: Annotated[bool, typer.Option("--exit", help="Process what there is, then stop.")] = False,
    as_json: Json = False,
) -> None:
    """Run the whole deployment: broker, connectors, router, monitor."""
    from casebus.commands.up import run

    raise typer.Exit(run(folder, leave=leave, as_json=as_json))


@app.command()
def broker(folder: Folder = Here) -> None:
    """Run the embedded Kafka of a deployment until stopped."""
    from casebus.commands import services

    raise typer.Exit(services.broker(folder))


@app.command()
def connect(
    folder: Folder = Here,
    only: Annotated[list[str] | None, typer.Option(help="Only these connectors; may repeat.")] = None,
    leave: Annotated[bool, typer.Option("--exit", help="Stop at the end of what there is.")] = False,
    health: Health = None,
) -> None:
    """Run the connectors: read the departments' systems, publish events."""
    from casebus.commands import services

    raise typer.Exit(services.connect(folder, tuple(only or ()), leave=leave, at=health))


@app.command()
def route(
    folder: Folder = Here,
    member: Annotated[int, typer.Option(min=0, help="This worker's number, when several run.")] = 0,
    health: Health = None,
) -> None:
    """Run a router: fold events into cases, decide, hand over."""
    from casebus.commands import services

    raise typer.Exit(services.route(folder, member, health))


@app.command()
def deliver(
    folder: Folder = Here,
    member: Annotated[int, typer.Option(min=0, max=1, help="This worker's number, when two run.")] = 0,
    leave: Annotated[bool, typer.Option("--exit", help="Stop when all that was decided is delivered.")] = False,
    health: Health = None,
) -> None:
    """Run the deliveries: bring handed-over cases to their receivers."""
    from casebus.commands import services

    raise typer.Exit(services.deliver(folder, member, leave=leave, at=health))


@app.command()
def monitor(
    folder: Folder = Here,
    until: Annotated[str | None, typer.Option(help="Stop after this run's end-of-input markers.", hidden=True)] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build the view anew beside the live one, switch, and end.")] = False,
    health: Health = None,
) -> None:
    """Run the monitor: journal to tables, clocks, lights, alerts."""
    from casebus.commands import services

    raise typer.Exit(services.rebuild(folder) if rebuild else services.monitor(folder, until, health))


@app.command()
def page(
    folder: Folder = Here,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Instead of casebus.yaml's page.port.")] = None,
) -> None:
    """Serve the supervisors' page and its API."""
    from casebus.commands.page import run

    raise typer.Exit(run(folder, port))


@app.command()
def watch(
    folder: Folder = Here,
    once: Annotated[bool, typer.Option("--once", help="One look instead of a live one.")] = False,
    as_json: Json = False,
) -> None:
    """Lights by department, the newest moves, the worst cases: live."""
    from casebus.commands import look

    raise typer.Exit(look.watch(folder, once=once or as_json, as_json=as_json))


@app.command()
def stats(folder: Folder = Here, at: At = None, known: Known = None, as_json: Json = False) -> None:
    """Statistics, at any moment, from what was known at any moment."""
    from casebus.commands import look

    raise typer.Exit(look.stats(folder, at, known, as_json=as_json))


@app.command()
def export(
    to: Annotated[Path, typer.Option("--to", help="The file; its ending says the format: .xes, .csv, .xlsx.")],
    folder: Folder = Here,
    clear: Annotated[bool, typer.Option("--clear", help="Write people's names, not pseudonyms.")] = False,
) -> None:
    """Write the event log to a file, for process miners and spreadsheets."""
    from casebus.commands import look

    raise typer.Exit(look.export(folder, to, clear=clear))


@case_app.command("show")
def case_show(
    number: Annotated[str, typer.Argument(help="The case number, with or without its namespace.")],
    folder: Folder = Here,
    at: At = None,
    as_json: Json = False,
) -> None:
    """One case: what happened, its clock day by day, what was found."""
    from casebus.commands import look

    raise typer.Exit(look.case(folder, number, at, as_json=as_json))


@app.command()
def audit(folder: Folder = Here, as_json: Json = False) -> None:
    """Hold sources, bus, journal and view against each other, case by case; 1 on any difference."""
    from casebus.commands import look

    raise typer.Exit(look.audit(folder, as_json=as_json))


@app.command()
def simulate(  # noqa: PLR0913, PLR0917  one parameter an option
    folder: Folder = Here,
    since: Annotated[str, typer.Option("--from", help="Cases applied for since this moment (ISO 8601).")] = "1970-01-01",
    catalogue: Annotated[Path | None, typer.Option(help="A changed copy of the catalogue's folder.")] = None,
    calendar: Annotated[Path | None, typer.Option(help="An official notice to add: a calendar's file.")] = None,
    rules: Annotated[Path | None, typer.Option(help="Other rules: a file written as section `rules:` of casebus.yaml.")] = None,
    as_json: Json = False,
) -> None:
    """What if: recorded cases under other items, days or rules, by department and item. Publishes nothing."""
    from casebus.commands.simulate import Asked, run

    raise typer.Exit(run(folder, Asked(since, catalogue, calendar, rules), as_json=as_json))


@catalogue_app.command("migrate")
def catalogue_migrate(
    folder: Folder = Here,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Json = False,
) -> None:
    """Open cases that hold an older version of their item, and what the newest one changes."""
    from casebus.commands.catalogue import migrate

    raise typer.Exit(migrate(folder, dry_run=dry_run, as_json=as_json))


@app.command()
def doctor(folder: Folder = Here, as_json: Json = False) -> None:
    """Look for the usual mistakes in machine, files, database and Kafka; each finding with its cure."""
    from casebus.commands.doctor import run

    raise typer.Exit(run(folder, as_json=as_json))


backup.add(app)


def command() -> object:
    """The command tree, for help, documentation and tests."""
    return typer.main.get_command(app)


def main() -> None:
    """Entry point. A fault is a sentence on standard error and an exit code, never a traceback."""
    if os.environ.get("CASEBUS_SUPERVISED"):
        from casebus.crew import follow_parent

        follow_parent()
    from bus.errors import BusError, RetryError, StuckError
    from casebus.stopping import leave_on_term
    from schemas.problem import ProblemsError

    leave_on_term()
    try:
        app()
    except (RetryError, StuckError) as error:
        leave_with(f"{error} It can be tried again.", AGAIN)
    except ProblemsError as error:
        leave_with("\n".join(str(problem) for problem in error.problems))
    except BusError as error:
        leave_with(str(error))
    except KeyboardInterrupt:
        leave_with("Stopped.", 130)
    except Exception as error:
        if os.environ.get("CASEBUS_SUPERVISED"):
            raise  # the traceback belongs in the log, and the crew starts the process again
        leave_with(unforeseen(error), SURROUNDINGS if getattr(error, "filename", None) else UNFORESEEN)


def unforeseen(error: Exception) -> str:
    """A sentence for what nobody thought of; with CASEBUS_TRACEBACK set, the traceback before it."""
    if os.environ.get("CASEBUS_TRACEBACK"):
        traceback.print_exception(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'The system'}: {error.strerror or error}. Mend that, then start again."
    name = type(error).__name__
    return f"This should not have happened ({name}: {error}). Run it again with CASEBUS_TRACEBACK=1 and report what it prints."


def leave_with(sentence: str, code: int = 2) -> None:
    for line in sentence.splitlines():
        sys.stderr.write(f"casebus: {line}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
