"""Two threads in all their interleavings, as the payload of the interleaving board."""

from __future__ import annotations

from typing import Any

from engine.jsonable import encode
from engine.parallel import counting
from engine.parallel.counting import Bins
from engine.parallel.interleaving import NAMES, Node, Program, Situation
from engine.parallel.stepped import Action
from engine.studies.speedups import SpeedupsResult, program

WAYS: dict[Bins, str] = {
    "shared": "bins shared as they are",
    "atomic": "each update one step",
    "private": "bins for each thread",
}


def board(result: SpeedupsResult, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Every situation with what can follow, so that the browser steps by itself; and the real runs."""
    setup, nodes = result.setup, result.nodes
    task = program(setup)
    document = {
        "source": counting.source(setup.counting).rstrip().split("\n"),
        "way": WAYS[setup.counting],
        "bins": _bins(task),
        "data": [task.data[: len(task.data) // 2], task.data[len(task.data) // 2 :]],
        "expected": len(task.data),
        "nodes": [_node(node) for node in nodes],
        "order": setup.order,
        "orders": _orders(nodes),
        "real": [
            {
                "name": bins,
                "lost": [round(share, 5) for share in result.lost(bins)],
                "chosen": bins == setup.counting,
            }
            for bins in counting.BINS
        ],
        "height_px": 0,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _bins(task: Program) -> list[str]:
    """The names of all cells of memory."""
    if task.bins != "private":
        return [f"bins[{cell}]" for cell in range(task.cells)]
    return [f"{name}: bins[{cell}]" for name in NAMES for cell in range(task.cells)]


def _node(node: Node) -> dict[str, Any]:
    situation = node.situation
    return {
        "memory": situation.memory,
        "holds": situation.holds,
        "pending": [_pending(situation, thread) for thread in range(len(NAMES))],
        "after": node.after,
        "outcomes": sorted(node.outcomes.items()),
    }


def _pending(situation: Situation, thread: int) -> dict[str, Any] | None:
    """What a thread does next, and what that will have been."""
    action = situation.pending[thread]
    if action is None:
        return None
    cell = situation.program.cell(thread, action.cell)
    held = situation.holds[thread] or 0
    before = situation.memory[cell]
    lost = before - (held - 1) if action.kind == "store" else 0
    return {
        "kind": action.kind,
        "line": action.line,
        "cell": cell,
        "text": _text(action, held, before),
        "lost": lost,
        "touches": action.touches_memory,
        "writes": action.writes,
    }


def _text(action: Action, held: int, before: int) -> str:
    """The step in words."""
    match action.kind:
        case "load":
            return f"load {before}"
        case "add":
            return f"{held} + {action.value} = {held + action.value}"
        case "store":
            return f"store {action.value}"
    return f"{before} + {action.value}, at once"


def _orders(nodes: tuple[Node, ...]) -> list[dict[str, str]]:
    """Orders worth seeing: one thread after the other, in turns, and one that loses most."""
    alone = _runs_alone(nodes, 0)
    return [
        {"name": "one after the other", "order": NAMES[0] * alone + NAMES[1] * alone},
        {"name": "in turns", "order": NAMES * alone},
        {"name": "loses most", "order": _worst(nodes)},
    ]


def _runs_alone(nodes: tuple[Node, ...], thread: int) -> int:
    """Steps of a thread that is left alone."""
    steps, place = 0, nodes[0].after[thread]
    while place is not None:
        steps, place = steps + 1, nodes[place].after[thread]
    return steps


def _worst(nodes: tuple[Node, ...]) -> str:
    """An order that ends with the fewest updates counted, the first thread first where it may choose."""
    order, node = "", nodes[0]
    fewest = min(node.outcomes)
    while any(then is not None for then in node.after):
        for name, then in zip(NAMES, node.after, strict=True):
            if then is not None and fewest in nodes[then].outcomes:
                order, node = order + name, nodes[then]
                break
    return order
