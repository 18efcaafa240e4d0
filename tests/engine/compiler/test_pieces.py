"""Gradients of slices are put side by side, not added; the numbers are torch's, and so is what overlaps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
import engine.nn.functional
from engine.compiler.pieces import disjoint
from engine.compiler.program import Storage, View
from engine.compiler.report import name_of
from engine.compiler.step import Traced, trace
from engine.dtypes import float32
from engine.layout import Layout

SHAPE = (2, 3, 6, 8)


def values() -> Any:
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


def gradient_of(function: Callable[[Any, Any], Any]) -> tuple[Traced, Any]:
    """The gradient of Σ function(library, x)³ as a traced function of x, and its argument."""
    leaf = engine.tensor(values(), requires_grad=True)

    def gradient(x: Any) -> Any:
        (function(engine, x) ** 3).sum().backward()
        return x.grad

    return trace(gradient, (leaf,)), leaf


def by_torch(function: Callable[[Any, Any], Any]) -> Any:
    leaf = torch.tensor(values(), requires_grad=True)
    (function(torch, leaf) ** 3).sum().backward()
    return leaf.grad.numpy()


def halves(_: Any, x: Any) -> Any:
    return x[..., ::2].sin() * x[..., 1::2]


def heads(_: Any, x: Any) -> Any:
    return x[:, 0] * x[:, 1].exp() + x[:, 2]


def pooled(library: Any, x: Any) -> Any:
    return library.nn.functional.max_pool2d(x.tanh(), 2)


def corners(_: Any, x: Any) -> Any:
    return x[..., :2, :2] * x[..., -2:, -2:]


def neighbours(_: Any, x: Any) -> Any:
    return x[..., 1:].sin() * x[..., :-1]


def partly(_: Any, x: Any) -> Any:
    return x[..., :4].exp() * x[..., 4:] * x[..., 2:6]


@pytest.mark.parametrize(
    ("function", "sums", "zeros"),
    [(halves, 0, 0), (heads, 0, 0), (pooled, 0, 0), (corners, 0, 1), (neighbours, 1, 2), (partly, 2, 3)],
)
def test_gradients_of_slices(function: Callable[[Any, Any], Any], sums: int, zeros: int) -> None:
    """Sums that remain, and arrays that are filled with zeros, are as many as the slices overlap or leave
    out; before kernels are compiled, after, and watched, the gradient is torch's."""
    made, leaf = gradient_of(function)
    large = [node for node in made.executable.nodes if node.target.layout.shape == SHAPE]
    assert sum(name_of(node) == "add" for node in large) == sums
    assert sum(name_of(node) == "copy" and node.operands == (0.0,) for node in large) == zeros
    wanted = by_torch(function)
    interpreted = made((leaf,))
    watched = made.xray((leaf,)).result
    made.executable.compile()
    for found in (interpreted, watched, made((leaf,)), made((leaf,))):
        np.testing.assert_allclose(np.array(found), wanted, rtol=2e-5, atol=2e-6)


def test_a_gradient_that_is_the_result() -> None:
    """The sum that is not made is what the function gives: it is found in its pieces."""

    def function(_: Any, x: Any) -> Any:
        return x[..., ::2] - 2.0 * x[..., 1::2]

    def gradient(x: Any) -> Any:
        function(engine, x).sum().backward()
        return x.grad

    leaf = engine.tensor(values(), requires_grad=True)
    made = trace(gradient, (leaf,))
    wanted = np.broadcast_to(np.array([1.0, -2.0] * (SHAPE[-1] // 2), np.float32), SHAPE)
    found = [made((leaf,)), made.xray((leaf,)).result]
    made.executable.compile()
    for result in (*found, made((leaf,))):
        assert np.array_equal(np.array(result), wanted)


@pytest.mark.parametrize("seed", range(20))
def test_disjoint_views(seed: int) -> None:
    """Whether two strided views share an element, against sets of their places."""
    random = np.random.default_rng(seed)
    storage, views, places = Storage(200, float32), [], []
    for _ in range(2):
        lengths, strides = random.integers(1, 4, 3).tolist(), random.integers(0, 20, 3).tolist()
        offset = int(random.integers(0, 60))
        views.append(View(storage, None, Layout(tuple(lengths), tuple(strides)), offset))
        indices = np.indices(lengths).reshape(3, -1)
        places.append(set((offset + np.array(strides) @ indices).tolist()))
    assert disjoint(*views) == places[0].isdisjoint(places[1])
