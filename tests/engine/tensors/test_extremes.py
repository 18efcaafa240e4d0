"""Largest and smallest elements, which vector instructions find several at a time, against torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine

ARRANGED: dict[str, Callable[[Any], Any]] = {
    "contiguous": lambda x: x,
    "transposed": lambda x: x.T,
    "every third": lambda x: x[:, ::3],
    "from the second row on": lambda x: x[1:],
    "a single row repeated": lambda x: x[:1].expand(7, -1),
}
SPECIAL: list[tuple[type, list[float]]] = [(np.int64, [])] + [
    (dtype, special)
    for dtype in (np.float32, np.float64)
    for special in ([], [np.nan], [np.inf, -np.inf], [np.nan, np.inf, -np.inf])
]


@pytest.mark.parametrize("arranged", ARRANGED.values(), ids=ARRANGED)
@pytest.mark.parametrize(("dtype", "special"), SPECIAL)
def test_extremes_are_those_of_torch(
    dtype: type, special: list[float], arranged: Callable[[Any], Any]
) -> None:
    generator = np.random.default_rng(len(special))
    values: Any = (100 * generator.standard_normal((5, 131))).astype(dtype)
    values.reshape(-1)[generator.choice(values.size, len(special), replace=False)] = special
    ours, theirs = arranged(engine.tensor(values)), arranged(torch.tensor(values))
    for dims in ((), 0, 1):
        for name in ("amax", "amin"):
            found, expected = getattr(ours, name)(dims), getattr(theirs, name)(dims)
            np.testing.assert_array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize("place", [0, 1, 63, 64, 1000, 1023])
def test_a_nan_is_found_wherever_it_is(place: int) -> None:
    values = np.arange(1024, dtype=np.float32)
    values[place] = np.nan
    x = engine.tensor(values)
    assert np.isnan(x.amax().item())
    assert np.isnan(x.amin().item())
    assert np.isnan(engine.tensor(np.stack([values] * 3)).amax(0).numpy()[place])


def test_no_elements_have_no_extreme() -> None:
    with pytest.raises(engine.ShapeError, match="over no elements"):
        engine.zeros(0, 3).amax(0)
    assert engine.zeros(0, 3).amax(1).shape == (0,)


def test_the_same_reduction_named_by_a_list() -> None:
    x = engine.arange(24.0).reshape(2, 3, 4)
    assert x.amax([0, 2]).tolist() == [15.0, 19.0, 23.0]
    assert x.sum([0, -1]).tolist() == [60.0, 92.0, 124.0]
