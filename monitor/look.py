"""How the monitor looks on a terminal: the lights' colours and words, the shape of its tables.

Colour is never the only sign: each light has a letter, so that a printed page and a colour-blind reader lose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from schemas.clock import Light

STYLES = {Light.RED: "bold red", Light.YELLOW: "yellow", Light.GREEN: "green", Light.NONE: "dim"}
WORDS = {Light.RED: "red", Light.YELLOW: "yellow", Light.GREEN: "green", Light.NONE: "not started"}


def lamp(light: Light) -> Text:
    return Text(f"● {WORDS[light]}", style=STYLES[light])


def table(*columns: str, right: Iterable[str] = (), wide: Iterable[str] = ()) -> Table:
    """A light table. Columns in `right` hold numbers; those in `wide` share the room that is left, and are cut where it ends."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), expand=True, header_style="dim")
    made.title_justify, made.title_style = "left", "bold"
    numbers, elastic = set(right), set(wide)
    for name in columns:
        side: JustifyMethod = "right" if name in numbers else "left"
        ratio = 1 if name in elastic else None
        made.add_column(name, justify=side, no_wrap=True, overflow="ellipsis", min_width=cell_len(name), ratio=ratio)
    return made


def days(count: int) -> str:
    return f"{count} day" if abs(count) == 1 else f"{count} days"


def lag(later: int | None, earlier: int) -> str:
    """How much later, in the largest fitting unit: `+3 h`; empty below a minute."""
    if later is None:
        return ""
    minutes = (later - earlier) // 60_000_000
    for name, size in (("d", 1440), ("h", 60), ("min", 1)):
        if abs(minutes) >= size:
            return f"{minutes / size:+.0f} {name}"
    return ""
