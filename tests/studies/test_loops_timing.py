"""Timed loops: the compiled orders multiply as numpy does, and lines are predicted by the law. No timings."""

import numpy as np
import pytest

from engine.studies.loops_orders import NESTS
from engine.studies.loops_timing import REPEATS, TILE, kernels, tile_of, time_nests


@pytest.mark.parametrize("order", NESTS)
def test_compiled_orders_multiply(order: str) -> None:
    draw = np.random.default_rng(4)
    a, b = draw.normal(size=(50, 61)).astype(np.float32), draw.normal(size=(61, 53)).astype(np.float32)
    c = np.zeros((50, 53), np.float32)
    kernels()[order](a, b, c, 50, 61, 53, *tile_of(order))
    assert np.allclose(c, a.astype(np.float64) @ b, atol=1e-3)


def test_lines_are_predicted_from_the_innermost_strides() -> None:
    timed = {each.order: each for each in time_nests(40)}
    # float32: a line holds 16, and a step along a column of 40 is always another line
    expected = {"ijk": 1 + 1 / 16, "jik": 1 + 1 / 16, "ikj": 2 / 16, "kij": 2 / 16, "jki": 2.0, "kji": 2.0}
    assert {order: timed[order].lines for order in expected} == expected
    assert timed["tiles"].lines == 2 / (16 * TILE)
    assert timed["jki"].inner == (40, 0, 40)
    assert all(len(each.seconds) == REPEATS for each in timed.values())
