"""What the tensor benchmarks share: one thread for everybody, the same numbers for all, ratios as rows."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.backends.cpu.threads import set_num_threads
from tests.benchmarks.pairing import Timings, interleave
from tests.benchmarks.peers import OURS, label
from tests.benchmarks.report import Row

BLAS_THREADS = "OPENBLAS_NUM_THREADS"
ROUNDS = 15

Values = NDArray[np.float32]


def prepare() -> None:
    """One thread for engine, torch and numpy each, and kernels from the first call on.

    Call it first: it may start the program anew.
    """
    if os.environ.get(BLAS_THREADS) != "1":
        os.environ[BLAS_THREADS] = "1"  # numpy's library looks at it once, when it is loaded
        os.environ["UNROLL_PATIENT"] = "1"  # kernels are timed, not what happens while they are compiled
        os.execv(sys.executable, sys.orig_argv)
    set_num_threads(1)
    torch.set_num_threads(1)


class Taped:
    """A function forward and backward in engine or torch, which share their names."""

    def __init__(
        self, library: Any, function: Callable[..., Any], operands: Sequence[Values], cotangent: Values
    ) -> None:
        self.function = function
        self.leaves = [library.tensor(values, requires_grad=True) for values in operands]
        self.cotangent = library.tensor(cotangent)

    def step(self) -> None:
        """Leave new gradients on the leaves."""
        for leaf in self.leaves:
            leaf.grad = None
        self.function(*self.leaves).backward(self.cotangent)

    def gradients(self) -> list[Any]:
        self.step()
        return [leaf.grad for leaf in self.leaves]


def compare(
    contenders: Mapping[str, Callable[[], object]], clock: Callable[[], float] = time.thread_time
) -> Timings:
    """`interleave`, for contenders that have been called before.

    What is loaded by then is no garbage. Were it searched before every turn, that would take longer than
    the turns.
    """
    gc.collect()
    gc.freeze()
    return interleave(contenders, ROUNDS, clock=clock)


def random_values(*shape: int, seed: int = 0) -> Values:
    """Standard normal float32."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def assert_close(found: Any, expected: Any, tolerance: float, what: str) -> None:
    """Two libraries computed the same, or timing them means nothing.

    tolerance  of a difference between elements, as a share of the largest element
    """
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape, f"{what}: shape {found.shape} is not {expected.shape}"
    error = np.abs(found - expected).max(initial=0.0)
    assert error <= tolerance * np.abs(expected).max(initial=0.0), f"{what}: differs by {error:.2g}"


def ratio_row(timings: Timings, subject: str, peer: str, goal: float | None = None) -> Row:
    """Time of ours over time of a library, with both times beside it."""
    ratio = timings.ratio(OURS, peer)
    times = " against ".join(duration(timings.seconds(name).median) for name in (OURS, peer))
    return Row(f"{subject} / {peer}", ratio.median, "ratio", label(peer), goal, ratio.quartiles, times)


def duration(seconds: float) -> str:
    """Three digits, in the unit that suits."""
    for scale, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{1e6 * seconds:.3g} µs"
