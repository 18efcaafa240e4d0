"""Study: which shapes broadcast, what that costs, and how a gradient finds its way back.

Two or three tensors are multiplied. Forward, dimensions of length 1 are repeated by stride 0; backward, the
gradient is summed over exactly the dimensions that were repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from math import prod
from typing import Any

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
from engine.studies.view_steps import ITEM_BYTES, check_size

FEWEST, MOST = 2, 3  # tensors
NAMES = "abc"
TOLERANCE = 1e-12
SEPARATORS = re.compile(r"(?:\s|[;+*×,]|\band\b)*")
BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")


class BroadcastSetup(Setup):
    """The shapes of the tensors that are multiplied."""

    shapes: str = Field(
        default="(4, 3) and (3,)",
        max_length=LONGEST_TEXT,
        title="Shapes",
        description="Two or three shapes, in brackets or with semicolons between: (4, 3) and (3,).",
    )
    seed: int = Field(default=0, ge=0, le=999, title="Seed", description="Of the numbers in the tensors.")


@dataclass(frozen=True)
class Operand:
    """One of the tensors: how it is walked as if it had the shape of the result, and its gradient.

    expanded   strides of the walk: 0 in every dimension that is repeated
    repeated   dimensions of the result along which it is repeated, over which its gradient is summed
    gradient   of the sum of the result times `upstream`, by the engine's own backward pass
    """

    name: str
    shape: Shape
    strides: Strides
    expanded: Strides
    repeated: tuple[int, ...]
    values: NDArray[np.float64]
    gradient: NDArray[np.float64]


@dataclass(frozen=True)
class BroadcastResult:
    """The tensors and their product; or, where the shapes do not broadcast, where and how to mend it."""

    setup: BroadcastSetup
    shapes: tuple[Shape, ...]
    shape: Shape | None  # of the product
    operands: tuple[Operand, ...]
    product: NDArray[np.float64] | None
    upstream: NDArray[np.float64] | None  # the gradient that comes back to the product
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
    """Align the shapes; where they broadcast, multiply tensors of them and take the gradient back.

    Raises ValueError for text that is not two or three shapes, and for shapes that are too large.
    """
    shapes = read_shapes(setup.shapes)
    for shape in shapes:
        check_size(shape)
    diagnosis = diagnose_broadcast(shapes)
    if diagnosis:
        fixes = tuple(broadcast_fixes(shapes))
        return BroadcastResult(
            setup, shapes, None, (), None, None, diagnosis, fixes, problem(shapes, diagnosis)
        )
    shape = layouts.broadcast_shapes(*shapes)
    check_size(shape)
    draw = np.random.default_rng(setup.seed)
    values = [draw.integers(-4, 5, s).astype(np.float64) for s in shapes]
    upstream = draw.integers(-2, 3, shape).astype(np.float64)
    product, gradients = multiplied(values, upstream)
    operands = tuple(map(_operand, NAMES, shapes, values, gradients, [shape] * len(shapes)))
    return BroadcastResult(setup, shapes, shape, operands, product, upstream, None, (), "")


def _operand(
    name: str, own: Shape, values: NDArray[np.float64], gradient: NDArray[np.float64], shape: Shape
) -> Operand:
    source = layouts.row_major(own)
    padded = (None,) * (len(shape) - len(own)) + own
    repeated = tuple(d for d, length in enumerate(padded) if length is None or length != shape[d])
    expanded = layouts.expanded_strides(source, shape)
    return Operand(name, own, source.strides, expanded, repeated, values, gradient)


def multiplied(
    values: Sequence[NDArray[np.float64]], upstream: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """The product of tensors by the engine, and the gradient that its backward pass leaves on each."""
    leaves = [creation.tensor(each, requires_grad=True) for each in values]
    product = leaves[0]
    for leaf in leaves[1:]:
        product = product * leaf
    product.backward(creation.tensor(upstream))
    return product.detach().numpy(), [leaf.grad.numpy() for leaf in leaves if leaf.grad is not None]


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
    product = leaves[0]
    for leaf in leaves[1:]:
        product = product * leaf
    product.backward(torch.tensor(result.upstream))
    assert result.product is not None
    pairs = [("the product", product.detach().numpy(), result.product)]
    for operand, leaf in zip(result.operands, leaves, strict=True):
        assert leaf.grad is not None
        pairs.append((f"the gradient of {operand.name}", leaf.grad.numpy(), operand.gradient))
    return [(f"elements of {name} that differ", 0.0, differing(*both)) for name, *both in pairs]


def differing(there: NDArray[np.float64], here: NDArray[np.float64]) -> float:
    """How many elements of two arrays are not the same; all of them where the shapes are not."""
    return float((there != here).sum()) if there.shape == here.shape else float(max(there.size, 1))


def torch_refusal(shapes: Sequence[Shape]) -> str:
    """What torch itself says to multiplying tensors of these shapes; "" where it does it."""
    import torch

    try:
        product = torch.zeros(()).expand(shapes[0])
        for shape in shapes[1:]:
            product = product * torch.zeros(()).expand(shape)
    except RuntimeError as error:
        return str(error)
    return ""


EXAMPLES: dict[str, BroadcastSetup] = {
    "bias": BroadcastSetup(),
    "outer product": BroadcastSetup(shapes="(4, 1) and (1, 3)"),
    "attention mask": BroadcastSetup(shapes="(2, 2, 3, 3) and (2, 1, 1, 3)"),
    "batch norm": BroadcastSetup(shapes="(2, 3, 2, 2) and (1, 3, 1, 1) and (3, 1, 1)"),
    "(n,) with (n, 1)": BroadcastSetup(shapes="(4,) and (4, 1)"),
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
