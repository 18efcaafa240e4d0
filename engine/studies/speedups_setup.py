"""The controls of the study of parallel speed-ups."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.parallel.counting import Bins
from engine.parallel.loops import LoopName
from engine.parallel.problems import MOST_THREADS, KernelName
from engine.parallel.schedules import Schedule
from engine.parallel.simd import SimdName
from engine.studies.study import Setup

Experiment = Literal["Speed-up", "Sizes", "Loops found", "SIMD", "False sharing", "Race"]

SIZES = tuple(1 << power for power in range(8, 23, 2))
MATRIX_SIZES = tuple(size for size in SIZES if size <= 1 << 18)  # elements: sides of 16 to 512
MATRICES = ("matmul", "triangular")
SPACINGS = (8, 16, 24, 32, 40, 48, 56, 64, 96, 128, 256)  # bytes
MOST_UPDATES = 2  # of each thread: 924 interleavings, 159 situations


class SpeedupsSetup(Setup):
    experiment: Experiment = Field(default="Speed-up", title="Experiment", description="What is measured.")
    kernel: KernelName = Field(
        default="map", title="Kernel",
        description="map: exp(−x²); zip: x + y; reduce: a sum; triangular: a product with half a matrix, "
        "whose rows take longer and longer; histogram: 16 bins.",
    )  # fmt: skip
    size: int = Field(
        default=1 << 18, ge=SIZES[0], le=SIZES[-1], title="Size",
        description="Elements of the result, or of what is reduced; a product has matrices of √size × √size.",
    )  # fmt: skip
    threads: int = Field(
        default=4, ge=2, le=MOST_THREADS, title="Most threads",
        description="Threads are tried from 1 up to this number, also more than there are cores.",
    )  # fmt: skip
    at: int = Field(
        default=2, ge=1, le=MOST_THREADS, title="Threads looked at",
        description="Marks a place in the chart.",
    )  # fmt: skip
    fast: bool = Field(
        default=True, title="Fast path",
        description="Go through memory as it lies; off, each place is worked out from index and strides.",
    )  # fmt: skip
    schedule: Schedule = Field(
        default="static", title="Schedule",
        description="static: one stretch for each thread; cyclic: chunks dealt in turn; dynamic: chunks to "
        "whoever is free.",
    )  # fmt: skip
    serial: float = Field(
        default=0.0, ge=0.0, le=0.9, title="Serial share",
        description="The share of the turns that one thread does alone, before the others start.",
    )  # fmt: skip
    counting: Bins = Field(
        default="shared", title="Bins",
        description="shared by the threads, as they are; atomic: shared, each update one step; private: one "
        "set for each thread, added up afterwards.",
    )  # fmt: skip
    loop: LoopName = Field(default="five operations", title="Source", description="What numba compiles.")
    simd: SimdName = Field(default="sum", title="Loop", description="What is compiled twice.")
    spacing: int = Field(
        default=8, ge=8, le=256, multiple_of=8, title="Bytes apart",
        description="From one thread's counter to the other's; a cache line has 64 bytes.",
    )  # fmt: skip
    updates: int = Field(
        default=1, ge=1, le=MOST_UPDATES, title="Updates of each thread", description="In the picture.",
    )  # fmt: skip
    cells: int = Field(
        default=1, ge=1, le=256, title="Number of bins",
        description="Of the real run; the picture has no more of them than it has updates.",
    )  # fmt: skip
    order: str = Field(
        default="", max_length=6 * MOST_UPDATES, pattern="^[AB]*$", title="Order of steps",
        description="Which thread made each step so far, A or B.",
    )  # fmt: skip
    seed: int = Field(default=0, ge=0, le=999_999, title="Seed", description="Of the random numbers.")
    measure: bool = Field(
        default=False, title="Measure",
        description="Measure now, on the command line; a page has a button, and shows what is stored.",
    )  # fmt: skip
