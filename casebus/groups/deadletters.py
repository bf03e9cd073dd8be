"""`casebus deadletters ...`: what was refused, and what to do about it."""

from __future__ import annotations

import getpass
import re
from pathlib import Path
from typing import Annotated

import typer

from casebus.options import Folder, Here, Json

app = typer.Typer(help="Records that were refused, each with its reason and its bytes.", no_args_is_help=True)

_ID = re.compile(r"[0-9]+-[0-9]+")
Id = Annotated[str, typer.Argument(help="Its id in the list, such as 3-17.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason.")]
System = Annotated[str | None, typer.Option(help="Only of this system.")]
By = Annotated[str | None, typer.Option("--by", help="Who acts.", show_default="you")]
Why = Annotated[str, typer.Option("--why", help="For whoever looks at it later.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the router's word.")]
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]... [FOLDER]", help="Ids in the list, and the deployment's folder.")
]


@app.command("list")
def dead_list(  # noqa: PLR0913, PLR0917  a command has as many arguments as options
    folder: Folder = Here,
    reason: Reason = None,
    system: System = None,
    case: Annotated[str | None, typer.Option(help="Only of this case.")] = None,
    since: Annotated[str | None, typer.Option(help="Only received since this moment (ISO 8601).")] = None,
    state: Annotated[str, typer.Option(help="open, replayed, mended, 'refused again', dismissed, or all.")] = "open",
    by: Annotated[str | None, typer.Option("--by", help="Count them by reason, system, case or state.")] = None,
    as_json: Json = False,
) -> None:
    """Those that need somebody, with where and why."""
    from casebus.commands import deadletters
    from casebus.letters.wanted import Wanted

    raise typer.Exit(deadletters.show_all(folder, Wanted(reason, system, case, since, state), by, as_json=as_json))


@app.command("show")
def dead_show(name: Id, folder: Folder = Here, as_json: Json = False) -> None:
    """One of them: its bytes beside the reason beside the mapping's line, and what was done about it."""
    from casebus.commands import deadletters

    raise typer.Exit(deadletters.show_one(folder, name, as_json=as_json))


@app.command("mend")
def dead_mend(  # noqa: PLR0913, PLR0917  a command has as many arguments as options
    name: Id,
    folder: Folder = Here,
    changes: Annotated[list[str] | None, typer.Option("--set", help="COLUMN=VALUE; may repeat. Else $EDITOR opens.")] = None,
    why: Why = "",
    by: By = None,
    wait: Wait = 20,
) -> None:
    """Correct one and send it through the same mapping; what came is kept beside what it became."""
    from casebus.commands import letteracts
    from casebus.letters.desk import Who

    raise typer.Exit(letteracts.mend(folder, name, changes or [], Who(_who(by), why), wait))


@app.command("replay")
def dead_replay(  # noqa: PLR0913, PLR0917  a command has as many arguments as options
    names: Ids = None,
    reason: Reason = None,
    system: System = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    why: Why = "",
    by: By = None,
    wait: Wait = 20,
    as_json: Json = False,
) -> None:
    """Translate those named, or all open ones that fit, by today's mapping and code tables; publish them once, in order."""
    from casebus.commands import letteracts
    from casebus.letters.desk import Who
    from casebus.letters.wanted import Wanted

    ids, folder = _told(names or [])
    if not (ids or reason or system or everything):
        raise typer.BadParameter("Name letters, --reason, --system, or --all.")
    wanted, who = Wanted(reason, system), Who(_who(by), why)
    raise typer.Exit(letteracts.replay(folder, ids, wanted, who, wait, as_json=as_json))


@app.command("dismiss")
def dead_dismiss(
    names: Ids = None,
    why: Why = "",
    by: By = None,
) -> None:
    """Nothing will be done about them, for a reason; they are listed no more."""
    from casebus.commands import letteracts
    from casebus.letters.desk import Who

    ids, folder = _told(names or [])
    if not ids:
        raise typer.BadParameter("Name letters by their ids in the list.")
    raise typer.Exit(letteracts.dismiss(folder, ids, Who(_who(by), why)))


def _told(words: list[str]) -> tuple[list[str], Path]:
    """The ids among these, and the folder, which is what is no id."""
    ids = [word for word in words if _ID.fullmatch(word)]
    others = [word for word in words if word not in ids]
    if len(others) > 1:
        raise typer.BadParameter(f"{others[0]} is no id such as 3-17, and there is one folder at most.")
    return ids, Path(*others)


def _who(by: str | None) -> str:
    """Who sits at the terminal, as the system knows them."""
    try:
        return by or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
