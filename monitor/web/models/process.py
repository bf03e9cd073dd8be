"""The process map: what directly follows what in the cases of one item, laid out from left to right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from monitor.web.models.trend import FAINT, INK

#: The ground of a node: opaque, so that no edge shows through.
NODE, DARK = "#e9ecef", "#2a3138"


class Edge(NamedTuple):
    source: str
    target: str
    times: int


class Node(NamedTuple):
    """`layer` grows from left to right, `place` is its row within it, 0 in the middle."""

    name: str
    times: int
    layer: int
    place: float


class Graph(NamedTuple):
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    cases: int
    variants: int
    #: Share of all steps that the edges shown stand for.
    coverage: float


def graph(paths: Iterable[Sequence[str]], share: float = 0.95) -> Graph:
    """Of these paths; the rarest edges are left out as long as those that stay stand for `share` of all steps."""
    kept = [tuple(path) for path in paths if path]
    pairs = Counter(pair for path in kept for pair in pairwise(path))
    edges = _kept(pairs, share)
    shown = {name for edge in edges for name in (edge.source, edge.target)} or {name for path in kept for name in path}
    counts = Counter(name for path in kept for name in path if name in shown)
    nodes = _placed(counts, _layers(kept, counts))
    covered = sum(edge.times for edge in edges) / pairs.total() if pairs else 1.0
    return Graph(tuple(nodes), tuple(edges), len(kept), len(set(kept)), covered)


def _kept(pairs: Counter[tuple[str, str]], share: float) -> list[Edge]:
    found: list[Edge] = []
    rest = share * pairs.total()
    for (source, target), count in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        if rest <= 0:
            break
        found.append(Edge(source, target, count))
        rest -= count
    return found


#: Columns of the picture at most.
LAYERS = 8


def _layers(paths: Iterable[Sequence[str]], counts: Mapping[str, int]) -> dict[str, int]:
    """Columns by where activities stand on average, so that time runs to the right; none is empty."""
    position = _positions(paths)
    most = min(LAYERS, len(counts)) - 1
    rough = {name: round(position[name] * most) for name in counts}
    rank = {column: number for number, column in enumerate(sorted(set(rough.values())))}
    return {name: rank[column] for name, column in rough.items()}


def _positions(paths: Iterable[Sequence[str]]) -> dict[str, float]:
    """Mean place of an activity in its paths; 0 is the beginning, 1 the end."""
    found: dict[str, list[float]] = defaultdict(list)
    for path in paths:
        for number, name in enumerate(path):
            found[name].append(number / max(1, len(path) - 1))
    return {name: sum(places) / len(places) for name, places in found.items()}


def _placed(counts: Mapping[str, int], layers: Mapping[str, int]) -> list[Node]:
    """The most frequent activity of a layer in the middle, the others around it."""
    columns: dict[int, list[str]] = defaultdict(list)
    for name in sorted(counts, key=lambda one: (-counts[one], one)):
        columns[layers[name]].append(name)
    return [
        Node(name, counts[name], layer, (number + 1) // 2 * (1 if number % 2 else -1))
        for layer, names in sorted(columns.items())
        for number, name in enumerate(names)
    ]


#: Pixels of the canvas, between rows, and around.
WIDTH, DOWN, ROOM = 1260, 130, 70


#: A box as wide as ECharts takes the whole symbol for, so that arrows end at its sides.
BOX = "path://M6,0 H98 A6,6 0 0 1 104,6 V32 A6,6 0 0 1 98,38 H6 A6,6 0 0 1 0,32 V6 A6,6 0 0 1 6,0 Z"


def height(found: Graph) -> int:
    """Of the canvas, in pixels."""
    low, high = _reach(found)
    return round((high - low) * DOWN) + 2 * ROOM + 60


def options(found: Graph, named: Callable[[str], str]) -> dict[str, Any]:
    """The graph as options of an ECharts chart. Unseen corners keep its coordinates what they are: pixels."""
    spots = {node.name: node for node in found.nodes}
    most = max((edge.times for edge in found.edges), default=1)
    low, high = _reach(found)
    corners = [
        {"name": f"corner {y}", "x": x, "y": y * DOWN, "symbolSize": 0, "label": {"show": False}, "tooltip": {"show": False}}
        for x, y in ((0, low - 0.5), (WIDTH - 2 * ROOM, high + 0.5))
    ]
    return {
        "animation": False,
        "textStyle": {"fontFamily": "inherit"},
        "tooltip": {"confine": True},
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "roam": True,
                "left": ROOM,
                "top": "middle",
                "width": WIDTH - 2 * ROOM,
                "height": round((high - low + 1) * DOWN),
                "symbol": BOX,
                "symbolSize": 104,
                "symbolKeepAspect": True,
                "edgeSymbol": ["none", "arrow"],
                "edgeSymbolSize": 8,
                "itemStyle": {"color": NODE, "borderColor": FAINT},
                "label": {"show": True, "color": DARK, "fontSize": 12, "lineHeight": 15},
                "edgeLabel": {"show": True, "formatter": "{c}", "color": INK, "fontSize": 11},
                "data": [*(_node(node, named, found) for node in found.nodes), *corners],
                "links": [_link(edge, most, spots) for edge in found.edges if edge.source != edge.target],
            }
        ],
    }


def _reach(found: Graph) -> tuple[float, float]:
    """The lowest and the highest row."""
    rows = [node.place for node in found.nodes] or [0.0]
    return min(*rows, -1.0), max(*rows, 1.0)


def _node(node: Node, named: Callable[[str], str], found: Graph) -> dict[str, Any]:
    last = max(one.layer for one in found.nodes)
    return {
        "name": node.name,
        "x": round((WIDTH - 2 * ROOM) * (node.layer / last if last else 0.5)),
        "y": node.place * DOWN,
        "value": node.times,
        "label": {"formatter": f"{named(node.name)}\n{node.times:,}{_again(node, found)}"},
    }


def _again(node: Node, found: Graph) -> str:
    """How often it follows itself, where that is kept."""
    times = sum(edge.times for edge in found.edges if edge.source == edge.target == node.name)
    return f"  ↺ {times:,}" if times else ""


def _link(edge: Edge, most: int, spots: Mapping[str, Node]) -> dict[str, Any]:
    """Thick where it is walked often; bowed where it leads back, or would run through others."""
    source, target = spots[edge.source], spots[edge.target]
    step = target.layer - source.layer
    bow = 0.0 if step in (0, 1) or (step > 1 and source.place != target.place) else 0.3
    return {
        "source": edge.source,
        "target": edge.target,
        "value": edge.times,
        "lineStyle": {"width": round(1 + 5 * edge.times / most, 1), "color": FAINT, "curveness": bow, "opacity": 1},
    }
