"""`casebus acl ...`: who may read and write what in Kafka."""

from __future__ import annotations

from typing import Annotated

import typer

from casebus.options import Folder, Here, Json

app = typer.Typer(help="Who may read and write what in Kafka, from the deployment's access:.", no_args_is_help=True)


@app.command("plan")
def plan(folder: Folder = Here, as_json: Json = False) -> None:
    """The rights that would be given and taken back, beside what the brokers hold; 1 where there are any."""
    from casebus.commands import acl

    raise typer.Exit(acl.plan(folder, as_json=as_json))


@app.command("apply")
def apply(
    folder: Folder = Here,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Make the topics, give the rights that are missing, take back what is too much; others' rights are let be."""
    from casebus.commands import acl

    raise typer.Exit(acl.apply(folder, yes=yes, as_json=as_json))
