"""Convolutions of the cpu backend, and what is contracted for their gradients, against torch's."""

from __future__ import annotations

import random
from typing import Any, get_args

import numpy as np
import pytest
import torch

from engine.backends.cpu import convolution
from engine.backends.interface import Contraction
from engine.errors import ShapeError
from engine.geometry import Geometry
from tests.engine.test_cpu_matmul import PROCESSORS, check_on
from tests.engine.test_geometry import random_arguments

TOLERANCE = {"float64": 1e-12, "float32": 2e-5}


def expected(geometry: Geometry, missing: str, first: Any, second: Any) -> Any:
    """The contraction by torch, in double precision."""
    options = {name: getattr(geometry, name) for name in ("stride", "padding", "dilation", "groups")}
    a, b = torch.tensor(first, dtype=torch.float64), torch.tensor(second, dtype=torch.float64)
    if missing == "output":
        return torch.nn.functional.conv2d(a, b, **options).numpy()
    if missing == "input":
        return torch.nn.grad.conv2d_input(geometry.input_shape, b, a, **options).numpy()
    return torch.nn.grad.conv2d_weight(a, geometry.weight_shape, b, **options).numpy()


def shapes(geometry: Geometry, missing: str) -> tuple[tuple[int, ...], ...]:
    """Of the first operand, of the second, and of what is missing."""
    names = {
        "output": ("input", "weight", "output"),
        "input": ("output", "weight", "input"),
        "weight": ("input", "output", "weight"),
    }
    first, second, third = (getattr(geometry, f"{name}_shape") for name in names[missing])
    return first, second, third


def check(geometry: Geometry, missing: Contraction, dtype: str, threads: int = 1) -> None:
    """Run over memory that holds NaN, so that an element left out cannot pass for one that was computed."""
    values = np.random.default_rng(geometry.batch)
    a, b, c = shapes(geometry, missing)
    first, second = values.normal(size=a).astype(dtype), values.normal(size=b).astype(dtype)
    out = np.full(int(np.prod(c)), np.nan, dtype)
    convolution.plan(geometry, missing, dtype, threads)(out, first.reshape(-1), second.reshape(-1))
    wanted = expected(geometry, missing, first, second).reshape(-1)
    scale = max(abs(wanted).max(initial=0.0), 1.0)
    error = abs(out - wanted).max(initial=0.0)
    assert error <= TOLERANCE[dtype] * scale, (geometry, missing, dtype, threads, error)


def check_random_convolutions(count: int) -> None:
    done = 0
    for number in range(2 * count):
        input_shape, weight_shape, options = random_arguments(number)
        try:
            geometry = Geometry.of(input_shape, weight_shape, **options)
        except ShapeError:
            continue
        if geometry.batch == 0:
            continue
        for missing in get_args(Contraction):
            check(geometry, missing, random.Random(number).choice(list(TOLERANCE)))
        done += 1
        if done == count:
            return
    raise AssertionError(f"only {done} geometries of {count}")


def test_random_convolutions() -> None:
    check_random_convolutions(300)


@pytest.mark.parametrize("processor", PROCESSORS)
def test_other_processors(processor: str) -> None:
    check_on(processor, __name__, "check_random_convolutions(60)")


@pytest.mark.parametrize("missing", get_args(Contraction))
@pytest.mark.parametrize(
    ("input_shape", "weight_shape", "options"),
    [
        ((16, 1, 28, 28), (6, 1, 5, 5), {"padding": 2}),
        ((16, 6, 14, 14), (16, 6, 5, 5), {}),
        ((4, 64, 17, 15), (70, 64, 3, 3), {"padding": 1}),
        ((4, 32, 33, 33), (32, 1, 3, 3), {"padding": 1, "groups": 32}),
        ((3, 48, 20, 20), (96, 24, 3, 3), {"stride": 2, "groups": 2}),
        ((2, 128, 9, 9), (64, 128, 1, 1), {}),
        ((5, 3, 64, 64), (40, 3, 7, 7), {"stride": 4, "padding": 3, "dilation": 2}),
        ((2, 300, 1, 200), (20, 300, 1, 3), {"padding": (0, 1)}),
    ],
)
def test_layers(missing: Contraction, input_shape: Any, weight_shape: Any, options: dict[str, Any]) -> None:
    """Layers as nets have them, in both precisions, with one thread and two."""
    geometry = Geometry.of(input_shape, weight_shape, **options)
    for dtype in TOLERANCE:
        for threads in (1, 2):
            check(geometry, missing, dtype, threads)


@pytest.mark.parametrize("missing", get_args(Contraction))
def test_nothing_to_add_up(missing: Contraction) -> None:
    """An empty batch gives an empty result, or a gradient of zeros."""
    geometry = Geometry.of((0, 2, 5, 5), (3, 2, 3, 3))
    a, b, c = shapes(geometry, missing)
    out = np.full(int(np.prod(c)), np.nan)
    convolution.plan(geometry, missing, "float64", 1)(out, np.ones(a).reshape(-1), np.ones(b).reshape(-1))
    assert not out.any()
