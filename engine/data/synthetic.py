"""Points in the plane by published formulas: the six sets of MiniTorch, and those of TensorFlow Playground.

Sources: minitorch/datasets.py (github.com/minitorch/minitorch) and src/dataset.ts (github.com/tensorflow/
playground). The formulas are theirs; the random numbers come from numpy, so the points are not. Playground's
noise moves a point before its label is read off, not the point that is given; spirals are moved themselves.
MiniTorch has no noise; here it acts on its sets as in Playground.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engine.data.samples import Samples

Points = NDArray[np.float64]  # [n, 2]
Labels = NDArray[Any]  # [n]
COLUMNS = ("x1", "x2")


def minitorch(name: str, n: int = 100, seed: int = 0, noise: float = 0.0) -> Samples:
    """One of MiniTorch's sets, in the unit square, with classes 0 and 1.

    name   "Simple", "Diag", "Split", "Xor", "Circle" or "Spiral"
    noise  how far points are moved before they are labelled: uniform, at most noise / 2 in each direction
    """
    points, labels = _made(name, MINITORCH, n, noise, seed)
    return Samples(points.astype(np.float32), labels.astype(np.int64), COLUMNS, ("0", "1"))


def playground(name: str, n: int = 500, seed: int = 0, noise: float = 0.0) -> Samples:
    """One of TensorFlow Playground's sets, in -6 … 6, with classes 0 (its -1) and 1, or values from -1 to 1.

    name   "circle", "xor", "gauss" or "spiral"; "reg-plane" or "reg-gauss" to predict a value
    noise  0 to 0.5 (its slider shows per cent): how far points are moved before they are labelled, as a
           share of the set's radius; for "gauss" how wide the clouds are
    """
    points, labels = _made(name, PLAYGROUND, n, noise, seed)
    if name.startswith("reg-"):
        return Samples(points.astype(np.float32), labels.astype(np.float32), COLUMNS)
    return Samples(points.astype(np.float32), (labels > 0).astype(np.int64), COLUMNS, ("-1", "1"))


def _made(name: str, sets: dict[str, Make], n: int, noise: float, seed: int) -> tuple[Points, Labels]:
    if name not in sets:
        raise ValueError(f"there is no set {name!r}; choose one of {', '.join(sets)}")
    if n < 1 or noise < 0:
        raise ValueError(f"n must be at least 1 and noise at least 0, and {n} and {noise} were given")
    return sets[name](n, noise, np.random.default_rng(seed))


def _half(n: int) -> int:
    if n % 2:
        raise ValueError(f"two classes of equal size need an even number of points, and {n} was given")
    return n // 2


# ---- MiniTorch


def _square(rule: Callable[[Any, Any], Any]) -> Make:
    """Uniform points in the unit square, labelled by a rule."""

    def make(n: int, noise: float, random: Generator) -> tuple[Points, Labels]:
        points = random.random((n, 2))
        moved = points + noise * random.uniform(-0.5, 0.5, (n, 2))
        return points, rule(*moved.T)

    return make


def _minitorch_spiral(n: int, noise: float, random: Generator) -> tuple[Points, Labels]:
    """Two arms round (0.5, 0.5): (x(t), y(t)) = t·(cos t, sin t) / 20, and (y(-t), x(-t)). Without noise,
    nothing is random."""
    half = _half(n)
    t = 10.0 * np.arange(5, 5 + half) / half
    x, y = t * np.cos(t) / 20.0, t * np.sin(t) / 20.0
    arms = np.concatenate([np.stack([x, y], 1), np.stack([y, -x], 1)]) + 0.5  # y is even in t, x odd
    return arms + noise * random.uniform(-0.1, 0.1, (n, 2)), np.repeat([0, 1], half)


# ---- TensorFlow Playground


def _circle(n: int, noise: float, random: Generator) -> tuple[Points, Labels]:
    radius = 5.0
    half = _half(n)
    r = np.concatenate([random.uniform(0, 0.5 * radius, half), random.uniform(0.7 * radius, radius, half)])
    angle = random.uniform(0, 2 * pi, n)
    points = np.stack([r * np.sin(angle), r * np.cos(angle)], 1)
    moved = points + noise * random.uniform(-radius, radius, (n, 2))
    return points, np.where(np.hypot(*moved.T) < 0.5 * radius, 1, -1)


def _xor(n: int, noise: float, random: Generator) -> tuple[Points, Labels]:
    padding = 0.3
    points = random.uniform(-5, 5, (n, 2))
    points += np.where(points > 0, padding, -padding)
    moved = points + noise * random.uniform(-5, 5, (n, 2))
    return points, np.where(moved[:, 0] * moved[:, 1] >= 0, 1, -1)


def _gauss(n: int, noise: float, random: Generator) -> tuple[Points, Labels]:
    """Two clouds, at (2, 2) and (-2, -2), whose variance goes from 0.5 without noise to 4 at noise 0.5."""
    spread = np.sqrt(0.5 + 7.0 * noise)
    labels = np.repeat([1, -1], _half(n))
    return random.normal(0, spread, (n, 2)) + 2.0 * labels[:, None], labels


def _playground_spiral(n: int, noise: float, random: Generator) -> tuple[Points, Labels]:
    """Two arms of radius 0 to 5 in 1.75 turns, half a turn apart."""
    half = _half(n)
    share = np.arange(half) / half
    angle = np.concatenate([1.75 * share * 2 * pi, 1.75 * share * 2 * pi + pi])
    r = np.tile(5 * share, 2)
    points = np.stack([r * np.sin(angle), r * np.cos(angle)], 1)
    return points + noise * random.uniform(-1, 1, (n, 2)), np.repeat([1, -1], half)


def _field(value: Callable[[Points], Labels]) -> Make:
    """Uniform points in -6 … 6, each with the value of a function."""

    def make(n: int, noise: float, random: Generator) -> tuple[Points, Labels]:
        points = random.uniform(-6, 6, (n, 2))
        return points, value(points + noise * random.uniform(-6, 6, (n, 2)))

    return make


def _plane(points: Points) -> Labels:
    return np.asarray(points.sum(axis=1) / 10.0)


def _hills(points: Points) -> Labels:
    """Six cones of radius 2, by turns up and down; where two overlap, the value of larger magnitude."""
    peaks = np.array([[-4, 2.5], [0, 2.5], [4, 2.5], [-4, -2.5], [0, -2.5], [4, -2.5]])
    signs = np.array([1, -1, 1, -1, 1, -1])
    distance = np.linalg.norm(points[:, None] - peaks, axis=2)
    heights = signs * np.clip(1.0 - distance / 2.0, 0.0, 1.0)
    largest = np.abs(heights).argmax(axis=1)
    return np.take_along_axis(heights, largest[:, None], axis=1)[:, 0]


Make = Callable[[int, float, Generator], tuple[Points, Labels]]  # (n, noise, random numbers)

MINITORCH: dict[str, Make] = {
    "Simple": _square(lambda x, y: x < 0.5),
    "Diag": _square(lambda x, y: x + y < 0.5),
    "Split": _square(lambda x, y: (x < 0.2) | (x > 0.8)),
    "Xor": _square(lambda x, y: ((x < 0.5) & (y > 0.5)) | ((x > 0.5) & (y < 0.5))),
    "Circle": _square(lambda x, y: (x - 0.5) ** 2 + (y - 0.5) ** 2 > 0.1),
    "Spiral": _minitorch_spiral,
}

PLAYGROUND: dict[str, Make] = {
    "circle": _circle,
    "xor": _xor,
    "gauss": _gauss,
    "spiral": _playground_spiral,
    "reg-plane": _field(_plane),
    "reg-gauss": _field(_hills),
}
