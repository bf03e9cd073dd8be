"""`casebus keys ...`: the keys that seal personal fields."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from casebus.options import Folder, Here, Json

app = typer.Typer(help="The keys that seal personal fields: destroy those of a case, change the master.", no_args_is_help=True)


@app.command("list")
def key_list(folder: Folder = Here, as_json: Json = False) -> None:
    """How many keys each master key wraps, and what was destroyed: when, by whom, why."""
    from casebus.commands import keys

    raise typer.Exit(keys.show(folder, as_json=as_json))


@app.command("destroy")
def destroy(  # noqa: PLR0913, PLR0917  a command has as many arguments as options
    number: Annotated[str, typer.Argument(help="The case number, with or without its namespace.")],
    folder: Folder = Here,
    why: Annotated[str, typer.Option("--why", help="For whoever looks at it later.")] = "",
    by: Annotated[str | None, typer.Option("--by", help="Who acts.", show_default="you")] = None,
    confirm: Annotated[str | None, typer.Option(help="The case number once more, where nobody can be asked.")] = None,
    as_json: Json = False,
) -> None:
    """Make the sealed personal fields of a case unreadable for ever, in every copy; the case itself stays."""
    from casebus.commands import keys

    asked = keys.Asked(number, by or getpass.getuser(), why, confirm)
    raise typer.Exit(keys.destroy(folder, asked, as_json=as_json))


@app.command("rewrap")
def rewrap(
    system: Annotated[str, typer.Argument(help="The connector whose cases are meant.")],
    old: Annotated[Path, typer.Option("--from", help="The file of the master key before.")],
    folder: Folder = Here,
    as_json: Json = False,
) -> None:
    """Wrap by the master key in casebus.yaml what the one before wraps; destroy that one then, and old copies open nothing."""
    from casebus.commands import keys

    raise typer.Exit(keys.rewrap(folder, system, old, as_json=as_json))
