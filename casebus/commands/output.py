"""What commands print: JSON for programs, tables for people. Figures go to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text


def console() -> Console:
    """Standard output; wide where it is not a terminal, so that nothing is cut in a file."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def as_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> RenderableType:
    """A table under its title; columns whose name begins with `>` are set to the right."""
    made = Table(show_edge=False, pad_edge=False)
    for column in columns:
        made.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    for row in rows:
        made.add_row(*(text(cell) for cell in row))
    return Group(Text(title, style="bold"), made) if title else made


def text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def several(number: int, one: str, many: str = "") -> str:
    """`1 case`, `2 cases`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def counts(title: str, found: Mapping[str, int], what: str = "") -> RenderableType:
    """A mapping of counts, the largest first."""
    return table(title, (what, ">"), sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
