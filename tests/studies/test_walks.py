"""Timed walks: enlarged views keep their arrangement, and lines are counted as the law says. No timings."""

import numpy as np
import pytest

from engine.layout import layout
from engine.studies.view_steps import LINE_ELEMENTS, reach
from engine.studies.walks import compare, enlarged, kernel

SPAN = 2**14


@pytest.mark.parametrize(
    ("shape", "strides"),
    [
        ((12,), (1,)), ((6, 8), (8, 1)), ((8, 6), (1, 8)), ((5,), (2,)), ((5,), (-3,)), ((4, 3), (0, 1)),
        ((4, 6), (2, 8)), ((2, 3, 4), (1, 8, 2)), ((3, 3), (1, 1)), ((), ()), ((3,), (1000,)), ((3,), (0,)),
    ],
)  # fmt: skip
def test_an_enlarged_view_is_arranged_as_the_small_one(
    shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    large = enlarged(layout(shape, strides), SPAN)
    low, high = reach(large, 0)
    assert high - low + 1 <= SPAN
    assert large.size <= SPAN
    assert smallest(large.strides) == smallest(strides)
    assert {np.sign(s) for s in large.strides} <= {np.sign(s) for s in strides}


def smallest(strides: tuple[int, ...]) -> int:
    return min((abs(stride) for stride in strides if stride), default=1)


def test_a_transpose_stays_a_transpose() -> None:
    rows, columns = (large := enlarged(layout((8, 6), (1, 8)), SPAN)).shape
    assert large.strides == (1, rows)
    assert rows * columns > SPAN / 4


@pytest.mark.parametrize(
    ("shape", "strides", "kept", "lost"),
    [
        ((6, 8), (8, 1), 1.0, 1.0),
        ((50,), (2,), 2.0, 2.0),
        ((50,), (16,), 16.0, 16.0),
        ((8, 6), (1, 8), 1.0, 16.0),
    ],
)
def test_predicted_ratios_follow_the_law(
    shape: tuple[int, ...], strides: tuple[int, ...], kept: float, lost: float
) -> None:
    comparison = compare(layout(shape, strides), SPAN)
    assert comparison.predicted == pytest.approx((kept, lost), rel=0.05)
    lines = comparison.contiguous.elements / LINE_ELEMENTS
    assert comparison.contiguous.lines == pytest.approx(lines, abs=1)
    assert len(comparison.view.seconds) == len(comparison.contiguous.seconds)


def test_the_walk_visits_what_the_strides_say() -> None:
    buffer = np.random.default_rng(0).integers(0, 9, 200).astype(np.float32)
    shape, strides = np.array([1, 2, 1, 3, 2, 4]), np.array([0, 50, 7, -3, 1, 9])
    view = np.lib.stride_tricks.as_strided(buffer[20:], shape, 4 * strides)
    assert kernel()(buffer, 20, shape, strides) == view.sum()


def test_nothing_cannot_be_walked() -> None:
    with pytest.raises(ValueError, match="no elements"):
        compare(layout((0, 3), (3, 1)))
