"""What came and what was finished, day by day, as options of an ECharts chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.web.picture import Day
from monitor.web.words import Words

#: Grey tones that hold on light and dark ground: colour is for lights.
INK, FAINT, GRID = "#75818d", "#b9c1c8", "rgba(128,140,150,0.22)"


def trend_options(days: Sequence[Day], words: Words) -> dict[str, Any]:
    """Bars for what came, a line for what was finished."""
    return {
        "animation": False,
        "textStyle": {"fontFamily": "inherit"},
        "grid": {"left": 34, "right": 6, "top": 10, "bottom": 22},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {
            "type": "category",
            "data": [one.day.strftime("%m-%d") for one in days],
            "axisTick": {"show": False},
            "axisLine": {"lineStyle": {"color": GRID}},
            "axisLabel": {"color": INK, "fontSize": 11},
        },
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "splitNumber": 3,
            "splitLine": {"lineStyle": {"color": GRID}},
            "axisLabel": {"color": INK, "fontSize": 11},
        },
        "series": [
            _series(words("overview.applied"), "bar", [one.applied for one in days], FAINT) | {"barWidth": "55%"},
            _series(words("overview.ended"), "line", [one.ended for one in days], INK) | {"symbolSize": 4},
        ],
    }


def _series(name: str, kind: str, data: list[int], colour: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "data": data,
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": 1.5},
    }
