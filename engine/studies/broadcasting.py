"""Study: which shapes broadcast, what that costs, and how a gradient finds its way back.

Two or three tensors are combined element by element. Forward, dimensions of length 1 are repeated by stride
0; backward, the gradient is summed over exactly the dimensions that were repeated.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import zip_longest
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from engine import creation
from engine import layout as layouts
from engine.agreement import difference
from engine.layout import Shape, Strides
from engine.oracles import torch_version
from engine.studies.strides import LONGEST_LIST, LONGEST_TEXT, numbers, written
from engine.studies.study import Check, Setup, Study
from engine.studies.view_clinic import BroadcastDiagnosis, BroadcastFix, broadcast_fixes, diagnose_broadcast
from engine.studies.view_oracles import numpy_version
from engine.studies.view_steps import ITEM_BYTES, MAX_RANK, check_size

FEWEST, MOST = 2, 3  # tensors
NAMES = "abc"
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
}
TOLERANCE = 1e-12
SEPARATORS = re.compile(r"(?:\s|[;+*×,]|\band\b)*")
BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")


class BroadcastSetup(Setup):
    """The shapes of the tensors, and what is done with them."""

    shapes: str = Field(
        default="(4, 3) and (3,)",
        max_length=LONGEST_TEXT,
        title="Shapes",
        description="Two or three shapes, in brackets or with semicolons between: (4, 3) and (3,).",
    )
    operation: Literal["add", "subtract", "multiply"] = Field(
        default="add", title="Operation", description="What is done with elements that meet."
    )
    expanded: bool = Field(
        default=False, title="Show repeats", description="Draw every tensor as if it had the result's shape."
    )
    seed: int = Field(default=0, ge=0, le=999, title="Seed", description="Of the numbers in the tensors.")
    step: int = Field(
        default=MAX_RANK,
        ge=0,
        le=MAX_RANK,
        title="Step",
        description="Dimensions compared so far, from the right.",
    )


@dataclass(frozen=True)
class Operand:
    """One of the tensors: how it is walked as if it had the shape of the result, and its gradient.

    expanded   strides of the walk: 0 in every dimension that is repeated
    repeated   dimensions of the result along which it is repeated, over which its gradient is summed
    local      of the result's shape: derivative of each element of the result by the element it reads here
    gradient   what the engine's own backward pass leaves: `upstream` times `local`, summed where repeated
    """

    name: str
    shape: Shape
    strides: Strides
    expanded: Strides
    repeated: tuple[int, ...]
    values: NDArray[np.float64]
    local: NDArray[np.float64]
    gradient: NDArray[np.float64]


@dataclass(frozen=True)
class BroadcastResult:
    """The tensors and the result; or, where the shapes do not broadcast, where and how to mend it."""

    setup: BroadcastSetup
    shapes: tuple[Shape, ...]
    shape: Shape | None  # of the result
    operands: tuple[Operand, ...]
    output: NDArray[np.float64] | None
    upstream: NDArray[np.float64] | None  # the gradient that comes back to the result
    diagnosis: BroadcastDiagnosis | None
    fixes: tuple[BroadcastFix, ...]
    problem: str  # why the shapes do not broadcast, "" where they do

    @cached_property
    def copies(self) -> int:
        """Bytes that copies of the repeated elements would take in float32; stride 0 takes none."""
        shape = self.shape or ()
        return sum(ITEM_BYTES * (prod(shape) - prod(o.shape)) for o in self.operands if o.repeated)

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {
            "shapes": " and ".join(map(written, self.shapes)),
            "result": "none" if self.shape is None else written(self.shape),
        }
        for operand in self.operands:
            figures[f"strides of {operand.name}, expanded"] = written(operand.expanded)
            figures[f"gradient of {operand.name} is summed over"] = written(operand.repeated)
        if self.diagnosis:
            return figures | {"because": self.problem}
        return figures | {"bytes that copies would take": self.copies}

    def table(self) -> Mapping[str, Sequence[Any]]:
        """One row a dimension, counted from the right: the length in each shape, and in the result."""
        rows = list(zip_longest(*(reversed(shape) for shape in (*self.shapes, self.shape or ()))))
        names = [*NAMES[: len(self.shapes)], "result"]
        columns: dict[str, Sequence[Any]] = {"from the right": list(range(1, len(rows) + 1))}
        return columns | {name: [row[k] for row in rows] for k, name in enumerate(names)}


def run(setup: BroadcastSetup) -> BroadcastResult:
    """Align the shapes; where they broadcast, combine tensors of them and take the gradient back.

    Raises ValueError for text that is not two or three shapes, and for shapes that are too large.
    """
    shapes = read_shapes(setup.shapes)
    for shape in shapes:
        check_size(shape)
    diagnosis = diagnose_broadcast(shapes)
    if diagnosis:
        why, fixes = problem(shapes, diagnosis), tuple(broadcast_fixes(shapes))
        return BroadcastResult(setup, shapes, None, (), None, None, diagnosis, fixes, why)
    shape = layouts.broadcast_shapes(*shapes)
    check_size(shape)
    draw = np.random.default_rng(setup.seed)
    values = [draw.integers(-4, 5, own).astype(np.float64) for own in shapes]
    upstream = draw.integers(-2, 3, shape).astype(np.float64)
    leaves = [creation.tensor(each, requires_grad=True) for each in values]
    output = combine(setup.operation, leaves)
    output.backward(creation.tensor(upstream))
    operands = tuple(_operand(k, setup, shape, values, leaves[k].grad) for k in range(len(shapes)))
    return BroadcastResult(setup, shapes, shape, operands, output.detach().numpy(), upstream, None, (), "")


def combine(operation: str, tensors: Sequence[Any]) -> Any:
    """Tensors (ours, numpy's or torch's) combined from the left."""
    return reduce(OPERATIONS[operation], tensors)


def _operand(
    k: int, setup: BroadcastSetup, shape: Shape, values: Sequence[NDArray[np.float64]], gradient: Any
) -> Operand:
    own = values[k].shape
    source = layouts.row_major(own)
    padded: tuple[int | None, ...] = (None,) * (len(shape) - len(own)) + own
    return Operand(
        name=NAMES[k],
        shape=own,
        strides=source.strides,
        expanded=layouts.expanded_strides(source, shape),
        repeated=tuple(d for d, length in enumerate(padded) if length != shape[d]),
        values=values[k],
        local=np.broadcast_to(_local(setup.operation, k, values), shape),
        gradient=gradient.numpy(),
    )


def _local(operation: str, k: int, values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The derivative of the result by operand k, before it is summed; broadcasts to the result's shape."""
    if operation == "multiply":
        return reduce(np.multiply, [each for other, each in enumerate(values) if other != k])
    return np.array(-1.0 if operation == "subtract" and k else 1.0)


def problem(shapes: Sequence[Shape], diagnosis: BroadcastDiagnosis) -> str:
    """Why the shapes do not broadcast: the axis, and the length that each shape has there."""
    said = " and ".join(
        f"dimension {dimension} of {written(shapes[which])} is {length}"
        for which, dimension, length in diagnosis.lengths
    )
    place = "the last dimension" if diagnosis.from_right == 1 else f"dimension −{diagnosis.from_right}"
    return f"aligned at the right, they differ in {place}: {said}, and none of these is 1"


def read_shapes(text: str) -> tuple[Shape, ...]:
    """The shapes in a text. Raises ValueError that says what was found instead."""
    if len(text) > LONGEST_LIST:
        raise ValueError(f"shapes: the text has {len(text):,} characters, at most {LONGEST_LIST} are read")
    if BRACKETS.search(text):
        left_over = BRACKETS.sub(" ", text)
        if not SEPARATORS.fullmatch(left_over):
            raise ValueError(f"shapes: “{left_over.strip()[:20]}” is not a shape; write (4, 3) and (3,)")
        parts = BRACKETS.findall(text)
    else:
        parts = re.split(r";|\band\b", text)
    if not FEWEST <= len(parts) <= MOST:
        raise ValueError(f"shapes: two or three are compared, this is {len(parts)}; write (4, 3) and (3,)")
    return tuple(numbers("shapes", part) for part in parts)


# ---- the oracles


def check(result: BroadcastResult) -> list[Check]:
    """The shape of the result, or that there is none, by numpy; values and gradients by torch."""
    expected = _numpy_shape(result.shapes)
    figures = [("broadcasts", float(expected is not None), float(result.shape is not None))]
    if expected is None or result.shape is None:
        return _checks(numpy_version(), figures)
    lengths = zip_longest(expected, result.shape, fillvalue=-1)
    figures += [(f"length {d} of the result", there, here) for d, (there, here) in enumerate(lengths)]
    return _checks(numpy_version(), figures) + _checks(torch_version(), _torch_figures(result))


def _checks(oracle: str, figures: Sequence[tuple[str, float, float]]) -> list[Check]:
    return [
        Check(name, oracle, expected, found, difference(found, expected), TOLERANCE)
        for name, expected, found in figures
    ]


def _numpy_shape(shapes: Sequence[Shape]) -> Shape | None:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def _torch_figures(result: BroadcastResult) -> list[tuple[str, float, float]]:
    import torch

    leaves = [torch.tensor(operand.values, requires_grad=True) for operand in result.operands]
    output = combine(result.setup.operation, leaves)
    output.backward(torch.tensor(result.upstream))
    assert result.output is not None
    pairs = [("the result", output.detach().numpy(), result.output)]
    for operand, leaf in zip(result.operands, leaves, strict=True):
        assert leaf.grad is not None
        pairs.append((f"the gradient of {operand.name}", leaf.grad.numpy(), operand.gradient))
    return [(f"elements of {name} that differ", 0.0, differing(*both)) for name, *both in pairs]


def differing(there: NDArray[np.float64], here: NDArray[np.float64]) -> float:
    """How many elements of two arrays are not the same; all of them where the shapes are not."""
    return float((there != here).sum()) if there.shape == here.shape else float(max(there.size, 1))


def torch_refusal(shapes: Sequence[Shape]) -> str:
    """What torch itself says to combining tensors of these shapes; "" where it does it."""
    import torch

    try:
        combine("add", [torch.zeros(()).expand(shape) for shape in shapes])
    except RuntimeError as error:
        return str(error)
    return ""


EXAMPLES: dict[str, BroadcastSetup] = {
    "bias": BroadcastSetup(),
    "outer product": BroadcastSetup(shapes="(4, 1) and (1, 3)", operation="multiply"),
    "attention mask": BroadcastSetup(shapes="(2, 2, 3, 3) and (2, 1, 1, 3)"),
    "batch norm": BroadcastSetup(shapes="(2, 3, 2, 2) and (3, 1, 1) and (3, 1, 1)", operation="multiply"),
    "(n,) − (n, 1)": BroadcastSetup(shapes="(4,) and (4, 1)", operation="subtract"),
    "does not fit": BroadcastSetup(shapes="(4, 3) and (4,)"),
}

STUDY = Study(
    name="broadcasting",
    version=1,
    question="Which shapes fit together, and where does the gradient go?",
    setup=BroadcastSetup,
    run=run,
    check=check,
)
