"""How sharply the loss bends: the largest eigenvalue of its Hessian, by power iteration."""

from __future__ import annotations

import numpy as np

import engine
from engine import functional
from engine.playground.gradients import replace
from engine.playground.model import mean_loss
from engine.playground.network import Network
from engine.playground.run import Still
from engine.tensor import Tensor

ITERATIONS = 12


def largest_curvature(still: Still, iterations: int = ITERATIONS) -> float:
    """L, the eigenvalue of largest size of the Hessian of the mean loss on the training points.

    Gradient descent on a parabola of curvature L > 0 overshoots further at each step once its rate is above
    2/L. Each iteration is one Hessian-vector product (`functional.hvp`), so nothing of size parameters² is
    ever made. Batch norm uses its running statistics; the penalty is left out.
    """
    net = Network(still.setup)
    net.take_over(still.net)
    net.eval()
    inputs, targets = engine.from_numpy(still.train.inputs), engine.from_numpy(still.train.targets)
    names = [f"{kind}.{layer}" for layer in range(len(net.linears())) for kind in ("weight", "bias")]
    point = [tensor.detach().clone() for linear in net.linears() for tensor in (linear.weight, linear.bias)]

    def loss(*tensors: Tensor) -> Tensor:
        for name, tensor in zip(names, tensors, strict=True):
            replace(net, name, tensor)
        return mean_loss(still.setup, net(inputs), targets)

    draw = np.random.default_rng(0)
    direction = [draw.standard_normal(tensor.shape).astype(np.float32) for tensor in point]
    largest = 0.0
    for _ in range(iterations):
        length = _length(direction)
        if not np.isfinite(length) or length == 0.0:
            return length
        unit = [part / np.float32(length) for part in direction]
        _, product = functional.hvp(loss, tuple(point), tuple(map(engine.from_numpy, unit)))
        direction = [part.numpy() for part in product]
        largest = float(sum((a * b).sum() for a, b in zip(unit, direction, strict=True)))
    return largest


def _length(direction: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(float((part.astype(np.float64) ** 2).sum()) for part in direction)))
