"""`casebus registry ...`: our schemas in a schema registry."""

from __future__ import annotations

import typer

from casebus.options import Folder, Here, Json

app = typer.Typer(help="Our schemas in the schema registry of kafka.registry.", no_args_is_help=True)


@app.command("plan")
def plan(folder: Folder = Here, as_json: Json = False) -> None:
    """Which of our schemas the registry has, and which it would refuse and why; 1 where `apply` would change anything."""
    from casebus.commands import registry

    raise typer.Exit(registry.plan(folder, as_json=as_json))


@app.command("apply")
def apply(folder: Folder = Here, as_json: Json = False) -> None:
    """Register every version of our schemas that is missing, and hold each to full compatibility; twice changes nothing."""
    from casebus.commands import registry

    raise typer.Exit(registry.apply(folder, as_json=as_json))
