"""The process map: what directly follows what, laid out from above to below. Pure: counts in, places on a canvas out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from monitor.statistics.processmap import Edge as Counted
from monitor.statistics.processmap import Node as Activity
from monitor.statistics.processmap import ProcessMap


class Edge(NamedTuple):
    """How often one thing directly followed the other, in how many cases, and hours between them."""

    source: str
    target: str
    times: int
    cases: int
    median_hours: float
    longest_hours: float


class Node(NamedTuple):
    """`layer` grows downwards; `column` is 0 in the middle; `again` is how often it follows itself."""

    name: str
    times: int
    cases: int
    begins: int
    ends: int
    layer: int
    column: int
    again: int


class Graph(NamedTuple):
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    cases: int
    variants: int
    #: Share of all steps that the edges shown stand for.
    coverage: float


def graph(found: ProcessMap, share: float = 0.95) -> Graph:
    """The rarest edges are left out as long as those that stay stand for `share` of all steps."""
    steps = sum(edge.count for edge in found.edges)
    edges = list(_kept(found.edges, share * steps))
    named = {name for edge in edges for name in (edge.source, edge.target)}
    nodes = [node for node in found.nodes if not edges or node.activity in named]
    again = {edge.source: edge.times for edge in edges if edge.source == edge.target}
    layers = _layers(nodes, edges)
    placed = (_node(node, layers, column, again) for node, column in _columns(nodes, layers))
    covered = sum(edge.times for edge in edges) / steps if steps else 1.0
    return Graph(tuple(placed), tuple(edges), found.cases, found.variants, covered)


def _kept(edges: Iterable[Counted], rest: float) -> Iterable[Edge]:
    """They come the most frequent first."""
    for one in edges:
        if rest <= 0:
            return
        rest -= one.count
        yield Edge(one.source, one.target, one.count, one.cases, one.median_hours, one.longest_hours)


def _layers(nodes: Iterable[Activity], edges: Sequence[Edge]) -> dict[str, int]:
    """Each one below all that it follows or leads back to and that come earlier in their cases; so time runs downwards."""
    ordered = sorted(nodes, key=lambda one: (one.place, -one.events, one.activity))
    rank = {one.activity: number for number, one in enumerate(ordered)}
    before: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        earlier, later = sorted((edge.source, edge.target), key=rank.__getitem__)
        if earlier != later:
            before[later].append(earlier)
    layers: dict[str, int] = {}
    for one in ordered:
        layers[one.activity] = 1 + max((layers[name] for name in before[one.activity]), default=-1)
    return layers


def _columns(nodes: Iterable[Activity], layers: Mapping[str, int]) -> Iterable[tuple[Activity, int]]:
    """The most frequent of a layer in the middle, the others around it."""
    taken: dict[int, int] = defaultdict(int)
    for node in nodes:
        number = taken[layers[node.activity]]
        taken[layers[node.activity]] += 1
        yield node, (number + 1) // 2 * (1 if number % 2 else -1)


def _node(node: Activity, layers: Mapping[str, int], column: int, again: Mapping[str, int]) -> Node:
    name = node.activity
    return Node(name, node.events, node.cases, node.begins, node.ends, layers[name], column, again.get(name, 0))


#: Pixels: a box, the room between boxes beside and below each other, and between two lines that run beside each other.
BOX, HIGH, ASIDE, DOWN, LANE, EDGE = 158, 40, 34, 42, 46, 12


class Box(NamedTuple):
    """`x` and `y` are its upper left corner."""

    node: Node
    x: float
    y: float


class Way(NamedTuple):
    """One edge as a line: SVG's path, where its number stands, and how thick it is."""

    edge: Edge
    path: str
    x: float
    y: float
    width: float
    back: bool


class Drawing(NamedTuple):
    """`left` is the x of its left edge: 0 is the middle of the column in the middle."""

    left: float
    width: float
    height: float
    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]


class _Places:
    """Where boxes stand, and lanes beside them for lines that pass others by."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = {node.name: node for node in nodes}
        self._taken: dict[int, list[tuple[int, int, int]]] = {1: [], -1: []}

    def x(self, name: str) -> float:
        """The middle of its box; 0 is the middle of the map."""
        return self.nodes[name].column * (BOX + ASIDE)

    def y(self, name: str) -> float:
        return self.nodes[name].layer * (HIGH + DOWN)

    def lane(self, source: str, target: str, side: int) -> float:
        """The x of a line on one side that touches no box, and no line of the same layers."""
        first, last = sorted((self.nodes[source].layer, self.nodes[target].layer))
        columns = [side * node.column for node in self.nodes.values() if first <= node.layer <= last]
        number = 0
        while any(number == lane and first < end and start < last for lane, start, end in self._taken[side]):
            number += 1
        self._taken[side].append((number, first, last))
        return side * (max([0, *columns]) * (BOX + ASIDE) + BOX / 2 + 26 + number * LANE)


def charted(found: Graph) -> Drawing:
    """The graph on a canvas as large as it needs to be."""
    places = _Places(found.nodes)
    most = max((edge.times for edge in found.edges), default=1)
    ordered = sorted(found.edges, key=lambda one: (abs(_step(one, places)), -one.times))
    ways = [_way(edge, places, most) for edge in ordered if edge.source != edge.target]
    left = min([-BOX / 2, *(places.x(node.name) - BOX / 2 for node in found.nodes), *(way.x - 30 for way in ways)])
    right = max([BOX / 2, *(places.x(node.name) + BOX / 2 for node in found.nodes), *(way.x + 30 for way in ways)])
    boxes = tuple(Box(node, places.x(node.name) - BOX / 2, places.y(node.name)) for node in found.nodes)
    layers = 1 + max((node.layer for node in found.nodes), default=0)
    return Drawing(left, right - left, layers * HIGH + (layers - 1) * DOWN, boxes, tuple(ways))


def _step(edge: Edge, places: _Places) -> int:
    return places.nodes[edge.target].layer - places.nodes[edge.source].layer


def _way(edge: Edge, places: _Places, most: int) -> Way:
    """To the next layer it runs straight down; what passes layers by runs on the right, what leads back on the left."""
    width = round(1 + 4 * edge.times / most, 1)
    step = _step(edge, places)
    if step == 1:
        return _down(edge, places, width)
    return _aside(edge, places, width, 1 if step > 0 else -1)


def _down(edge: Edge, places: _Places, width: float) -> Way:
    x, y = places.x(edge.source), places.y(edge.source) + HIGH
    to, end = places.x(edge.target), places.y(edge.target)
    middle = (y + end) / 2
    path = f"M {x:g} {y:g} C {x:g} {middle + 8:g} {to:g} {middle - 8:g} {to:g} {end - 3:g}"
    # the number stands near where the line begins: in the middle lines of one layer cross
    return Way(edge, path, x + 0.28 * (to - x), y + 0.43 * (end - y), width, False)


def _aside(edge: Edge, places: _Places, width: float, side: int) -> Way:
    x, to = places.x(edge.source) + side * BOX / 2, places.x(edge.target) + side * BOX / 2
    lane = places.lane(edge.source, edge.target, side)
    # out of the lower part of a box, into the upper part of another: two lines at one box do not lie on each other
    y, end = places.y(edge.source) + HIGH * 0.7, places.y(edge.target) + HIGH * 0.3
    turn = EDGE if end > y else -EDGE
    path = (
        f"M {x:g} {y:g} H {lane - side * EDGE:g} Q {lane:g} {y:g} {lane:g} {y + turn:g} "
        f"V {end - turn:g} Q {lane:g} {end:g} {lane - side * EDGE:g} {end:g} H {to + side * 3:g}"
    )
    return Way(edge, path, lane, (y + end) / 2, width, side < 0)
