"""The gradient check of every operator that a loop's loss is made of, where the loop uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import engine
from engine.agreement import difference
from engine.autodiff import topological_order
from engine.autograd import grad
from engine.doctor.loop import Loop
from engine.gradient_check import central_difference
from engine.tensor import Tensor

SAMPLES = 4


@dataclass(frozen=True)
class OperatorCheck:
    """One operator, along one random direction of one of its operands.

    found     the slope by its backward rule
    expected  the same as a central difference, in float64
    """

    operator: str
    operand: int
    found: float
    expected: float

    @property
    def error(self) -> float:
        """Relative difference, absolute below 1; infinite where only one is finite."""
        return difference(self.found, self.expected)


def check_operators(loop: Loop) -> list[OperatorCheck]:
    """The first use of each operator, forward order, in float64 on a few samples; the loop must be new."""
    loop.net.eval()
    loop.net.double()
    images = engine.tensor(loop.images[:SAMPLES], dtype=engine.float64).requires_grad_()
    loss = loop.loss(loop.net(loop.rows(images)), engine.from_numpy(loop.labels[:SAMPLES]))
    seen: set[str] = set()
    found = []
    random = np.random.default_rng(loop.seed)
    with np.errstate(all="ignore"):
        for node in topological_order(loss):
            if node.primitive is None or node.primitive.name in seen:
                continue
            seen.add(node.primitive.name)
            for index, operand in enumerate(node.inputs):
                if operand.requires_grad:
                    found.append(_checked(node, index, random))
    return found


def _checked(node: Tensor, index: int, random: np.random.Generator) -> OperatorCheck:
    operands = [_plain(operand) for operand in node.inputs]
    point = operands[index].numpy()
    direction = random.standard_normal(point.shape)
    weights = engine.tensor(random.standard_normal(node.shape), dtype=engine.float64)

    def applied(operand: Tensor) -> Tensor:
        output = Tensor.apply(node.primitive, (*operands[:index], operand, *operands[index + 1 :]))
        return (output * weights).sum()

    def moved(distance: float) -> float:
        return float(applied(engine.tensor(point + distance * direction, dtype=engine.float64)).item())

    here = engine.tensor(point, dtype=engine.float64).requires_grad_()
    (slope,) = grad(applied(here), [here])
    along = float((slope.numpy() * direction).sum())
    return OperatorCheck(node.primitive.name, index, along, float(central_difference(moved, [0.0])))


def _plain(operand: Any) -> Any:
    return operand.detach() if isinstance(operand, Tensor) else operand.value
