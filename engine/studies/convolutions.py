"""Study: how a convolution slides over its input, and where its gradients go.

A window goes over the input; each of its places makes one element of the output, and every gradient is a sum
over the places in which its element took part. Pooling is the same with a window that has no weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import creation
from engine.agreement import difference
from engine.bilinear import Convolution
from engine.geometry import Geometry
from engine.nn import functional
from engine.oracles import torch_version
from engine.studies.convolution_links import is_inside, meetings, reads
from engine.studies.convolution_numbers import input_numbers, kernel_numbers, whole_numbers
from engine.studies.convolution_oracles import by_torch
from engine.studies.convolution_setup import ConvolutionSetup
from engine.studies.convolution_shapes import Plan, read_plan
from engine.studies.strides import written
from engine.studies.study import Check, Study
from engine.tensor import Tensor

Numbers = NDArray[np.float64]
TOLERANCE = 1e-12
ROUNDING = 1e-10  # of sums in another order, as a share of the largest element


@dataclass(frozen=True)
class ConvolutionResult:
    """Input, kernel and output, and the gradients that the engine's own backward pass leaves.

    upstream   the gradient that comes back to the output, of small integers
    winners    of max pooling: for each element of the output the position of the input element it took
    """

    setup: ConvolutionSetup
    plan: Plan
    values: Numbers
    weight: Numbers | None  # a pooling has none
    output: Numbers
    upstream: Numbers
    input_gradient: Numbers
    weight_gradient: Numbers | None
    winners: NDArray[np.int64] | None

    @property
    def products(self) -> int:
        """Elements read in all, padding included: as many multiplications, or comparisons."""
        return prod(len(along) for along in meetings(self.plan))

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {"input": written(self.values.shape)}
        if self.weight is not None:
            figures["weight"] = written(self.weight.shape)
        figures["output"] = written(self.output.shape)
        for axis in self.plan.axes:
            figures[f"{axis.name} of the output"] = axis.formula
        return figures | {
            "parameters": 0 if self.weight is None else self.weight.size,
            "elements read": self.products,
            "sum of the output": float(self.output.sum()),
        }

    def table(self) -> Mapping[str, Sequence[Any]]:
        """One row an element of the output, in order."""
        indices = list(np.ndindex(self.output.shape))
        return {
            "index": [written(index) for index in indices],
            "value": self.output.reshape(-1).tolist(),
            "elements read": [len(reads(self.plan, index)) for index in indices],
            "gradient that comes back": self.upstream.reshape(-1).tolist(),
        }


def run(setup: ConvolutionSetup) -> ConvolutionResult:
    """Convolve or pool, and take a gradient back through it.

    Raises ValueError that names the axis and the fix for sizes that do not fit together.
    """
    draw = np.random.default_rng(setup.seed)
    values = input_numbers(setup, draw)
    plan = read_plan(setup, values.shape)
    weight = None if setup.pools else kernel_numbers(setup, plan.weight_shape, draw)
    leaves = [creation.tensor(each, requires_grad=True) for each in (values, weight) if each is not None]
    output = apply(plan, *leaves)
    upstream = whole_numbers(draw, -2, 2, output.shape)
    output.backward(creation.tensor(upstream))
    gradients = [leaf.grad.numpy() for leaf in leaves if leaf.grad is not None]
    return ConvolutionResult(
        setup,
        plan,
        values,
        weight,
        output.detach().numpy(),
        upstream,
        gradients[0],
        gradients[1] if weight is not None else None,
        winners(plan, values) if plan.operation == "max pooling" else None,
    )


def apply(plan: Plan, values: Tensor, weight: Tensor | None = None) -> Tensor:
    """The operation by the engine, on an input [channels, *size]: a Tensor [channels, *output]."""
    rank, operation = len(plan.axes), plan.operation
    stride, padding, dilation = plan.each("stride"), plan.each("padding"), plan.each("dilation")
    if weight is None:
        kernel = plan.each("kernel")
        if operation == "max pooling":
            pool = functional.max_pool1d if rank == 1 else functional.max_pool2d
            return pool(values, kernel, stride, padding, dilation)
        mean = functional.avg_pool1d if rank == 1 else functional.avg_pool2d
        return mean(values, kernel, stride, padding)
    if operation == "transposed":
        return _transposed(plan, values, weight)
    convolve = functional.conv1d if rank == 1 else functional.conv2d
    return convolve(values, weight, None, stride, padding, dilation, plan.groups)


def _transposed(plan: Plan, values: Tensor, weight: Tensor) -> Tensor:
    """What a convolution's backward pass does to its input: the same geometry with the ends exchanged."""
    flat = (1,) * (2 - len(plan.axes))  # a 1-D convolution is a 2-D one of height 1
    still = (0,) * len(flat)
    geometry = Geometry.of(
        (1, plan.out_channels, *flat, *plan.output_shape[1:]),
        (*plan.weight_shape[:2], *flat, *plan.weight_shape[2:]),
        (*flat, *plan.each("stride")),
        (*still, *plan.each("padding")),
        (*flat, *plan.each("dilation")),
        plan.groups,
    )
    seen, kernel = values.reshape(geometry.output_shape), weight.reshape(geometry.weight_shape)
    output: Tensor = Convolution("input", geometry)(seen, kernel)
    return output.reshape(plan.output_shape)


def winners(plan: Plan, values: Numbers) -> NDArray[np.int64]:
    """For each element of a max pooling the position of the largest it reads; of equal ones the first."""
    found = np.empty(plan.output_shape, np.int64)
    for output in np.ndindex(plan.output_shape):
        window = [index for index, _ in reads(plan, output) if is_inside(plan, index)]
        best = max(window, key=lambda index: values[index])
        found[output] = np.ravel_multi_index(best, values.shape)
    return found


# ---- the oracle


def check(result: ConvolutionResult) -> list[Check]:
    """The shape of the output, its elements, and those of both gradients, by torch."""
    output, *gradients = by_torch(result.plan, result.values, result.weight, result.upstream)
    oracle = torch_version()
    lengths = zip(output.shape, result.output.shape, strict=True)
    figures = [
        (f"length {d} of the output", float(there), float(here)) for d, (there, here) in enumerate(lengths)
    ]
    figures.append(("sum of the output", float(output.sum()), float(result.output.sum())))
    pairs = [("the output", output, result.output), ("∂L/∂x", gradients[0], result.input_gradient)]
    if result.weight_gradient is not None:
        pairs.append(("∂L/∂w", gradients[1], result.weight_gradient))
    figures += [(f"elements of {name} that differ", 0.0, differing(*both)) for name, *both in pairs]
    return [
        Check(name, oracle, expected, found, difference(found, expected), TOLERANCE)
        for name, expected, found in figures
    ]


def differing(there: Numbers | None, here: Numbers | None) -> float:
    """How many elements of two arrays are further apart than rounding of sums makes them."""
    if there is None or here is None or there.shape != here.shape:
        return float(max(1, prod(() if here is None else here.shape)))
    largest = max(1.0, float(np.abs(there).max()))
    return float((~np.isclose(there, here, rtol=ROUNDING, atol=ROUNDING * largest)).sum())


EXAMPLES: dict[str, ConvolutionSetup] = {
    "3 × 3": ConvolutionSetup(),
    "padding and stride": ConvolutionSetup(padding="1", stride="2"),
    "dilated": ConvolutionSetup(size="7", dilation="2", padding="1"),
    "channels": ConvolutionSetup(in_channels=3, out_channels=2, kernel="2", size="4"),
    "depthwise": ConvolutionSetup(in_channels=3, out_channels=3, groups=3, kernel="2", size="4"),
    "transposed": ConvolutionSetup(
        operation="transposed", size="3", stride="2", padding="1", output_padding="1"
    ),
    "max pooling": ConvolutionSetup(operation="max pooling", size="6", kernel="2", stride="2"),
    "1-D": ConvolutionSetup(dims="1-D", size="10", padding="1", weights="sharpen"),
    "digit": ConvolutionSetup(source="digit", padding="1", weights="vertical edges", seed=3),
    "photograph": ConvolutionSetup(source="photograph", padding="1", weights="outline"),
    "too large": ConvolutionSetup(size="4, 5", kernel="3", dilation="2"),
}

STUDY = Study(
    name="convolutions",
    version=1,
    question="Which numbers meet in a convolution, and where do their gradients go?",
    setup=ConvolutionSetup,
    run=run,
    check=check,
)
