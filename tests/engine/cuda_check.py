"""The cuda backend's kernels, simulated, against the reference backend.

An operation runs as the simulator backend launches it, and as a GPU would be given it, with every access to
memory recorded, so that a race, an index out of bounds or a read of memory that nobody wrote is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import backends
from engine.array import Array
from engine.backends.cuda.backend import Cuda, Gpu
from engine.backends.cuda.kernels.source import Kernel
from engine.backends.cuda.simulated import Simulator
from engine.backends.cuda.simulator import Simulated, simulate
from engine.dtypes import DType
from engine.layout import Layout, layout, narrow, permute

TOLERANCE = {"float32": 1e-5, "float64": 1e-12, "int64": 0.0, "bool": 0.0}


class Recorder(Simulator):
    """Launches with the grids and blocks of a GPU, and checks the record of every launch."""

    def spread(self, size: int) -> tuple[int, int]:
        return Gpu.spread(self, size)  # type: ignore[arg-type]

    def allocate(self, size: int, dtype: DType) -> NDArray[Any]:
        return np.full(size, 113, dtype.numpy)  # what a kernel forgets to write shows

    def compile(self, kernel: Kernel) -> Any:
        return Recorded(simulate(kernel.source, kernel.name))


class Recorded:
    """A kernel that is launched in its recording form."""

    def __init__(self, simulated: Simulated) -> None:
        self.simulated = simulated

    def __getitem__(self, configuration: tuple[Any, Any]) -> Callable[..., Any]:
        return partial(self.simulated.launch, *configuration)


REFERENCE = backends.get("reference")
SIMULATOR = backends.get("simulator")
RECORDER = Cuda("simulator", Recorder())

Arrange = Callable[[Array], Array]


def check(operation: Callable[..., Array], *values: NDArray[Any], arrange: Arrange = lambda x: x) -> None:
    """`operation(backend, *arrays)` gives the same on all three backends."""
    found = []
    for backend in (REFERENCE, SIMULATOR, RECORDER):
        arrays = [arrange(Array.from_numpy(value.copy(), backend)) for value in values]
        found.append(operation(backend, *arrays).numpy())
    expected = found[0]
    for result in found[1:]:
        assert result.shape == expected.shape
        assert result.dtype == expected.dtype
        tolerance = TOLERANCE[expected.dtype.name]
        np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


def sample(*shape: int, dtype: str = "float32", seed: int = 0) -> NDArray[Any]:
    numbers = np.random.default_rng([seed, *shape])
    if dtype == "bool":
        return numbers.random(shape) < 0.5
    if dtype == "int64":
        return numbers.integers(-4, 5, shape)
    return numbers.uniform(-2, 2, shape).astype(dtype)


def cut(*slices: tuple[int, int, int]) -> Arrange:
    def arrange(x: Array) -> Array:
        return x.viewed(*narrow(x.layout, slices))

    return arrange


def seen_as(new: Callable[[Layout], Layout]) -> Arrange:
    return lambda x: x.viewed(new(x.layout))


LAYOUTS: dict[str, tuple[tuple[int, ...], Arrange]] = {
    "no dimensions": ((), lambda x: x),
    "one element": ((1, 1), lambda x: x),
    "empty": ((2, 0, 3), lambda x: x),
    "contiguous": ((3, 4), lambda x: x),
    "transposed": ((3, 4), seen_as(lambda x: permute(x, (1, 0)))),
    "every second": ((5, 6), cut((0, 5, 1), (1, 3, 2))),
    "reversed": ((3, 4), cut((2, 3, -1), (3, 4, -1))),
    "expanded": ((3,), seen_as(lambda x: layout((2, 3, 2), (0, 1, 0)))),
    "six dimensions": ((2, 2, 3, 2, 2, 2), seen_as(lambda x: permute(x, (4, 2, 0, 5, 1, 3)))),
    "many blocks": ((1100,), lambda x: x),
    "many blocks, transposed": ((9, 70), seen_as(lambda x: permute(x, (1, 0)))),
}
