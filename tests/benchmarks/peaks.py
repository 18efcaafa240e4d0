"""What one core can do at most: multiply-adds that never leave the registers, and a stream through memory.

Other benchmarks time these beside their subject, in the same rounds, so that a share of the peak is one
at the clock speed of that moment.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from engine.backends.cpu.vectors import VECTOR_BYTES
from engine.measure.peaks import CHAINS, STEPS, compiled_multiply_adds, triad
from tests.benchmarks.machine import Watch
from tests.benchmarks.pairing import Timings, interleave
from tests.benchmarks.peers import OURS
from tests.benchmarks.report import Row, publish
from tests.benchmarks.tensors import prepare

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
    run = partial(compiled_multiply_adds(), STEPS)
    return (Peak(f"multiply-add, {8 * VECTOR_BYTES}-bit", run, 2.0 * multiply_adds * STEPS, "GF/s"),)


# ---- memory


@cache
def memory_peak(elements: int) -> Peak:
    """a = b + 3c over arrays of so many float32 (the triad of McCalpin's STREAM benchmark, 1995)."""
    arrays = [np.ones(elements, np.float32) for _ in range(3)]
    megabytes = 1e-6 * sum(array.nbytes for array in arrays)
    return Peak(f"memory, {megabytes:.0f} MB", partial(triad(), *arrays, 1), 1e6 * megabytes, "GB/s")


if __name__ == "__main__":
    main()
