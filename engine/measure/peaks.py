"""What this machine can do at most: multiply-adds that never leave the registers, and a stream at each level.

These are the roofs of the roofline [S. Williams, A. Waterman and D. Patterson, "Roofline", 2009].
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.backends.cpu.vectors import INDEX, VECTOR_BYTES, Vectors
from engine.measure.machine import Machine
from engine.measure.store import Run
from engine.measure.timing import Work

# multiply-adds that do not wait for each other: more than are ever under way at once, and no more than
# registers hold (16 of 256 bits, of which the constants take two)
CHAINS = 16 if VECTOR_BYTES == 64 else 12
STEPS = 1 << 18  # of all chains in a call, which takes half a millisecond
FILLED = 0.5  # share of a cache that the arrays of a stream take
MOST_BYTES = 96 << 20  # of the arrays of the stream through memory
STREAMED = 1 << 23  # bytes in a call, at least: small arrays are gone through several times

ARITHMETIC = "multiply-adds"
STREAM = "stream"
MEMORY = "memory"


@dataclass(frozen=True)
class Roof:
    """A stream through one level of the memory: its name, the bytes it went through, GB/s."""

    name: str
    size: int
    speed: float


@dataclass(frozen=True)
class Peaks:
    """Measured limits of a machine: the fastest of the repetitions, which disturbances only ever slow down.

    arithmetic  GFLOP/s by number of threads
    roofs       of one core, the fastest first, memory last
    """

    date: str
    machine: str
    arithmetic: dict[int, float]
    roofs: tuple[Roof, ...]

    @classmethod
    def of(cls, run: Run | None) -> Peaks | None:
        """From a run that measured them; None if it did not get to the stream through memory."""
        roofs = tuple(Roof(t.note, round(t.at), t.best) for t in run.of(STREAM)) if run else ()
        if run is None or not roofs or roofs[-1].name != MEMORY:
            return None
        return cls(run.date, run.machine, {round(t.at): t.best for t in run.of(ARITHMETIC)}, roofs)

    @property
    def memory(self) -> Roof:
        return self.roofs[-1]

    def level(self, moved: float) -> Roof:
        """The level that such a stream of bytes comes from: it fills half a cache, as it was measured."""
        return next((roof for roof in self.roofs[:-1] if FILLED * moved <= roof.size), self.memory)

    def roof(self, intensity: float, moved: float) -> float | None:
        """`attainable` on one core, with the bandwidth of the level that holds so many bytes."""
        peak = self.arithmetic.get(1)
        return None if peak is None else min(peak, intensity * self.level(moved).speed)

    def attainable(self, intensity: float, threads: int = 1) -> float | None:
        """min(peak, intensity × memory's bandwidth) in GFLOP/s, for operations a byte; None if unknown."""
        peak = self.arithmetic.get(threads)
        return None if peak is None else min(peak, intensity * self.memory.speed)


def peak_works(machine: Machine) -> tuple[Work, ...]:
    """What measures the peaks, in two or three seconds; no arithmetic where the registers are not known."""
    works = []
    if VECTOR_BYTES:
        multiply_adds = CHAINS * VECTOR_BYTES // np.dtype(np.float32).itemsize
        for threads in sorted({1, machine.cores}):
            flops = 2.0 * multiply_adds * STEPS * threads
            bind = partial(_on_threads, threads)
            works.append(Work(ARITHMETIC, threads, flops, "flop", compiled_multiply_adds, bind))
    sizes = {f"L{cache.level}": int(FILLED * cache.size) for cache in machine.caches}
    largest = machine.caches[-1].size
    sizes[f"L{machine.caches[-1].level}"] = min(int(FILLED * largest), 12 << 20)  # others use it as well
    sizes[MEMORY] = min(4 * largest, MOST_BYTES)
    return (*works, *(_stream(name, size) for name, size in sizes.items()))


def _on_threads(threads: int, run: Callable[[int], float]) -> Callable[[], object]:
    """A call that runs it on so many threads at once."""
    if threads == 1:
        return partial(run, STEPS)
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(run, [STEPS] * threads))


def _stream(name: str, size: int) -> Work:
    """a = b + 3c over arrays of so many bytes in all (the triad of J. McCalpin's STREAM benchmark, 1995)."""
    elements = size // (3 * np.dtype(np.float32).itemsize)
    passes = max(1, STREAMED // size)

    def bind(run: Callable[..., None]) -> Callable[[], object]:
        arrays = [np.ones(elements, np.float32) for _ in range(3)]
        return partial(run, *arrays, passes)

    return Work(STREAM, size, 12.0 * elements * passes, "byte", triad, bind, note=name)


@cache
def triad() -> Callable[..., None]:
    """Compiled: (a, b, c, passes) -> None."""

    @njit("(f4[::1], f4[::1], f4[::1], i8)", nogil=True, cache=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
    def run(a: Any, b: Any, c: Any, passes: Any) -> None:
        for number in range(passes):
            factor = np.float32(3 + number)
            for i in range(a.size):
                a[i] = b[i] + factor * c[i]

    compiled: Callable[..., None] = run
    return compiled


@cache
def compiled_multiply_adds() -> Callable[[int], float]:
    """`steps` multiply-adds in each of the chains; compiled once a process."""

    @njit("f4(i8)", nogil=True)  # type: ignore[untyped-decorator]
    def run(steps: int) -> float:
        found: float = _multiply_adds(steps)
        return found

    compiled: Callable[[int], float] = run
    return compiled


@intrinsic  # type: ignore[untyped-decorator]
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
