"""`casebus evidence ...`: a case's journal and signatures in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from casebus.options import Folder, Here, Json


class _NumberFirst(TyperGroup):
    """`casebus evidence NUMBER` is `casebus evidence write NUMBER`: no case is called like a command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else ["write", *args])


app = typer.Typer(
    cls=_NumberFirst,
    help="A case's journal and signatures in a file: casebus evidence NUMBER [FOLDER] writes it.",
    no_args_is_help=True,
)


@app.command("write")
def write(
    number: Annotated[str, typer.Argument(help="The case number, with or without its namespace.")],
    folder: Folder = Here,
    to: Annotated[Path | None, typer.Option(help="The file to write.", show_default="evidence-NUMBER.json")] = None,
) -> None:
    """Write the evidence of one case: entries with their hashes, events, signatures, keys."""
    from casebus.commands import evidence

    raise typer.Exit(evidence.write(folder, number, to))


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="What `casebus evidence write` wrote.")],
    keys: Annotated[
        Path | None, typer.Option(help="A folder of public keys that you trust, instead of those in the file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check such a file, offline: 1 where the chain or a signature does not hold."""
    from casebus.commands import evidence

    raise typer.Exit(evidence.verify(file, keys, as_json=as_json))
