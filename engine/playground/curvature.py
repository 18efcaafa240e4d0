"""How sharply the loss bends: the largest eigenvalue of its Hessian, by power iteration."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import engine
from engine import functional
from engine.playground.gradients import replace
from engine.playground.model import mean_loss, penalty
from engine.playground.network import Network
from engine.playground.run import Still
from engine.tensor import Tensor
from engine.training.stability import Scales

ITERATIONS = 12
Vector = list[NDArray[np.float64]]  # one part for each parameter
Product = Callable[[Vector], Vector]


def largest_curvature(still: Still, iterations: int = ITERATIONS, scales: Scales | None = None) -> float:
    """L, the largest eigenvalue of the Hessian of what is made small, on all training points; never more than
    it is, but for rounding, and less where `iterations` are too few. Negative where no direction bends up.

    With `scales` s, of the Hessian with respect to w·√s: as an optimiser sees it that divides gradients by s.
    Each iteration is one Hessian-vector product (`functional.hvp`), so nothing of size parameters² is ever
    made. Batch norm uses its running statistics, and nothing is dropped.
    """
    product, sizes = _hessian(still)
    roots = [np.sqrt(scale) for scale in scales] if scales else [np.ones(size) for size in sizes]

    def scaled(vector: Vector) -> Vector:
        return _over(product(_over(vector, roots)), roots)

    found = _power(scaled, sizes, iterations)
    if found < 0.0:  # the largest by size bends down: what is added to all of them makes it the smallest
        lowest = found

        def raised(vector: Vector) -> Vector:
            return [part - lowest * own for part, own in zip(scaled(vector), vector, strict=True)]

        return _power(raised, sizes, iterations) + lowest
    return found


def _hessian(still: Still) -> tuple[Product, list[tuple[int, ...]]]:
    """Its product with a vector, and the shapes of a vector's parts."""
    net = Network(still.setup)
    net.take_over(still.net)
    net.eval()
    inputs, targets = engine.from_numpy(still.train.inputs), engine.from_numpy(still.train.targets)
    names = [f"{kind}.{layer}" for layer in range(len(net.linears())) for kind in ("weight", "bias")]
    point = [tensor.detach().clone() for linear in net.linears() for tensor in (linear.weight, linear.bias)]

    def loss(*tensors: Tensor) -> Tensor:
        for name, tensor in zip(names, tensors, strict=True):
            replace(net, name, tensor)
        found = mean_loss(still.setup, net(inputs), targets)
        return found + penalty(still.setup, net) if still.setup.penalty == "L2" else found  # L1 is flat

    def product(vector: Vector) -> Vector:
        direction = tuple(engine.from_numpy(part.astype(np.float32)) for part in vector)
        _, found = functional.hvp(loss, tuple(point), direction)
        return [part.numpy().astype(np.float64) for part in found]

    return product, [tensor.shape for tensor in point]


def _power(product: Product, sizes: list[tuple[int, ...]], iterations: int) -> float:
    draw = np.random.default_rng(0)
    direction = [draw.standard_normal(size) for size in sizes]
    found = 0.0
    for _ in range(iterations):
        length = np.sqrt(sum(float((part**2).sum()) for part in direction))
        if not np.isfinite(length) or length == 0.0:
            return float(length)
        unit = [part / length for part in direction]
        direction = product(unit)
        found = float(sum((a * b).sum() for a, b in zip(unit, direction, strict=True)))
    return found


def _over(vector: Vector, divisors: Vector) -> Vector:
    return [part / divisor for part, divisor in zip(vector, divisors, strict=True)]
