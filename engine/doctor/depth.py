"""How large a signal and its gradient are after many layers: measured in nets, beside the law.

A layer is h ← W φ(h), or h ← h + W φ(h) with a residual connection, with n units and weights of variance σ².
For wide layers the mean square q of h and that of its gradient follow

    q ← σ² n E[φ(√q z)²] (+ q)        g ← σ² n E[φ'(√q z)²] g (+ g),        z standard normal,

where both expectations are 1/2 for ReLU (q aside): He et al. 2015, "Delving Deep into Rectifiers"; for tanh
Poole et al. 2016, "Exponential expressivity in deep neural networks through transient chaos".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

import engine
from engine.autograd import grad
from engine.backends.cpu.arrival import patience
from engine.doctor.loop import Doubles, Floats, digits
from engine.nn import functional as F  # noqa: N812
from engine.tensor import Tensor

WIDTH = 64
SAMPLES = 100
NODES = np.linspace(-10.0, 10.0, 20_000)  # to integrate over a normal distribution; 0 is none of them
MASSES = np.exp(-0.5 * NODES**2)
FUNCTIONS: Mapping[str, tuple[Callable[[Doubles], Doubles], Callable[[Doubles], Doubles]]] = {
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: (x > 0).astype(np.float64)),
    "tanh": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
    "linear": (lambda x: x, np.ones_like),
}


@dataclass(frozen=True)
class Scheme:
    """A way to draw first weights: `deviation` is their σ."""

    name: str
    deviation: float


@dataclass(frozen=True)
class Sizes:
    """Root mean squares layer by layer, from the input of the first layer on.

    signal, gradient      [nets, depth + 1] measured; the gradient over that at the end
    signal_law, gradient_law  [depth + 1] what the law says for the same input
    """

    scheme: Scheme
    signal: Doubles
    gradient: Doubles
    signal_law: Doubles
    gradient_law: Doubles


def schemes(scale: float) -> tuple[Scheme, ...]:
    """The usual ones for layers with as many inputs as outputs, and a multiple of He's."""
    he = np.sqrt(2.0 / WIDTH)
    return (
        Scheme("0.01", 0.01),
        Scheme("Glorot", float(np.sqrt(2.0 / (2 * WIDTH)))),
        Scheme("He", float(he)),
        Scheme("1", 1.0),
        Scheme("yours", float(scale * he)),
    )


def measure(scheme: Scheme, depth: int, activation: str, residual: bool, nets: int, seed: int) -> Sizes:
    """Nets of one scheme on standardised digits; the loss is a random sum of what comes out."""
    found = [
        _sizes(weights(scheme, depth, seed + net), activation, residual, seed + net) for net in range(nets)
    ]
    signal, gradient = (np.array(part) for part in zip(*found, strict=True))
    first = float(np.square(inputs()).mean())
    signal_law, gradient_law = law(first, scheme.deviation, depth, activation, residual)
    return Sizes(scheme, signal, gradient, signal_law, gradient_law)


def inputs() -> Floats:
    """Standardised digits [SAMPLES, WIDTH]."""
    images = digits()[0][0][:SAMPLES].reshape(SAMPLES, WIDTH)
    standardised: Floats = (images - images.mean()) / images.std()
    return standardised


def weights(scheme: Scheme, depth: int, seed: int) -> Floats:
    """Of all layers [depth, WIDTH, WIDTH]; the same normal numbers for every scheme."""
    drawn = np.random.default_rng(seed).standard_normal((depth, WIDTH, WIDTH))
    return (drawn * scheme.deviation).astype(np.float32)


def _sizes(layers: Floats, activation: str, residual: bool, seed: int) -> tuple[list[float], list[float]]:
    with patience():
        h = engine.from_numpy(inputs()).requires_grad_()
        signals = [h]
        for weight in layers:
            inner = F.linear(_activated(h, activation), engine.from_numpy(weight))
            h = h + inner if residual else inner
            signals.append(h)
        pull = np.random.default_rng([seed, 1]).standard_normal(h.shape).astype(np.float32)
        gradients = grad((h * engine.from_numpy(pull)).sum(), signals)
        sizes = [rms(gradient) for gradient in gradients]
        return [rms(signal) for signal in signals], [size / sizes[-1] for size in sizes]


def _activated(h: Tensor, activation: str) -> Tensor:
    if activation == "linear":
        return h
    return h.relu() if activation == "relu" else h.tanh()


def law(
    first: float, deviation: float, depth: int, activation: str, residual: bool
) -> tuple[Doubles, Doubles]:
    """Root mean squares of signal and gradient [depth + 1]; `first` is the mean square of the input."""
    function, slope = FUNCTIONS[activation]
    power = deviation**2 * WIDTH
    squares, factors = [first], []
    for _ in range(depth):
        q = squares[-1]
        spread = np.sqrt(q) * NODES
        squares.append(power * _mean(function(spread) ** 2) + residual * q)
        factors.append(power * _mean(slope(spread) ** 2) + residual)
    gradients = np.cumprod([1.0, *reversed(factors)])[::-1]
    return np.sqrt(squares), np.sqrt(gradients)


def _mean(values: Doubles) -> float:
    return float((values * MASSES).sum() / MASSES.sum())


def rms(tensor: Tensor) -> float:
    return float(np.sqrt(np.square(tensor.detach().numpy(), dtype=np.float64).mean()))
