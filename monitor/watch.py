"""The terminal's dashboard: `casebus watch`. `screen` is a pure picture of a `Board`; `watch` shows it again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import tzinfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.board import Board, Lamps, Passed, Worst
from monitor.look import STYLES, table
from monitor.times import shown
from schemas.clock import Light

#: Seconds between two looks.
EVERY = 1.0
_BARS = " ▁▂▃▄▅▆▇█"
_ARROWS = {"up": "↑", "down": "↓", "across": "→"}
#: Departments in the table; the others are one line.
DEPARTMENTS = 12


def watch(look: Callable[[], Board], zone: tzinfo, console: Console, wait: Callable[[float], None] = time.sleep) -> None:
    """Show the board until interrupted. `look` makes a new one."""
    with Live(screen(look(), zone), console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while True:
            wait(EVERY)
            live.update(screen(look(), zone), refresh=True)


def screen(board: Board, zone: tzinfo) -> RenderableType:
    """The whole picture, good from 100 columns on."""
    return Group(_head(board, zone), _side_by_side(_lamps(board), _worst(board)), Text(), _moves(board, zone))


def _side_by_side(left: RenderableType, right: RenderableType) -> Table:
    grid = Table.grid(expand=True, padding=(0, 2))
    grid.add_column(ratio=4)
    grid.add_column(ratio=5)
    grid.add_row(left, right)
    return grid


def _head(board: Board, zone: tzinfo) -> Panel:
    lamps = total(board.lamps.values())
    line = Text.assemble(
        (f"{board.cases:,} cases", "bold"),
        f"  {board.open:,} open  ",
        *_sum(lamps),
        ("", "") if not board.provisional else (f"  {board.provisional:,} provisional", "dim"),
    )
    second = Text.assemble(
        f"{board.events:,} events  {board.events_last_hour:,} in the last hour  ",
        (spark(board.days), "cyan"),
        (f" {len(board.days)} days", "dim"),
        f"  {board.findings:,} findings  {board.dead_letters:,} refused",
    )
    rows = [line, second]
    if board.read < board.end:
        rows.append(_progress(board.read, board.end))
    title = Text.assemble(("casebus", "bold"), f"  one supervision  {shown(board.now, zone)}")
    return Panel(Group(*rows), title=title, title_align="left", border_style=STYLES[_worst_light(lamps)])


def _sum(lamps: Lamps) -> list[tuple[str, str]]:
    shown_lights = ((Light.RED, lamps.red), (Light.YELLOW, lamps.yellow), (Light.GREEN, lamps.green), (Light.NONE, lamps.none))
    words = {Light.NONE: "not accepted"}
    return [(f"● {count:,} {words.get(light, light)}  ", STYLES[light]) for light, count in shown_lights]


def _worst_light(lamps: Lamps) -> Light:
    return Light.RED if lamps.red else Light.YELLOW if lamps.yellow else Light.GREEN


def total(all_lamps: Iterable[Lamps]) -> Lamps:
    """The sum over departments."""
    found = Lamps()
    for lamps in all_lamps:
        for name in found.__struct_fields__:
            setattr(found, name, getattr(found, name) + getattr(lamps, name))
    return found


def _progress(read: int, end: int) -> Text:
    done = round(40 * read / end)
    return Text.assemble("reading ", ("━" * done, "green"), ("─" * (40 - done), "dim"), f" {read:,} of {end:,}")


def spark(counts: list[int]) -> str:
    """A row of bars; the tallest is the largest count, and anything above zero is seen."""
    most = max(counts, default=0) or 1
    return "".join(_BARS[-(-count * 8 // most)] for count in counts)


def _lamps(board: Board) -> Table:
    counts = (" red", " yel", " grn", " new", "open")
    made = table("department", *counts, right=counts, wide=["department"])
    made.title = "Lights by department"
    lines = list(board.lamps.items())
    for name, lamps in lines[:DEPARTMENTS]:
        made.add_row(name or "unknown", *_cells(lamps))
    if rest := lines[DEPARTMENTS:]:
        made.add_row(Text(f"{len(rest)} others", style="dim"), *_cells(total([lamps for _, lamps in rest])))
    return made


def _cells(lamps: Lamps) -> list[Text]:
    lights = ((Light.RED, lamps.red), (Light.YELLOW, lamps.yellow), (Light.GREEN, lamps.green), (Light.NONE, lamps.none))
    cells = [Text(f"{count:,}" if count else "·", style=STYLES[light] if count else "dim") for light, count in lights]
    return [*cells, Text(f"{lamps.total:,}", style="bold")]


def _worst(board: Board) -> Table:
    made = table("case", "department", " days", "left", "due", right=(" days", "left"), wide=["department"])
    made.title = "Worst cases"
    for one in board.worst:
        made.add_row(*_worst_cells(one))
    if not board.worst:
        made.add_row(Text("none near its limit", style="green"))
    return made


def _worst_cells(one: Worst) -> list[Text]:
    style = STYLES[Light(one.light)]
    number = Text.assemble(("● ", style), one.number)
    days = f"{one.elapsed}/{one.limit}" if one.limit is not None else str(one.elapsed)
    left = "" if one.left is None else f"{one.left:+d}"
    return [number, Text(one.department), Text(days), Text(left, style=style), Text(one.due[5:] or "paused", style="dim")]


def _moves(board: Board, zone: tzinfo) -> Table:
    made = table("sent", "case", "", "from", "to", "received", wide=("from", "to"))
    made.title = f"Moves: longest on the way, then newest  ({board.on_their_way:,} on their way)"
    for one in board.moves:
        made.add_row(*_move_cells(one, zone))
    if not board.moves:
        made.add_row(Text("nothing has moved yet", style="dim"))
    return made


def _move_cells(one: Passed, zone: tzinfo) -> list[Text]:
    received = Text(shown(one.received_at, zone)) if one.received_at is not None else _waiting(one)
    arrow = Text(_ARROWS.get(one.kind, one.kind), style="cyan")
    places = (Text(place) for place in (one.sender, one.receiver))
    return [Text(shown(one.sent_at, zone)), Text(one.number), arrow, *places, received]


def _waiting(one: Passed) -> Text:
    """Sent, and not received: with its clock."""
    if one.over:
        return Text("never signed for", style="dim")
    if one.waited is None or one.allowed is None:
        return Text("on its way", style="yellow")
    style = STYLES[Light.RED if one.waited > one.allowed else Light.YELLOW]
    return Text(f"on its way, {one.waited:g} of {one.allowed:g} {one.unit}", style=style)
