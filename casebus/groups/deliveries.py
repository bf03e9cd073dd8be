"""`casebus deliveries ...`: handed-over cases on their way to their receivers."""

from __future__ import annotations

from typing import Annotated

import typer

from casebus.options import Folder, Here, Json

app = typer.Typer(help="Handed-over cases that their receivers have not taken yet.", no_args_is_help=True)


@app.command("list")
def show_all(folder: Folder = Here, as_json: Json = False) -> None:
    """Those that wait: how often they were tried, when they are tried next, why they are not there."""
    from casebus.commands import deliveries

    raise typer.Exit(deliveries.show_all(folder, as_json=as_json))


@app.command("retry")
def retry(
    folder: Folder = Here,
    only: Annotated[list[str] | None, typer.Option("--id", help="Only this delivery; may repeat.")] = None,
) -> None:
    """Have them tried now, once: their receiver has been repaired."""
    from casebus.commands import deliveries

    raise typer.Exit(deliveries.retry(folder, list(only or ())))
