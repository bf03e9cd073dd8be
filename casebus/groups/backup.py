"""`casebus backup` and `casebus restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casebus.options import Folder, Here, Json


def add(app: typer.Typer) -> None:
    """Both stand beside `up`, not in a group of their own."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    to: Annotated[Path, typer.Option("--to", help="The file, or a folder in which it is named by the moment.")],
    folder: Folder = Here,
    keys_to: Annotated[
        Path | None, typer.Option(help="A file for the keys of sealed fields, which are not in the backup itself.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Save all of a deployment that cannot be made again in one file, while it runs or not."""
    from casebus.commands import backup as command

    raise typer.Exit(command.save(folder, to, keys_to, as_json=as_json))


def restore(
    file: Annotated[Path, typer.Argument(help="What `casebus backup` wrote.")],
    folder: Annotated[Path, typer.Argument(help="The new folder.")],
) -> None:
    """Make a deployment again from such a file, on this machine or another; it goes on where it stood."""
    from casebus.commands import backup as command

    raise typer.Exit(command.restore(file, folder))
