"""What one core can do at most: multiply-adds that never leave the registers, and a stream through memory.

Other benchmarks time these beside their subject, in the same rounds, so that a share of the peak is one
at the clock speed of that moment.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.backends.cpu.vectors import INDEX, VECTOR_BYTES, Vectors
from tests.benchmarks.machine import Watch
from tests.benchmarks.pairing import Timings, interleave
from tests.benchmarks.peers import OURS
from tests.benchmarks.report import Row, publish
from tests.benchmarks.tensors import Values, prepare

# multiply-adds that do not wait for each other: more than are ever under way at once, and no more than
# registers hold (16 of 256 bits, of which the constants take two)
CHAINS = 16 if VECTOR_BYTES == 64 else 12
STEPS = 1 << 18  # of all chains in a call, which takes half a millisecond
IN_CACHE, IN_MEMORY = 1_000_000, 1 << 24  # elements of each of the three arrays of a stream: 12 and 201 MB


@dataclass(frozen=True)
class Peak:
    """A limit of the machine: `run` does `work`, in floating-point operations or bytes, at that speed."""

    name: str
    run: Callable[[], object]
    work: float
    unit: str  # of work in a nanosecond


def main() -> None:
    prepare()
    watch = Watch(benchmark=os.getpid())
    peaks = [*arithmetic_peaks(), memory_peak(IN_CACHE), memory_peak(IN_MEMORY)]
    timings = interleave({peak.name: peak.run for peak in peaks})
    publish("Peaks of one core", [speed_row(timings, peak) for peak in peaks], watch.conditions())


def speed_row(timings: Timings, peak: Peak) -> Row:
    """How fast it is; here more is better."""
    seconds = timings.seconds(peak.name)
    lower, upper = (1e-9 * peak.work / quartile for quartile in (seconds.upper, seconds.lower))
    median = 1e-9 * peak.work / seconds.median
    return Row(f"peak: {peak.name}", median, peak.unit, quartiles=(lower, upper))


def share_row(timings: Timings, subject: str, work: float, peak: Peak, goal: float | None = None) -> Row:
    """Time of ours over the time that its work takes at the peak, and the share of the peak beside it.

    goal  the least share of the peak
    """
    ratio = timings.ratio(OURS, peak.name)
    lower, median, upper = (peak.work / work * time for time in (ratio.lower, ratio.median, ratio.upper))
    speed = 1e-9 * work / timings.seconds(OURS).median
    note = f"{1 / median:.0%} of the peak, {speed:.3g} {peak.unit}"
    most = None if goal is None else 1 / goal
    return Row(f"{subject} / {peak.name}", median, "ratio", peak.name, most, (lower, upper), note)


# ---- arithmetic


@cache
def arithmetic_peaks() -> tuple[Peak, ...]:
    """The peak of fused multiply-adds; none on a processor whose registers the engine does not know."""
    if not VECTOR_BYTES:
        print("The registers of this processor are not known: shares of its peak are left out.")
        return ()
    multiply_adds = CHAINS * VECTOR_BYTES // np.dtype(np.float32).itemsize
    run = partial(_compiled_multiply_adds(), STEPS)
    return (Peak(f"multiply-add, {8 * VECTOR_BYTES}-bit", run, 2.0 * multiply_adds * STEPS, "GF/s"),)


def _compiled_multiply_adds() -> Callable[[int], float]:
    @njit("f4(i8)")
    def run(steps: int) -> float:
        return _multiply_adds(steps)

    return run


@intrinsic
def _multiply_adds(_typing: Any, steps: Any) -> Any:
    """`steps` multiply-adds in each of the chains; returns an element that depends on all of them."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        vectors = Vectors(builder, types.float32)
        half, one = (ir.Constant(vectors.kind, [number] * vectors.lanes) for number in (0.5, 1.0))
        # all different, and none is 2, which ½x + 1 leaves as it is: the compiler would see through that
        starts = [ir.Constant(vectors.kind, [chain + 0.25] * vectors.lanes) for chain in range(CHAINS)]
        chains = [cgutils.alloca_once_value(builder, start) for start in starts]  # end up in registers
        with cgutils.for_range(builder, arguments[0]):
            for chain in chains:
                vectors.store(vectors.multiply_add(vectors.load(chain), half, one), chain)
        total = vectors.load(chains[0])
        for chain in chains[1:]:
            total = builder.fadd(total, vectors.load(chain))
        return builder.extract_element(total, INDEX(0))

    return types.float32(steps), code


# ---- memory


@cache
def memory_peak(elements: int) -> Peak:
    """a = b + 3c over arrays of so many float32 (the triad of McCalpin's STREAM benchmark, 1995)."""
    arrays = [np.ones(elements, np.float32) for _ in range(3)]
    megabytes = 1e-6 * sum(array.nbytes for array in arrays)
    return Peak(f"memory, {megabytes:.0f} MB", partial(_triad(), *arrays), 1e6 * megabytes, "GB/s")


@cache
def _triad() -> Callable[..., None]:
    @njit("(f4[::1], f4[::1], f4[::1])", fastmath={"contract"})
    def run(a: Values, b: Values, c: Values) -> None:
        for i in range(a.size):
            a[i] = b[i] + np.float32(3) * c[i]

    return run


if __name__ == "__main__":
    main()
