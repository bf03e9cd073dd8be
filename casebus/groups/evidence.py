"""`casebus evidence ...`: a case's journal and signatures in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casebus.options import Folder, Here, Json

app = typer.Typer(help="What a case's journal and the departments' signatures prove, in a file.", no_args_is_help=True)


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
