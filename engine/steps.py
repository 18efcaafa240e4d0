"""A sweep over a graph as a list of steps: what is computed at each, and from which numbers.

The steps carry real figures: stepping through them is watching the sweep, not an animation of it.
Orders other than the topological one are here to be seen failing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.graph import Graph, Node

Order = Literal["topological", "breadth first", "every path"]


@dataclass(frozen=True)
class Contribution:
    """One product of the chain rule: `upstream` · `local`, added to what node `to` held `before`.

    In reverse mode it travels back to an operand: `to` is that operand. In forward mode it travels on
    from an operand: `to` is the result. `slot` says which operand of the operator it concerns.
    """

    to: str
    slot: int
    upstream: float
    local: float
    product: float
    before: float | None
    after: float


@dataclass(frozen=True)
class Step:
    """`values` and `gradients` are what this step sets; `contributions` are how it got them."""

    phase: Literal["forward", "backward"]
    kind: Literal["value", "seed", "cotangent", "tangent"]
    node: str
    values: Mapping[str, float] = field(default_factory=dict)
    gradients: Mapping[str, float] = field(default_factory=dict)
    contributions: tuple[Contribution, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Cost:
    """Operations of derivative sweeps, as counted while stepping (not those of the function itself)."""

    sweeps: int
    multiplications: int
    additions: int

    @property
    def total(self) -> int:
        return self.multiplications + self.additions


def cost(sweeps: Iterable[Iterable[Step]]) -> Cost:
    """Count the products and the accumulations in these sweeps."""
    contributions = [[c for step in sweep for c in step.contributions] for sweep in sweeps]
    products = sum(map(len, contributions))
    additions = sum(c.before is not None for sweep in contributions for c in sweep)
    return Cost(len(contributions), products, additions)


def value_steps(graph: Graph) -> list[Step]:
    """The forward pass: every value, each after its inputs."""
    return [Step("forward", "value", node.id, values={node.id: node.value}) for node in graph.nodes]


def tangent_steps(graph: Graph, seed: str) -> list[Step]:
    """Forward mode: values together with their derivative with respect to the input `seed`."""
    tangents: dict[str, float] = {}
    steps = []
    for node in graph.nodes:
        contributions: list[Contribution] = []
        if node.id == seed:
            tangents[node.id] = 1.0
        for slot, source in enumerate(node.inputs):
            local = node.partials[slot]
            if source in tangents and local is not None:
                contributions.append(_contribute(tangents, node.id, slot, tangents[source], local))
        carried = {node.id: tangents[node.id]} if node.id in tangents else {}
        kind: Literal["seed", "tangent"] = "seed" if node.id == seed else "tangent"
        note = "" if carried else "does not depend on the chosen input: its derivative is 0"
        values = {node.id: node.value}
        steps.append(Step("forward", kind, node.id, values, carried, tuple(contributions), note))
    return steps


def cotangent_steps(graph: Graph, output: str, order: Order = "topological", limit: int = 400) -> list[Step]:
    """Reverse mode from `output`, visiting nodes in the given order; at most `limit` visits.

    topological    each node once, after all of its consumers: the right answer at the least work
    breadth first  each node once, but as soon as it is reached: contributions that arrive later are
                   never passed on, and the gradients behind them are wrong
    every path     each contribution is passed on by itself at once: the right answer, with one visit
                   for every path from the output, which can be exponentially many
    """
    nodes = graph.by_id()
    if order == "every path":
        return _path_steps(nodes, output, limit)
    gradients = {output: 1.0}
    steps = [_seed(output)]
    visits = _topological(graph, output) if order == "topological" else _breadth_first(nodes, output)
    visited: set[str] = set()
    for node in visits:
        visited.add(node.id)
        if node.operator is None or node.id not in gradients:
            continue
        contributions = tuple(
            _contribute(gradients, source, slot, gradients[node.id], local)
            for slot, source in enumerate(node.inputs)
            if (local := node.partials[slot]) is not None
        )
        late = sorted({c.to for c in contributions if c.to in visited and nodes[c.to].operator})
        steps.append(_send(node, contributions, gradients, _late_note(nodes, late)))
    return steps


def count_paths(graph: Graph, output: str) -> int:
    """How many visits "every path" takes: for each operator, the paths to it from the output."""
    nodes = graph.by_id()
    paths = {output: 1}
    for node in reversed(graph.nodes):
        for source in node.inputs:
            if node.id in paths and nodes[source].requires_grad:
                paths[source] = paths.get(source, 0) + paths[node.id]
    return sum(count for id_, count in paths.items() if nodes[id_].operator is not None)


def _path_steps(nodes: Mapping[str, Node], output: str, limit: int) -> list[Step]:
    gradients = {output: 1.0}
    steps = [_seed(output)]
    pending = [(output, 1.0)]
    while pending and len(steps) <= limit:
        node_id, carried = pending.pop()
        node = nodes[node_id]
        if node.operator is None:
            continue
        contributions = []
        for slot, source in enumerate(node.inputs):
            local = node.partials[slot]
            if local is not None:
                contributions.append(_contribute(gradients, source, slot, carried, local))
        pending += [(c.to, c.product) for c in reversed(contributions)]
        steps.append(_send(node, tuple(contributions), gradients, ""))
    return steps


def _topological(graph: Graph, output: str) -> Iterator[Node]:
    reached = False
    for node in reversed(graph.nodes):
        reached = reached or node.id == output
        if reached and node.requires_grad:
            yield node


def _breadth_first(nodes: Mapping[str, Node], output: str) -> Iterator[Node]:
    queue, seen = deque([output]), {output}
    while queue:
        node = nodes[queue.popleft()]
        yield node
        for source in node.inputs:
            if source not in seen and nodes[source].requires_grad:
                seen.add(source)
                queue.append(source)


def _contribute(
    derivatives: dict[str, float], to: str, slot: int, upstream: float, local: float
) -> Contribution:
    """Add upstream · local to the derivative of `to`, and say so."""
    before = derivatives.get(to)
    product = upstream * local
    derivatives[to] = product if before is None else before + product
    return Contribution(to, slot, upstream, local, product, before, derivatives[to])


def _seed(output: str) -> Step:
    note = "the derivative of the output with respect to itself"
    return Step("backward", "seed", output, gradients={output: 1.0}, note=note)


def _send(
    node: Node, contributions: tuple[Contribution, ...], gradients: Mapping[str, float], note: str
) -> Step:
    changed = {c.to: gradients[c.to] for c in contributions}
    return Step("backward", "cotangent", node.id, {}, changed, contributions, note)


def _late_note(nodes: Mapping[str, Node], late: list[str]) -> str:
    if not late:
        return ""
    names = ", ".join(nodes[node].label.name or f"v{node[1:]}" for node in late)
    return f"too late: {names} has already passed its gradient on, so this part is lost"
