"""`casebus connector status|pause|resume|restart|rewind`: the connectors that stay up."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from casebus.options import Here, Json

Name = Annotated[str, typer.Argument(help="The connector.")]
Names = Annotated[list[str], typer.Argument(help="Connectors, and the deployment's folder last.", metavar="NAME... [FOLDER]")]
Some = Annotated[
    list[str] | None, typer.Argument(help="Only these, and the deployment's folder last.", metavar="[NAME]... [FOLDER]")
]
Folder = Annotated[Path, typer.Argument(help="The deployment's folder.", show_default="this folder")]
By = Annotated[str | None, typer.Option("--by", help="Who wants it.", show_default="you")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait until a worker has followed.")]


def add(app: typer.Typer) -> None:
    """These commands beside those of the integrators."""
    for command in (status, pause, resume, restart, rewind):
        app.command()(command)


def status(names: Some = None, as_json: Json = False) -> None:
    """How each connector stands: state, worker, last pass, rows so far, error and next attempt. 1 where one needs somebody."""
    from casebus.commands import fleet

    folder, only = _parted(names or [])
    raise typer.Exit(fleet.status(folder, only, as_json=as_json))


def pause(names: Names, by: By = None, wait: Wait = 15) -> None:
    """Stop connectors after the batch they are at, until they are resumed."""
    from casebus.commands import fleet

    folder, wanted = _parted(names)
    raise typer.Exit(fleet.pause(folder, wanted, by or getpass.getuser(), wait))


def resume(names: Names, wait: Wait = 15) -> None:
    """Let paused connectors go on."""
    from casebus.commands import fleet

    folder, wanted = _parted(names)
    raise typer.Exit(fleet.resume(folder, wanted, wait))


def restart(names: Names, by: By = None, wait: Wait = 15) -> None:
    """Open their sources anew at once, and forget their failures: the cause has been mended."""
    from casebus.commands import fleet

    folder, wanted = _parted(names)
    raise typer.Exit(fleet.restart(folder, wanted, by or getpass.getuser(), wait))


def rewind(  # noqa: PLR0913, PLR0917  a command has as many arguments as options
    name: Name,
    folder: Folder = Here,
    to: Annotated[str | None, typer.Option("--to", help="A position, as `status --json` shows it.")] = None,
    beginning: Annotated[bool, typer.Option("--to-beginning", help="Everything the source has.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be read again.")] = False,
    by: By = None,
    wait: Wait = 15,
) -> None:
    """Read from an earlier position again, once; unchanged rows are recognised by their event ids and change nothing."""
    from casebus.commands import fleet

    back = fleet.Back(to, beginning, dry_run)
    raise typer.Exit(fleet.rewind(folder, name, back, by or getpass.getuser(), wait))


def _parted(names: list[str]) -> tuple[Path, list[str]]:
    """The last word is the folder where it is one: a connector is never named by a path."""
    *before, last = names or [""]
    folder = Path(last)
    if last and (folder.suffix == ".yaml" or (folder / "casebus.yaml").is_file() or "/" in last):
        return folder, before
    return Here, [name for name in names if name]
