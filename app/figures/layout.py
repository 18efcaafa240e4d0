"""Where the nodes and edges of a graph go: Graphviz dot, through the library bundled with pygraphviz."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import pygraphviz

POINTS_PER_INCH = 72.0  # Graphviz takes sizes in inches and gives positions in points
NODE_GAP = 24.0  # room for names and badges
RANK_GAP = 72.0  # room for the amounts that travel along the edges

MOST_AT_LEISURE = 150  # nodes; Graphviz holds the interpreter while it works, so larger graphs are hurried
HURRY = {"nslimit": 0.02, "nslimit1": 0.02, "mclimit": 0.02, "splines": "line"}

Point = tuple[float, float]
_graphviz = Lock()  # the C library keeps global state


@dataclass(frozen=True)
class Box:
    """A node to be placed: its id and its size in pixels."""

    id: str
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Centres of the nodes, cubic Bézier points (1 + 3k) of the edges, and the extent; y points down."""

    width: float
    height: float
    centres: dict[str, Point]
    splines: tuple[tuple[Point, ...], ...]


@lru_cache(maxsize=256)
def layout(boxes: tuple[Box, ...], edges: tuple[tuple[str, str], ...]) -> Layout:
    """Place the boxes in layers from left to right; `splines` are in the order of `edges`.

    Depends on the structure alone, so a graph keeps its picture while its numbers change.
    """
    graph = pygraphviz.AGraph(strict=False, directed=True)
    graph.graph_attr.update(
        rankdir="LR", nodesep=NODE_GAP / POINTS_PER_INCH, ranksep=RANK_GAP / POINTS_PER_INCH
    )
    if len(boxes) > MOST_AT_LEISURE:
        graph.graph_attr.update(HURRY)
    graph.node_attr.update(shape="box", fixedsize="true", label="")
    graph.edge_attr.update(arrowhead="none")
    for box in boxes:
        graph.add_node(box.id, width=box.width / POINTS_PER_INCH, height=box.height / POINTS_PER_INCH)
    for position, (source, target) in enumerate(edges):
        graph.add_edge(source, target, key=f"e{position}")
    with _graphviz:
        graph.layout(prog="dot")
    return _read(graph, boxes, edges)


def _read(graph: pygraphviz.AGraph, boxes: Sequence[Box], edges: Sequence[tuple[str, str]]) -> Layout:
    _, _, width, height = (float(number) for number in graph.graph_attr["bb"].split(","))

    def point(text: str) -> Point:
        x, y = text.split(",")
        return round(float(x), 1), round(height - float(y), 1)

    centres = {box.id: point(graph.get_node(box.id).attr["pos"]) for box in boxes}
    splines = tuple(
        tuple(map(point, graph.get_edge(source, target, key=f"e{position}").attr["pos"].split()))
        for position, (source, target) in enumerate(edges)
    )
    return Layout(width, height, centres, splines)
