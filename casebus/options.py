"""Options that several commands share, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="The deployment's folder, or its casebus.yaml.", show_default="this folder")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
At = Annotated[str | None, typer.Option("--at", help="As it stood at this moment (ISO 8601; local unless it has an offset).")]
Known = Annotated[str | None, typer.Option("--known", help="Only from what the bus had received by this moment.")]
Health = Annotated[
    str | None,
    typer.Option(
        "--health", envvar="CASEBUS_HEALTH", help="HOST:PORT where it tells whether it lives and is ready, and metrics."
    ),
]
Here = Path()
