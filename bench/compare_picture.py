"""What `bench.compare` found as an SVG: a row for each contestant, a column of bars for each figure, all from zero."""

from __future__ import annotations

from typing import Any, NamedTuple

from bench.compare_field import FIELD, ROUTER, Contestant
from bench.compare_report import conditions

WIDTH, LEFT, TOP, ROW, BAR = 1080, 176, 84, 34, 18
OURS, THEIRS = "#1f6fb4", "#8a8f98"


class Panel(NamedTuple):
    """A column of bars. `fainter` names a second figure, drawn behind the first."""

    figure: str
    heading: str
    beneath: str
    form: str
    fainter: str = ""


PANELS = (
    Panel("cpu_us", "processor time", "µs an event; less is better", "{:.0f}"),
    Panel("events_a_second", "events a second", "more is better", "{:,.0f}"),
    Panel("mb", "memory", "MB at most", "{:.0f}"),
    Panel("p50_ms", "latency, p50 and p99", "ms, published to read", "{:,.0f}", fainter="p99_ms"),
    Panel("recovery_s", "out again after kill -9", "seconds", "{:.1f}"),
)


def drawn(result: dict[str, Any]) -> str:
    """The picture of one result, with when and how it was measured written beneath."""
    found = result["contestants"]
    rows = [one for one in FIELD if one.name in found]
    height = TOP + ROW * len(rows) + 40
    parts = [_text(16, 28, "The router beside others, on one broker, over the same events", size=16)]
    parts += [_text(16, _y(number) + 13, one.words, OURS if one.kind == ROUTER else "#333") for number, one in enumerate(rows)]
    panels = [one for one in PANELS if all(one.figure in found[row.name] for row in rows)]
    for number, panel in enumerate(panels):
        parts += _column(panel, LEFT + number * _step(), [(_colour(row), found[row.name]) for row in rows])
    parts.append(_text(16, height - 12, conditions(result), size=11))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])


def _step() -> float:
    return (WIDTH - LEFT - 16) / len(PANELS)


def _column(panel: Panel, x: float, rows: list[tuple[str, dict[str, float]]]) -> list[str]:
    parts = [_text(x, TOP - 26, panel.heading, size=13), _text(x, TOP - 10, panel.beneath, "#777", 11)]
    top = max(max(figures[panel.figure], figures.get(panel.fainter, 0.0)) for _, figures in rows)
    room = 100 if panel.fainter else 66  # for the figures beside the bars
    scale = (_step() - room) / top if top else 0.0
    for number, (colour, figures) in enumerate(rows):
        parts += _bars(panel, (x, _y(number)), scale, (colour, figures))
    return parts


def _bars(panel: Panel, at: tuple[float, float], scale: float, row: tuple[str, dict[str, float]]) -> list[str]:
    """One contestant's bar, the fainter one behind it, and the figures to the right of the longer."""
    (x, y), (colour, figures) = at, row
    values = [figures[panel.figure], *([figures[panel.fainter]] if panel.fainter else [])]
    parts = [_bar(x, y, value * scale, colour, 1.0 if number == 0 else 0.35) for number, value in enumerate(values)]
    said = ", ".join(panel.form.format(value) for value in values)
    return [*reversed(parts), _text(x + max(values) * scale + 5, y + 13, said, size=12)]


def _bar(x: float, y: float, width: float, colour: str, opacity: float) -> str:  # opacity tells two figures of one row apart
    return f'<rect x="{x:.1f}" y="{y}" width="{max(1.0, width):.1f}" height="{BAR}" fill="{colour}" fill-opacity="{opacity}"/>'


def _text(x: float, y: float, said: str, colour: str = "#333", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}">{said}</text>'


def _y(row: int) -> float:
    return TOP + row * ROW


def _colour(one: Contestant) -> str:
    return OURS if one.kind == ROUTER else THEIRS
