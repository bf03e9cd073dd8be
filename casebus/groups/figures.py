"""`casebus figures ...`: figures about a span of time, an item, the hall, the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casebus.options import At, Folder, Here, Json, Known

app = typer.Typer(help="Figures about a span of time, an item, the hall, the catalogue.", no_args_is_help=True)

First = Annotated[str | None, typer.Option("--from", help="First day; else the first of the last day's month.")]
Last = Annotated[str | None, typer.Option("--to", help="Last day; else today.")]
ItemCode = Annotated[str, typer.Option("--item", help="Only this item.")]
RegionCode = Annotated[str, typer.Option("--region", help="Only this region and what lies in it.")]
Department = Annotated[str, typer.Option("--department", help="Only this department.")]


@app.command("service")
def service(  # noqa: PLR0913, PLR0917  a command's options
    folder: Folder = Here,
    first: First = None,
    last: Last = None,
    item: ItemCode = "",
    region: RegionCode = "",
    department: Department = "",
    known: Known = None,
    as_json: Json = False,
) -> None:
    """Limits and days used, on time, one visit, whose days they were; beside the period before."""
    from casebus.commands import figures

    asked = figures.Question(folder, first, last, item, region, department, known=known, as_json=as_json)
    raise typer.Exit(figures.service(asked))


@app.command("map")
def process(  # noqa: PLR0913, PLR0917  a command's options
    folder: Folder = Here,
    item: ItemCode = "",
    region: RegionCode = "",
    department: Department = "",
    at: At = None,
    known: Known = None,
    as_json: Json = False,
) -> None:
    """The process map: what follows what, how often, after how long."""
    from casebus.commands import figures

    asked = figures.Question(folder, None, None, item, region, department, at, known, as_json)
    raise typer.Exit(figures.process(asked))


@app.command("hall")
def hall(  # noqa: PLR0913, PLR0917  a command's options
    folder: Folder = Here,
    first: First = None,
    last: Last = None,
    region: RegionCode = "",
    department: Department = "",
    known: Known = None,
    as_json: Json = False,
) -> None:
    """Waiting in the service halls, and how much work each clerk had."""
    from casebus.commands import figures

    asked = figures.Question(folder, first, last, "", region, department, known=known, as_json=as_json)
    raise typer.Exit(figures.hall(asked))


@app.command("standard")
def standard(  # noqa: PLR0913, PLR0917  a command's options
    folder: Folder = Here,
    first: First = None,
    last: Last = None,
    item: ItemCode = "",
    known: Known = None,
    as_json: Json = False,
) -> None:
    """Where regions differ, item by item: limits, levels, papers; by the catalogue and by what cases state."""
    from casebus.commands import figures

    raise typer.Exit(figures.standard(figures.Question(folder, first, last, item, known=known, as_json=as_json)))


@app.command("catalogue")
def catalogue(folder: Folder = Here, first: First = None, last: Last = None, as_json: Json = False) -> None:
    """Items and powers slimmed, handed down or up between two days; without, over the last year."""
    from casebus.commands import figures

    raise typer.Exit(figures.catalogue(figures.Question(folder, first, last, as_json=as_json)))


@app.command("calendar")
def calendar(
    file: Annotated[Path, typer.Option("--calendar", help="An official file, as those that calendar.files names.")],
    folder: Folder = Here,
    instead: Annotated[str, typer.Option("--instead-of", help="The file of calendar.files whose place it takes.")] = "",
    as_json: Json = False,
) -> None:
    """Whose due dates another calendar moves: last day before and after, and by which days; nothing is changed."""
    from casebus.commands import duedates

    raise typer.Exit(duedates.calendar(folder, duedates.Other(file, instead), as_json=as_json))


@app.command("register")
def register(
    folder: Folder = Here,
    name: Annotated[str, typer.Option("--register", help="Which file of registers/; not needed where there is one.")] = "",
    at: At = None,
    known: Known = None,
    as_json: Json = False,
) -> None:
    """A register of cases that an office keeps, held against the bus: durations, deadlines, what either side lacks."""
    from casebus.commands import register as command

    raise typer.Exit(command.register(folder, command.Which(name, at, known), as_json=as_json))
