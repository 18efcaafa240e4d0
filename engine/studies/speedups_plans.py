"""What is measured in each experiment: the pieces of work, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cpu.vectors import VECTOR_BYTES
from engine.measure import Plan, Ticket, Work, this_machine
from engine.measure.peaks import STEPS, compiled_multiply_adds
from engine.measure.timing import Stopped
from engine.parallel import counting, diagnostics, simd
from engine.parallel.counting import BINS, Bins
from engine.parallel.loops import LOOPS
from engine.parallel.problems import Problem, compiled, problem
from engine.parallel.team import Start, Team, prange_threads
from engine.parallel.workers import Workers
from engine.studies.speedups_setup import MATRICES, MATRIX_SIZES, SIZES, SPACINGS, SpeedupsSetup

VERSION = 1  # raised when a stored measurement no longer means the same
ALONE, SAME, PRANGE = "one thread", "same task", "same task, prange"
GROWN, GROWN_ALONE, STREAM = "grown task", "grown task, one thread", "stream"
REGISTERS = "registers"  # a loop that needs nothing but a core
SCALAR, VECTOR = "scalar", "vectors"
TOGETHER, APART = "two threads", "one thread"
NUMPY = "numpy, one operation after the other"
TRIED = (2, 3, 4, 6, 8, 12, 16)  # threads
UPDATES = 1 << 18  # counted in a real run of the race, by both threads together
TRIALS = 60  # real runs of which the lost updates are kept
BUMPS = 1 << 17  # updates of a counter in one call
LOOP_SIZE = 1 << 20
SIMD_SIZES = tuple(1 << power for power in range(8, 24, 2))
FACE: dict[str, tuple[str, ...]] = {
    "Speed-up": ("kernel", "size", "threads", "fast", "schedule", "serial"),
    "Sizes": ("kernel", "threads", "fast", "schedule"),
    "Loops found": ("loop",),
    "SIMD": ("simd",),
    "False sharing": (),
    "Race": ("cells",),
}


def plan(setup: SpeedupsSetup) -> Plan:
    """What a visitor of this setup measures; setups that measure the same have the same key."""
    names = [*FACE[setup.experiment], "seed"]
    if setup.kernel == "histogram" and setup.experiment in ("Speed-up", "Sizes"):
        names.append("counting")
    fields = " ".join(f"{name}={getattr(setup, name)}" for name in names)
    key = f"speedups {VERSION}: {setup.experiment} {fields}"
    if setup.experiment == "Race":
        return RacePlan(key, partial(works, setup), setup.cells, setup.seed)
    return Plan(key, partial(works, setup))


def works(setup: SpeedupsSetup) -> Sequence[Work]:
    """Raises ValueError for a task that is too large."""
    match setup.experiment:
        case "Speed-up":
            return _scaling(setup)
        case "Sizes":
            threads = team_size(setup)
            starts: tuple[Start, ...] = ("threads", "prange") if threads <= prange_threads() else ("threads",)
            return [
                work
                for size in swept_sizes(setup)
                for work in (
                    _team_work(setup, ALONE, size, size, 1),
                    *(
                        _team_work(setup, series_of(start), size, size, threads, start=start)
                        for start in starts
                    ),
                )
            ]
        case "Loops found":
            return _loop_works(setup)
        case "SIMD":
            return [_simd_work(setup, on, size) for size in SIMD_SIZES for on in (False, True)]
        case "False sharing":
            own = [_bump_work(TOGETHER, spacing, 2) for spacing in SPACINGS]
            return [_bump_work(APART, SPACINGS[-1], 1), *own]
    return [_count_work(ALONE, "private", setup, 1), *(_count_work(b, b, setup, 2) for b in BINS)]


def series_of(start: Start) -> str:
    return PRANGE if start == "prange" else SAME


def team_size(setup: SpeedupsSetup) -> int:
    """Threads of the sweep over sizes: as many as asked for, but no more than there are cores."""
    return max(2, min(setup.threads, this_machine().cores))


def swept_sizes(setup: SpeedupsSetup) -> tuple[int, ...]:
    return MATRIX_SIZES if setup.kernel in MATRICES else SIZES[:-1]


def tried_threads(setup: SpeedupsSetup) -> tuple[int, ...]:
    """More than one thread, up to the most."""
    return tuple(sorted({*(p for p in TRIED if p <= setup.threads), setup.threads}))


# ---- kernels on threads


def _scaling(setup: SpeedupsSetup) -> list[Work]:
    """One thread, more threads on the same task, and on a task that grows with them."""
    size = setup.size
    if setup.kernel in MATRICES and size > MATRIX_SIZES[-1]:
        raise ValueError(
            f"a product of matrices has at most {MATRIX_SIZES[-1]:,} elements here, not {size:,}: "
            "choose a smaller size"
        )
    found = [_team_work(setup, ALONE, 1, size, 1), _stream_work(setup, 1)]
    if VECTOR_BYTES:
        found += [_register_work(threads) for threads in (1, *tried_threads(setup))]
    for threads in tried_threads(setup):
        found.append(_team_work(setup, SAME, threads, size, threads))
        found.append(_stream_work(setup, threads))
        if threads <= prange_threads():
            found.append(_team_work(setup, PRANGE, threads, size, threads, start="prange"))
    for threads in (p for p in (2, 4, 8, 16) if p <= setup.threads):
        found.append(_team_work(setup, GROWN_ALONE, threads, size, 1, grown=threads))
        found.append(_team_work(setup, GROWN, threads, size, threads, grown=threads))
    return found


def serial_turns(setup: SpeedupsSetup, task: Problem, grown: int = 1) -> int:
    """Turns that one thread does alone: the share is that of the task before it has grown."""
    if setup.experiment != "Speed-up":
        return 0
    return round(setup.serial * task.units / grown)


def _team_work(
    setup: SpeedupsSetup,
    series: str,
    at: float,
    size: int,
    threads: int,
    grown: int = 1,
    start: Start = "threads",
) -> Work:
    def ready() -> Any:
        part = compiled(setup.kernel, setup.fast, setup.counting)
        small = problem(setup.kernel, 16, bins=setup.counting)
        Team(part, small, threads, start=start)
        return part

    def bind(part: Any) -> Callable[[], object]:
        task = problem(setup.kernel, size, setup.seed, grown, setup.counting)
        return Team(part, task, threads, setup.schedule, serial_turns(setup, task, grown), start)

    def empty(part: Any) -> Callable[[], object]:
        return Team(
            part, problem(setup.kernel, 16, bins=setup.counting), threads, setup.schedule, 0, start
        ).nothing

    amount = float(size * grown)
    note = "more threads than cores" if threads > this_machine().cores else ""
    return Work(series, at, amount, "element", ready, bind, empty if threads > 1 else None, note)


def _stream_work(setup: SpeedupsSetup, threads: int) -> Work:
    """As many bytes as the kernel moves, added pairwise: what memory and caches give so many threads."""
    elements = max(1, round(problem(setup.kernel, setup.size).bytes / 12))

    def bind(part: Any) -> Callable[[], object]:
        return Team(part, problem("zip", elements, setup.seed), threads)

    def empty(part: Any) -> Callable[[], object]:
        return Team(part, problem("zip", 16), threads).nothing

    def ready() -> Any:
        part = compiled("zip", fast=True)
        Team(part, problem("zip", 16), 1)
        return part

    return Work(STREAM, threads, 12.0 * elements, "byte", ready, bind, empty if threads > 1 else None)


def _register_work(threads: int) -> Work:
    """Multiply-adds that never leave the registers, as many on each thread: what the cores give together."""

    def bind(run: Any, steps: int = STEPS) -> Callable[[], object]:
        return _on_workers(run, [(steps,)] * threads)

    empty = partial(bind, steps=0) if threads > 1 else None
    return Work(REGISTERS, threads, float(threads * STEPS), "step", compiled_multiply_adds, bind, empty)


# ---- the other experiments


def _loop_works(setup: SpeedupsSetup) -> list[Work]:
    """The same source for one thread and for all, and what numpy does instead where it can."""
    source = LOOPS[setup.loop]
    arguments = partial(source.arguments, LOOP_SIZE if setup.loop != "matmul" else 1 << 16, setup.seed)
    elements = float(arguments()[-1].size if setup.loop != "histogram" else LOOP_SIZE)

    def bind(run: Any) -> Callable[[], object]:
        return partial(run, *arguments())

    def work(series: str, at: int, compile_it: Callable[[], Any]) -> Work:
        return Work(series, at, elements, "element", compile_it, bind)

    found = [work(ALONE, 1, partial(diagnostics.serial, setup.loop))]
    if prange_threads() > 1:
        found.append(work(PRANGE, prange_threads(), lambda: diagnostics.diagnose(setup.loop).run))
    if setup.loop == "five operations":
        found.append(work(NUMPY, 1, lambda: source.function))
    return found


def _simd_work(setup: SpeedupsSetup, on: bool, size: int) -> Work:
    def bind(code: simd.Compiled) -> Callable[[], object]:
        draw = np.random.default_rng(setup.seed)
        a, b = (draw.random(size, np.float32) + np.float32(1) for _ in range(2))
        return partial(code.run, a, b, np.zeros(size, np.float32))

    return Work(
        VECTOR if on else SCALAR, size, float(size), "element", partial(simd.compiled, setup.simd, on), bind
    )


def _bump_work(series: str, spacing: int, threads: int) -> Work:
    """Each thread counts into a counter of its own; the counters lie `spacing` bytes apart."""
    data = np.zeros(BUMPS, np.int64)

    def bind(run: Any) -> Callable[[], object]:
        memory = line_start(np.zeros(256, np.int64))
        counters = [memory[k * spacing // 8 :][:1] for k in range(threads)]
        return _on_workers(run, [(counter, data, 0, BUMPS) for counter in counters])

    return Work(series, spacing, float(BUMPS), "update", partial(counting.compiled, "shared"), bind)


def line_start(memory: NDArray[np.int64], line: int = 128) -> NDArray[np.int64]:
    """The part of an array from where a pair of cache lines begins."""
    return memory[(-memory.ctypes.data % line) // memory.itemsize :]


def _count_work(series: str, bins: Bins, setup: SpeedupsSetup, threads: int) -> Work:
    def bind(run: Any) -> Callable[[], object]:
        return Count(bins, setup.cells, setup.seed, threads, run)

    def empty(run: Any) -> Callable[[], object]:
        return Count(bins, setup.cells, setup.seed, threads, run, updates=0)

    ready = partial(counting.compiled, bins)
    return Work(series, threads, float(UPDATES), "update", ready, bind, empty if threads > 1 else None)


class Count:
    """Counting for real: a call counts all updates, split over threads, and gives how many were lost."""

    def __init__(
        self, bins: Bins, cells: int, seed: int, threads: int, run: Any, updates: int = UPDATES
    ) -> None:
        self.updates = updates
        data = np.random.default_rng(seed).integers(0, cells, updates)
        row = max(cells, 64)
        self.memory = line_start(np.zeros(threads * row + 32, np.int64))[: threads * row].reshape(
            threads, row
        )
        sets = self.memory if bins == "private" else [self.memory[0]] * threads
        cuts = [updates * k // threads for k in range(threads + 1)]
        self._count = _on_workers(run, [(sets[k], data, cuts[k], cuts[k + 1]) for k in range(threads)])

    def __call__(self) -> int:
        self.memory[:] = 0
        self._count()
        return self.updates - int(self.memory.sum())


def _on_workers(run: Any, parts: Sequence[tuple[Any, ...]]) -> Callable[[], object]:
    """A call that runs every part on a thread of its own and waits for all."""
    if len(parts) == 1:
        return partial(run, *parts[0])
    return partial(Workers(len(parts)).run, [partial(run, *part) for part in parts])


@dataclass(frozen=True)
class RacePlan(Plan):
    """Times, and besides the share of updates that each of many real runs loses."""

    cells: int = 1
    seed: int = 0

    def carry_out(self, ticket: Ticket, is_over: Callable[[], bool]) -> None:
        super().carry_out(ticket, is_over)
        for bins in BINS:
            count = Count(bins, self.cells, self.seed, 2, counting.compiled(bins))
            count()
            lost = []
            for _ in range(TRIALS):
                if is_over():
                    raise Stopped
                lost.append(count() / UPDATES)
            ticket.curves = {**ticket.curves, bins: tuple(lost)}
