"""Study: how do gradients travel through a program of tensors, and what has to be kept for them?

Setup -> run -> Result: parse the program, evaluate it over `Tensor`s, write down the backward pass with the
memory it needs, and look at one node closely. Gradients are held against torch, which runs the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from engine import creation, primitives
from engine.agreement import difference
from engine.composite import expanded
from engine.nn import functional
from engine.operations import FUNCTIONS
from engine.oracles import torch_version
from engine.primitive import Primitive
from engine.studies.study import Check, Setup, Study
from engine.studies.tensor_autodiff_gallery import (
    ATTENTION,
    BROADCASTING_BUG,
    CONVOLUTION,
    LAYER_NORM,
    PERCEPTRON,
    RESIDUAL,
    SOFTMAX,
)
from engine.studies.tensor_autodiff_graph import Fold, Part, Recorder, TensorNode, fold, operator_name
from engine.studies.tensor_autodiff_language import TensorProgram, parse
from engine.studies.tensor_autodiff_node import NodeView, look, numbers
from engine.studies.tensor_autodiff_sweep import Memory, Sweep, backward_order, memory, sweep
from engine.studies.tensor_autodiff_torch import Replay, by_torch, replay
from engine.studies.tensor_autodiff_walk import Walker

DEFAULT_SIZE = 3
LARGEST_SIZE = 128
MOST_NODES = 1000
TOLERANCES = {"float32": 1e-4, "float64": 1e-9}


class TensorAutodiffSetup(Setup):
    """The program, its sizes, and how its graph is drawn."""

    program: str = Field(
        default=PERCEPTRON,
        max_length=100_000,  # the language itself refuses far shorter texts, with a better message
        title="Program",
        description="Lines `name = expression`, loops `for k in range(depth):`, and last one number.",
    )
    sizes: dict[str, int] = Field(
        default={"n": 4, "d": 3, "c": 3, "h": 5},
        max_length=24,
        title="Sizes",
        description="Values of the names that the program does not assign; others are 3.",
    )
    dtype: Literal["float32", "float64"] = Field(
        default="float32", title="Element type", description="Of parameters and data."
    )
    fold: Fold = Field(
        default="functions",
        title="Fold",
        description="Draw calls of several operators, or whole turns of a loop, as one node.",
    )
    toggled: str = Field(
        default="",
        max_length=400,
        title="Unfolded",
        description="Groups that are the other way round than Fold says, by name.",
    )
    node: str = Field(default="", max_length=8, title="Opened node", description="The node under the lens.")
    zoom: Literal["graph", "matrix", "formula"] = Field(
        default="graph", title="Zoom", description="The graph, or one node as matrices or as formulas."
    )
    seed: int = Field(default=0, ge=0, le=9999, title="Seed", description="Of parameters and data.")
    step: int = Field(default=0, ge=0, le=5000, title="Step", description="The step shown first.")


@dataclass(frozen=True)
class TensorAutodiffResult:
    """A graph, its parts as they are drawn, the backward pass over it and what that keeps."""

    setup: TensorAutodiffSetup
    program: TensorProgram
    sizes: Mapping[str, int]
    nodes: tuple[TensorNode, ...]
    parts: tuple[Part, ...]
    sweep: Sweep
    memory: Memory

    @property
    def output(self) -> TensorNode:
        return self.nodes[self.sweep.output]

    @cached_property
    def back(self) -> list[Part]:
        """The parts in the order of the backward pass."""
        return backward_order(self.parts, self.sweep)

    @cached_property
    def _places(self) -> dict[int, Part]:
        return {node.position: part for part in self.parts for node in part.members}

    def part_of(self, position: int) -> Part:
        """Where in the picture a tensor is drawn."""
        return self._places[position]

    @cached_property
    def arrivals(self) -> dict[int, int]:
        """By tensor, the step that sends it the last part of its gradient."""
        first = len(self.parts) + 1
        return {
            sent.source: first + step
            for step, part in enumerate(self.back)
            for node in part.members
            for sent in self.sweep.sent.get(node.position, ())
        }

    @cached_property
    def opened(self) -> NodeView | None:
        """The node under the lens; None if none is, or not one that is drawn."""
        part = next((part for part in self.parts if part.id == self.setup.node), None)
        return look(self.nodes, self.parts, part, self.sweep) if part else None

    def grown(self) -> TensorNode | None:
        """The first result of an operator that is larger than each of its operands, by broadcasting."""
        for node in self.nodes:
            sizes = [self.nodes[source].tensor.numel() for source in node.sources]
            elementwise = isinstance(node.tensor.primitive, Primitive)
            if elementwise and len(sizes) > 1 and node.tensor.numel() > max(sizes):
                return node
        return None

    def parameters(self) -> list[TensorNode]:
        return [node for node in self.nodes if node.kind == "input"]

    def gradient(self, node: TensorNode) -> NDArray[Any] | None:
        """d(output)/d(node); None where the output does not depend on it."""
        found = self.sweep.gradients.get(node.position)
        return None if found is None else numbers(found)

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {"output": float(self.output.tensor.item())}
        for node in self.parameters():
            gradient = self.gradient(node)
            if gradient is not None:
                figures[f"|∂L/∂{node.name}|"] = float(np.linalg.norm(gradient))
        return figures | {
            "tensors": len(self.nodes),
            "nodes drawn": len(self.parts),
            "bytes of inputs": self.memory.inputs,
            "bytes kept at most": max(self.memory.kept),
            "bytes at most with gradients": self.memory.peak,
        }

    def table(self) -> Mapping[str, list[Any]]:
        gradients = [self.gradient(node) for node in self.nodes]
        return {
            "node": [f"t{node.position}" for node in self.nodes],
            "name": [node.name or "" for node in self.nodes],
            "operator": [operator_name(node) for node in self.nodes],
            "shape": [" × ".join(map(str, node.tensor.shape)) for node in self.nodes],
            "bytes": [node.tensor.numel() * node.tensor.dtype.itemsize for node in self.nodes],
            "mean": [float(np.mean(node.tensor.detach().numpy())) for node in self.nodes],
            "|gradient|": [None if g is None else float(np.linalg.norm(g)) for g in gradients],
        }


# ---- run


class EngineLibrary:
    """The engine's functions, and inputs of seeded numbers in the order of their declarations."""

    def __init__(self, setup: TensorAutodiffSetup) -> None:
        self.draw = np.random.default_rng(setup.seed)
        self.dtype = setup.dtype

    def function(self, name: str) -> Callable[..., Any]:
        found = FUNCTIONS.get(name) or getattr(functional, name, None) or getattr(primitives, name)
        called: Callable[..., Any] = found
        return called

    def declare(self, kind: str, shape: tuple[int, ...]) -> Any:
        if kind == "classes":
            return creation.tensor(self.draw.integers(0, shape[1], shape[:1]))
        fan_in = prod(shape[1:]) if len(shape) > 2 else shape[0] if len(shape) == 2 else 1
        scale = 1.0 if kind == "data" or len(shape) < 2 else fan_in**-0.5
        values = np.round(self.draw.normal(0.0, scale, shape), 2).astype(self.dtype)
        return creation.tensor(values, requires_grad=kind == "parameter")


def run(setup: TensorAutodiffSetup) -> TensorAutodiffResult:
    """Evaluate and differentiate the program.

    Raises ExpressionError for a program outside the language or one whose shapes do not fit, and ValueError
    for sizes out of range or a graph that is too large.
    """
    program = parse(setup.program)
    sizes = chosen_sizes(setup, program)
    for name, size in sizes.items():
        if not 1 <= size <= LARGEST_SIZE:
            raise ValueError(f"the size {name} is {size}; from 1 to {LARGEST_SIZE} is possible")
    recorder = Recorder(MOST_NODES)
    with expanded():  # every primitive is a node
        output = Walker(program, sizes, EngineLibrary(setup), recorder).run()
    nodes = tuple(recorder.nodes)
    found = sweep(nodes, recorder.positions[output])
    parts = fold(nodes, setup.fold, [name.strip() for name in setup.toggled.split(",")])
    return TensorAutodiffResult(setup, program, sizes, nodes, parts, found, memory(nodes, found, parts))


def chosen_sizes(setup: TensorAutodiffSetup, program: TensorProgram) -> dict[str, int]:
    """A value for every size of the program: the chosen one, else the same for all."""
    return {name: setup.sizes.get(name, DEFAULT_SIZE) for name in program.sizes}


# ---- the oracle


def inputs(result: TensorAutodiffResult) -> list[NDArray[Any]]:
    """The numbers of everything that is declared, in order."""
    declared = [node for node in result.nodes if node.kind in ("input", "data") and node.span is not None]
    return [node.tensor.detach().numpy() for node in declared]


def check(result: TensorAutodiffResult) -> list[Check]:
    """Gradients of what has a name, by torch on the same text; those of all nodes, operator by operator; and
    the bytes kept by the operators that keep the same tensors in torch."""
    tolerance = TOLERANCES[result.setup.dtype]
    oracle = torch_version()
    text = by_torch(result.program, result.sizes, inputs(result))
    output, named = text.output, text.gradients
    value = float(result.output.tensor.item())
    checks = [Check("output", oracle, output, value, difference(value, output), tolerance)]
    positions = {node.name: node for node in result.nodes if node.name}
    for name, expected in named.items():
        node = positions.get(name)
        if node is not None and node.kind == "input":
            checks.append(_gradient_check(name, expected, result.gradient(node), oracle, tolerance))
    there = replay(result.nodes, result.sweep.output)
    named_differ = sum(
        not agree(expected, result.gradient(positions[name]), tolerance)
        for name, expected in named.items()
        if name in positions
    )
    every = [
        not agree(there.gradients[node.position], result.gradient(node), tolerance)
        for node in result.nodes
        if node.tensor.requires_grad
    ]
    checks.append(
        Check(f"named gradients that differ, of {len(named)}", oracle, 0, named_differ, named_differ, 0)
    )
    checks.append(
        Check(f"nodes whose gradient differs, of {len(every)}", oracle, 0, sum(every), sum(every), 0)
    )
    same, ours, theirs = kept_alike(result, there)
    checks.append(
        Check(
            f"bytes kept by the {same} operators that keep the same",
            oracle,
            theirs,
            ours,
            abs(ours - theirs),
            0,
        )
    )
    return checks


def kept_by_torch(result: TensorAutodiffResult) -> int:
    """Bytes that torch keeps for the same text, whose larger functions it has as single operators."""
    return by_torch(result.program, result.sizes, inputs(result)).kept


def _gradient_check(
    name: str, expected: NDArray[Any] | None, found: NDArray[Any] | None, oracle: str, tolerance: float
) -> Check:
    """Norms to be read; the error is that of the element that is furthest off, as a share of the largest."""
    if expected is None or found is None:
        same = expected is None and found is None
        return Check(f"|∂L/∂{name}|", oracle, 0.0, 0.0, 0.0 if same else 1.0, tolerance)
    norms = (float(np.linalg.norm(expected)), float(np.linalg.norm(found)))
    return Check(f"|∂L/∂{name}|", oracle, *norms, furthest(expected, found), tolerance)


def furthest(expected: NDArray[Any], found: NDArray[Any]) -> float:
    """The largest difference of two arrays' elements, relative to the largest element above 1."""
    if expected.shape != found.shape:
        return float("inf")
    if np.array_equal(expected, found, equal_nan=True):
        return 0.0
    gap = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    return float(gap.max() / max(1.0, float(np.abs(expected).max())))


def agree(expected: NDArray[Any] | None, found: NDArray[Any] | None, tolerance: float) -> bool:
    """Whether both are absent, or equal to within the tolerance."""
    if expected is None or found is None:
        return expected is None and found is None
    return furthest(expected, found) <= tolerance


def other_than_torch(node: TensorNode) -> str:
    """Why an operator keeps something else here than in torch, or "": such are left out of the comparison."""
    name, operands = operator_name(node), node.operands
    if name == "convolution":
        return "torch keeps input and weight; here only what a wanted gradient is made of"
    if name in ("maximum", "minimum") and any(isinstance(each, float) for each in operands):
        return "torch keeps a plain number as a tensor of one element"
    if name == "div" and isinstance(operands[0], float):
        return "torch takes the reciprocal and keeps its result; here operand and result are kept"
    return ""


def kept_bytes(result: TensorAutodiffResult, node: TensorNode) -> int:
    """Bytes of the storages that one operator's derivative is made of."""
    arrays = [result.nodes[kept].tensor.value if isinstance(kept, int) else kept for kept in node.saved]
    whole = {id(array.storage): array.storage for array in arrays}
    return sum(array.layout.size * array.dtype.itemsize for array in whole.values())


def kept_alike(result: TensorAutodiffResult, there: Replay) -> tuple[int, int, int]:
    """How many operators are compared, and the bytes they keep here and in torch."""
    nodes = [node for node in result.nodes if node.kind == "operator"]
    alike = [node for node in nodes if not other_than_torch(node)]
    return len(alike), sum(kept_bytes(result, n) for n in alike), sum(there.kept[n.position] for n in alike)


EXAMPLES: dict[str, TensorAutodiffSetup] = {
    "perceptron": TensorAutodiffSetup(),
    "softmax regression": TensorAutodiffSetup(
        program=SOFTMAX, sizes={"n": 3, "d": 2, "c": 4}, fold="every operator"
    ),
    "layer norm": TensorAutodiffSetup(program=LAYER_NORM, sizes={"n": 2, "d": 5}),
    "attention head": TensorAutodiffSetup(program=ATTENTION, sizes={"n": 4, "d": 6, "h": 3}),
    "convolution": TensorAutodiffSetup(program=CONVOLUTION, sizes={"n": 2, "s": 4, "f": 2, "c": 3}),
    "deep residual": TensorAutodiffSetup(program=RESIDUAL, sizes={"n": 4, "d": 5, "depth": 12}, fold="loops"),
    "broadcasting bug": TensorAutodiffSetup(program=BROADCASTING_BUG, sizes={"n": 4, "d": 2}),
}

STUDY = Study(
    name="tensor_autodiff",
    version=1,
    question="How do gradients travel through tensors, and what must be kept for them?",
    setup=TensorAutodiffSetup,
    run=run,
    check=check,
)
