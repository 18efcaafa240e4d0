"""Pooling against torch, ties and NaN included."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as torch_functional

import engine
import engine.nn.functional as F  # noqa: N812
from engine.errors import ShapeError
from tests.engine.nn.against_torch import check, close, numbers

IMAGE_OPTIONS = [
    {"kernel_size": 2},
    {"kernel_size": (3, 2)},
    {"kernel_size": (1, 1)},
    {"kernel_size": 2, "stride": 1},
    {"kernel_size": 3, "stride": (2, 1), "padding": 1},
    {"kernel_size": (2, 3), "stride": 2, "padding": (0, 1)},
    {"kernel_size": 2, "stride": 3},
    {"kernel_size": 3, "ceil_mode": True},
    {"kernel_size": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "padding": (1, 0), "ceil_mode": True},
]
SEQUENCE_OPTIONS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": (3,), "stride": (1,), "padding": (0,), "ceil_mode": True},
    {"kernel_size": 4, "stride": 3, "ceil_mode": True},
]
IMAGES = [(2, 3, 5, 6), (3, 6, 7)]
SEQUENCES = [(2, 3, 8), (3, 7)]
CASES = [("pool2d", shape, options) for shape in IMAGES for options in IMAGE_OPTIONS] + [
    ("pool1d", shape, options) for shape in SEQUENCES for options in SEQUENCE_OPTIONS
]


def call(library: Any, name: str, options: dict[str, Any]) -> Any:
    return lambda x: getattr(library, name)(x, **options)


def both(name: str, options: dict[str, Any]) -> tuple[Any, Any]:
    return call(F, name, options), call(torch_functional, name, options)


@pytest.mark.parametrize(("name", "shape", "options"), CASES)
def test_largest(name: str, shape: tuple[int, ...], options: dict[str, Any]) -> None:
    functions = both(f"max_{name}", options)
    check(*functions, numbers(*shape))
    check(*functions, numbers(*shape).astype(np.float32))
    ties = (
        np.random.default_rng(4).integers(-1, 2, shape).astype(float)
    )  # the first one receives the gradient
    check(*functions, ties)
    check(*functions, np.zeros(shape))


@pytest.mark.parametrize(("name", "shape", "options"), CASES)
def test_largest_with_dilation(name: str, shape: tuple[int, ...], options: dict[str, Any]) -> None:
    functions = both(f"max_{name}", {**options, "kernel_size": 2, "dilation": 2})
    check(*functions, numbers(*shape))
    check(*functions, np.zeros(shape))


def test_a_nan_is_the_largest() -> None:
    for place in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 2)):
        x = numbers(1, 1, 4, 4)
        x[0, 0][place] = np.nan
        found = F.max_pool2d(engine.tensor(x), 2)
        close(found, torch_functional.max_pool2d(torch.tensor(x), 2))


@pytest.mark.parametrize(("name", "shape", "options"), CASES)
@pytest.mark.parametrize("count_include_pad", [True, False])
def test_mean(name: str, shape: tuple[int, ...], options: dict[str, Any], count_include_pad: bool) -> None:
    functions = both(f"avg_{name}", {**options, "count_include_pad": count_include_pad})
    check(*functions, numbers(*shape))
    check(*functions, numbers(*shape).astype(np.float32))


@pytest.mark.parametrize("name", ["avg_pool2d", "max_pool2d"])
def test_second_derivatives(name: str) -> None:
    check(*both(name, {"kernel_size": 2, "stride": 1}), numbers(1, 2, 3, 4), second=True)


@pytest.mark.parametrize("output_size", [1, 2, (3, 1), (6, 4)])
def test_adaptive_mean(output_size: Any) -> None:
    functions = both("adaptive_avg_pool2d", {"output_size": output_size})
    check(*functions, numbers(2, 3, 6, 4))
    check(*functions, numbers(3, 6, 4).astype(np.float32))


def test_errors_name_the_shapes() -> None:
    image = engine.zeros(2, 3, 5, 6)
    with pytest.raises(ShapeError, match=r"max_pool2d.*\[batch, channels, height, width\].*\(5, 6\)"):
        F.max_pool2d(engine.zeros(5, 6), 2)
    with pytest.raises(ShapeError, match=r"avg_pool1d.*\(2, 3, 5, 6\)"):
        F.avg_pool1d(image, 2)
    with pytest.raises(ShapeError, match=r"windows of 6 do not fit dimension -2 of \(2, 3, 5, 6\)"):
        F.avg_pool2d(image, 6)
    with pytest.raises(ShapeError, match="half the kernel"):
        F.max_pool2d(image, 2, padding=2)
    with pytest.raises(ShapeError, match="at least 1"):
        F.max_pool2d(image, 2, stride=0)
    with pytest.raises(ShapeError, match=r"\(2, 2, 2\)"):
        F.max_pool2d(image, (2, 2, 2))
    with pytest.raises(ShapeError, match=r"2 x 2.*\(2, 3, 5, 6\)"):
        F.adaptive_avg_pool2d(image, 2)
