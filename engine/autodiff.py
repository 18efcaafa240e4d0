"""Automatic differentiation, forward and reverse, over any value that keeps its history.

Nothing here knows what a value is. A `Variable` names the primitive that made it and its inputs;
derivatives come from the primitive's rules. With `create_graph=False` the rules are fed plain values;
with `create_graph=True` they are fed the variables themselves, so the derivative has a history of its
own and can be differentiated again, to any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

from engine.context import tracer, watcher
from engine.primitive import Primitive


class Variable(Protocol):
    """A node of a computation graph."""

    primitive: Primitive | None
    inputs: tuple[Any, ...]
    requires_grad: bool
    value: Any
    grad: Any

    def check_unchanged(self) -> None:
        """Raise an error if a value that this node's derivative needs has since been overwritten."""


V = TypeVar("V", bound=Variable)


def topological_order(*outputs: V) -> list[V]:
    """Every node the outputs depend on, each after all of its inputs.

    Iterative, so the length of a chain is limited by memory and not by the recursion limit.
    """
    order: list[V] = []
    finished: set[V] = set()
    stack: list[V] = list(reversed(outputs))
    while stack:
        node = stack[-1]
        if node not in finished:
            pending = [source for source in reversed(node.inputs) if source not in finished]
            if pending:
                stack.extend(pending)
                continue
            finished.add(node)
            order.append(node)
        stack.pop()
    return order


def cotangents(seeds: Mapping[V, Any], create_graph: bool = False) -> dict[V, Any]:
    """Reverse mode: one sweep from the outputs back to everything they depend on.

    `seeds` gives the cotangent of each output (1.0 for the gradient of a single output). Returns
    Σ over outputs of seed · ∂output/∂node for every node that requires a gradient and that the
    outputs depend on. A node used several times receives the sum of its contributions; it is visited
    once, after all of its consumers, because the order is topological.
    """
    found: dict[V, Any] = {node: seed for node, seed in seeds.items() if node.requires_grad}
    for node in reversed(topological_order(*seeds)):
        if node.primitive is None or node not in found:
            continue
        operands, output = _operands(node, create_graph)
        for index, source in enumerate(node.inputs):
            if source.requires_grad:
                contribution = node.primitive.vjp(index, found[node], operands, output)
                found[source] = found[source] + contribution if source in found else contribution
    return found


def tangents(outputs: Iterable[V], seeds: Mapping[V, Any], create_graph: bool = False) -> dict[V, Any]:
    """Forward mode: one sweep from the inputs on to the outputs.

    `seeds` gives the tangent of each chosen input (1.0 for the derivative with respect to one input).
    Returns Σ over inputs of ∂node/∂input · seed for every node that depends on a seeded input; a node
    that is absent does not depend on any of them.
    """
    found: dict[V, Any] = dict(seeds)
    for node in topological_order(*outputs):
        if node.primitive is None or node in seeds:
            continue
        operands, output = _operands(node, create_graph)
        for index, source in enumerate(node.inputs):
            if source in found:
                contribution = node.primitive.jvp(index, found[source], operands, output)
                found[node] = found[node] + contribution if node in found else contribution
    return found


def backward(output: V, cotangent: Any = 1.0, create_graph: bool = False) -> None:
    """Leave the cotangents of `output` in `grad` of every node."""
    accumulate(cotangents({output: cotangent}, create_graph))


def accumulate(found: Mapping[V, Any]) -> None:
    """Store cotangents as `grad` on every node; on leaves they add up over calls.

    Only a leaf keeps the history of its gradient. That of a result leads back to the result, and the cycle
    would keep the whole graph from being freed.
    """
    writing = tracer.get()
    for node, gradient in found.items():
        if node.primitive is not None:
            node.grad = getattr(gradient, "value", gradient)
        else:
            if writing is not None:
                writing.leaf(node)
            node.grad = gradient if node.grad is None else node.grad + gradient
    watching = watcher.get()
    if watching is not None:
        watching(found)


def _operands(node: V, create_graph: bool) -> tuple[tuple[Any, ...], Any]:
    """What the derivative rules of `node` are evaluated on: its inputs and its result.

    A constant is a plain value in either case: what is computed from it alone needs no history.
    """
    node.check_unchanged()
    if create_graph:
        return tuple([source if source.requires_grad else source.value for source in node.inputs]), node
    return tuple([source.value for source in node.inputs]), node.value
