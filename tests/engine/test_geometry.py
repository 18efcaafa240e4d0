"""Sizes of convolutions are torch's, and shapes that do not fit are refused by name."""

from __future__ import annotations

import random

import pytest
import torch

from engine.errors import ShapeError
from engine.geometry import Geometry


def random_arguments(number: int) -> tuple[tuple[int, ...], tuple[int, ...], dict[str, object]]:
    """Input shape, weight shape and options of some convolution, which need not be possible."""
    draw = random.Random(number)
    groups = draw.choice((1, 1, 1, 2, 3))
    channels, outputs = groups * draw.randint(1, 3), groups * draw.randint(1, 3)
    size = draw.randint(1, 12), draw.randint(1, 12)
    kernel = draw.randint(1, 5), draw.randint(1, 5)
    options: dict[str, object] = {
        name: draw.choice((draw.randint(least, 3), (draw.randint(least, 3), draw.randint(least, 3))))
        for name, least in (("stride", 1), ("padding", 0), ("dilation", 1))
    }
    return (
        (draw.randint(0, 3), channels, *size),
        (outputs, channels // groups, *kernel),
        options | {"groups": groups},
    )


def test_output_shape() -> None:
    possible = 0
    for number in range(500):
        input_shape, weight_shape, options = random_arguments(number)
        arguments = torch.empty(input_shape, device="meta"), torch.empty(weight_shape, device="meta")
        try:
            expected = tuple(torch.nn.functional.conv2d(*arguments, **options).shape)
        except RuntimeError:
            with pytest.raises(ShapeError):
                Geometry.of(input_shape, weight_shape, **options)
            continue
        geometry = Geometry.of(input_shape, weight_shape, **options)
        assert geometry.output_shape == expected
        assert geometry.input_shape == input_shape
        assert geometry.weight_shape == weight_shape
        possible += 1
    assert 300 < possible < 500


@pytest.mark.parametrize(
    ("input_shape", "weight_shape", "options", "told"),
    [
        ((2, 3, 5), (1, 3, 3, 3), {}, "unsqueeze"),
        ((2, 3, 5, 5), (1, 2, 3, 3), {}, "axis 1"),
        ((2, 4, 5, 5), (3, 2, 3, 3), {"groups": 2}, "axis 0"),
        ((2, 4, 5, 5), (3, 2, 3, 3), {"groups": 0}, "groups=0"),
        ((2, 3, 5, 2), (1, 3, 3, 3), {}, "width"),
        ((2, 3, 5, 5), (1, 3, 3, 3), {"dilation": 3}, "spans 7"),
        ((2, 3, 5, 5), (1, 3, 3, 3), {"stride": 0}, "stride"),
        ((2, 3, 5, 5), (1, 3, 3, 3), {"padding": -1}, "padding"),
    ],
)
def test_refused(
    input_shape: tuple[int, ...], weight_shape: tuple[int, ...], options: dict[str, int], told: str
) -> None:
    with pytest.raises(ShapeError, match=told):
        Geometry.of(input_shape, weight_shape, **options)
