"""Convolutions against torch, each option in at least two values."""

from typing import Any

import numpy as np
import pytest
import torch.nn.functional as torch_functional

import engine
import engine.nn.functional as F  # noqa: N812
from engine.errors import ShapeError
from tests.engine.nn.against_torch import check, numbers

# input, weight, options
IMAGES = [
    ((2, 3, 5, 6), (4, 3, 3, 2), {}),
    ((3, 5, 6), (4, 3, 3, 2), {}),
    ((1, 2, 4, 4), (2, 2, 1, 1), {}),
    ((2, 3, 5, 6), (4, 3, 3, 2), {"stride": 2}),
    ((2, 3, 5, 6), (4, 3, 3, 2), {"stride": (1, 3), "padding": 1}),
    ((2, 3, 5, 6), (4, 3, 3, 2), {"padding": (2, 1)}),
    ((2, 3, 5, 6), (4, 3, 3, 2), {"dilation": 2, "padding": 2}),
    ((2, 3, 5, 6), (4, 3, 2, 2), {"dilation": (1, 3), "stride": 2}),
    ((2, 4, 5, 6), (6, 2, 3, 2), {"groups": 2}),
    ((2, 3, 5, 6), (3, 1, 3, 3), {"groups": 3, "padding": "same"}),
    ((2, 3, 5, 6), (4, 3, 3, 2), {"padding": "same"}),
    ((2, 3, 5, 6), (4, 3, 2, 4), {"padding": "same", "dilation": (3, 1)}),
    ((2, 3, 5, 6), (4, 3, 3, 2), {"padding": "valid", "stride": 2}),
]
SEQUENCES = [
    ((2, 3, 7), (4, 3, 3), {}),
    ((3, 7), (4, 3, 3), {}),
    ((2, 3, 7), (4, 3, 3), {"stride": 2, "padding": 1}),
    ((2, 3, 7), (4, 3, 3), {"stride": (3,), "padding": (2,), "dilation": (2,)}),
    ((2, 3, 7), (4, 3, 4), {"padding": "same"}),
    ((2, 3, 7), (4, 3, 3), {"padding": "same", "dilation": 2}),
    ((2, 4, 7), (6, 2, 3), {"groups": 2, "padding": "valid"}),
]
CASES = [("conv2d", *case) for case in IMAGES] + [("conv1d", *case) for case in SEQUENCES]


@pytest.mark.parametrize(("name", "input_shape", "weight_shape", "options"), CASES)
def test_convolution(name: str, input_shape: Any, weight_shape: Any, options: dict[str, Any]) -> None:
    def call(library: Any) -> Any:
        return lambda *tensors: getattr(library, name)(*tensors, **options)

    arrays = [numbers(*input_shape), numbers(*weight_shape, seed=1), numbers(weight_shape[0], seed=2)]
    check(call(F), call(torch_functional), *arrays)
    check(call(F), call(torch_functional), *arrays[:2])
    check(call(F), call(torch_functional), *[x.astype(np.float32) for x in arrays])


@pytest.mark.parametrize(
    ("name", "input_shape", "weight_shape", "options"),
    [
        ("conv2d", (1, 2, 4, 4), (2, 1, 2, 3), {"groups": 2, "stride": 2, "padding": 1}),
        ("conv1d", (2, 2, 5), (2, 2, 2), {"dilation": 2}),
    ],
)
def test_second_derivatives(name: str, input_shape: Any, weight_shape: Any, options: dict[str, Any]) -> None:
    def call(library: Any) -> Any:
        return lambda *tensors: getattr(library, name)(*tensors, **options)

    arrays = [numbers(*input_shape), numbers(*weight_shape, seed=1), numbers(weight_shape[0], seed=2)]
    check(call(F), call(torch_functional), *arrays, second=True)


def test_errors_name_the_shapes() -> None:
    image, kernel = engine.zeros(2, 3, 5, 6), engine.zeros(4, 3, 3, 2)
    with pytest.raises(ShapeError, match=r"\(2, 3, 5, 6\).*\(4, 2, 3, 2\).*3 channels"):
        F.conv2d(image, engine.zeros(4, 2, 3, 2))
    with pytest.raises(ShapeError, match=r"bias \(3,\).*\(4, 3, 3, 2\)"):
        F.conv2d(image, kernel, engine.zeros(3))
    with pytest.raises(ShapeError, match="height"):
        F.conv2d(image, engine.zeros(4, 3, 7, 2))
    with pytest.raises(ShapeError, match=r"\(5, 6\)"):
        F.conv2d(engine.zeros(5, 6), kernel)
    with pytest.raises(ShapeError, match=r"conv1d.*\(2, 3, 5, 6\)"):
        F.conv1d(image, engine.zeros(4, 3, 3))
    with pytest.raises(ValueError, match="stride 1"):
        F.conv2d(image, kernel, padding="same", stride=2)
    with pytest.raises(ValueError, match="'full'"):
        F.conv2d(image, kernel, padding="full")
