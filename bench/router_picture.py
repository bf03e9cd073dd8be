"""The curve of `bench.router --open` as an SVG: processor time of an event over the number of open cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 60, 60
SERIES = (("one_process", "one process", "#1f6fb4"), ("two_processes", "two processes, each", "#d9822b"))

Point = tuple[float, float]


def drawn(result: dict[str, Any]) -> str:
    """The picture of one result, with when and how it was measured written beneath."""
    found: list[dict[str, Any]] = result["open"]
    cases = [one["open_cases"] for one in found]
    top = _round_up(max(one[name]["cpu_us"] for one in found for name, _, _ in SERIES))
    parts = [_text(LEFT, 26, "Processor time of one event, microseconds, by open cases", size=16), *_grid(cases, top)]
    for row, (name, words, colour) in enumerate(SERIES):
        points = [(_x(one["open_cases"], cases), _y(one[name]["cpu_us"], top)) for one in found]
        rates = [(f"{one[name]['events_a_second']:,.0f}/s", _above(one, name)) for one in found]
        parts += [*_line(points, colour, rates), _text(LEFT + 190 * row, 46, words, colour, size=13)]
    parts.append(_text(WIDTH - RIGHT, 46, "at the points: events a second", anchor="end"))
    where = f"{result['cores']} cores, load {result['load_before']:.1f} before, {result['at']}"
    parts.append(_text(LEFT, HEIGHT - 12, f"{result['client']}, {result['events']:,} events a race, {where}", size=11))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])


def _grid(cases: Sequence[int], top: float) -> list[str]:
    lines = []
    for step in range(5):
        value = top * step / 4
        y = _y(value, top)
        lines.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(_text(LEFT - 8, y + 4, f"{value:g}", anchor="end", size=12))
    lines += [_text(_x(one, cases), HEIGHT - BOTTOM + 20, f"{one:,}", anchor="middle", size=12) for one in cases]
    return lines


def _above(one: dict[str, Any], name: str) -> bool:
    """Whether this series is the upper one here: its label stands where the other's does not."""
    highest = max(SERIES, key=lambda series: one[series[0]]["cpu_us"])
    return highest[0] == name


def _line(points: Sequence[Point], colour: str, labels: Sequence[tuple[str, bool]]) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points]
    words = [
        _text(x, y + (-10 if above else 20), said, colour, "middle", 12)
        for (x, y), (said, above) in zip(points, labels, strict=True)
    ]
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *marks, *words]


def _text(x: float, y: float, said: str, colour: str = "#333", anchor: str = "start", size: int = 12) -> str:  # noqa: PLR0913, PLR0917  as SVG has them
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">{said}</text>'


def _x(cases: int, all_cases: Sequence[int]) -> float:
    """By the logarithm; one number alone stands in the middle."""
    low, high = math.log10(min(all_cases)), math.log10(max(all_cases))
    share = (math.log10(cases) - low) / (high - low) if high > low else 0.5
    inset = 50
    return LEFT + inset + share * (WIDTH - LEFT - RIGHT - 2 * inset)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _round_up(value: float) -> float:
    """The next of 20, 40, 60, 80, 100, 200, 400 and so on: the axis begins at zero, so that flat is flat."""
    unit = 10 ** math.floor(math.log10(value))
    return next(unit * step for step in (2, 4, 6, 8, 10, 20) if unit * step >= value)
