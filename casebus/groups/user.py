"""`casebus user ...`: who may see the page."""

from __future__ import annotations

from typing import Annotated

import typer

from casebus.options import Folder, Here, Json

app = typer.Typer(help="Who may see the page.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What they sign in with.")],
    folder: Folder = Here,
    role: Annotated[str, typer.Option(help="supervisor, auditor or operator.")] = "supervisor",
    region: Annotated[str, typer.Option(help="They see this region and what lies in it; empty: everything.")] = "",
    stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")] = False,
) -> None:
    """Add somebody to the page, or give them another role, region or password."""
    from casebus.commands import user

    raise typer.Exit(user.add(folder, name, role, region, stdin=stdin))


@app.command("list")
def show_all(folder: Folder = Here, as_json: Json = False) -> None:
    """Who may see the page."""
    from casebus.commands import user

    raise typer.Exit(user.show_all(folder, as_json=as_json))


@app.command("remove")
def remove(name: Annotated[str, typer.Argument(help="Who.")], folder: Folder = Here) -> None:
    """Take somebody off the page, at once; what they looked at stays in the log."""
    from casebus.commands import user

    raise typer.Exit(user.remove(folder, name))


@app.command("token")
def token(
    name: Annotated[str, typer.Argument(help="Whose rights it has.")],
    folder: Folder = Here,
    revoke: Annotated[bool, typer.Option("--revoke", help="End every token of theirs instead, at once.")] = False,
) -> None:
    """Make a token for programs that ask the API, and print it once."""
    from casebus.commands import user

    raise typer.Exit(user.end_tokens(folder, name) if revoke else user.token(folder, name))
