"""CUDA kernels without a GPU: the very same kernels, run in this process, with their mistakes found.

    vector_add = simulate(source, "vector_add")
    vector_add[grid, block](out, a, b)                   as numba.cuda launches it
    record = vector_add.launch(grid, block, out, a, b)   every access noted, races found

Blocks run one after another. The threads of a block are generators that take turns at barriers, in the
order of their numbers; a kernel without barriers is simply called for each thread. Both ways of launching
find indices out of bounds (below 0 too), barriers that not all threads reach, and loops that do not end.
`launch` also finds races and reads of memory that nobody wrote, at some twenty times the cost.

The fast form of a kernel only notices that something is wrong. It then runs again, from the same
arguments, in the recording form, which says what and where.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

import numpy as np

from engine.backends.cuda.analysis import races, uninitialised
from engine.backends.cuda.device import (
    WARP,
    BarrierError,
    DataRaceError,
    Dim3,
    KernelError,
    Launch,
    Thread,
    UninitialisedReadError,
    fast,
)
from engine.backends.cuda.record import Log, Record, RecordingThread
from engine.backends.cuda.rewrite import Rewritten, Site, rewrite
from engine.compiler import modules

TURNS = 50_000_000  # of loops in a launch: some seconds
GRID, BLOCK = (2**31 - 1, 65535, 65535), (1024, 1024, 64)  # the largest along x, y and z,
THREADS = 1024  # and the most of a block (CUDA C++ Programming Guide, compute capabilities)
FORMATS = "?bBhHiIlLqQfd"  # element types of a memoryview that kernels can use


def simulate(source: str, name: str, turns: int = TURNS) -> Simulated:
    """The kernel `name` of a module of numba.cuda kernels, to be launched without a GPU.

    A launch may take `turns` turns of loops. Raises KernelError for what cannot be simulated.
    """
    return Simulated(source, name, turns)


@dataclass(frozen=True)
class Form:
    """One form of a module of kernels: fast or recording."""

    rewritten: Rewritten
    module: ModuleType

    def line(self, error: BaseException) -> int | None:
        """The line of the original on which `error` was raised."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename == self.module.__file__:
                return self.rewritten.original_line(frame.lineno)
        return None


@lru_cache(maxsize=4096)
def form(source: str, recording: bool) -> Form:
    """A module of kernels, rewritten and loaded; kept, as a module may hold many kernels."""
    rewritten = rewrite(source, recording)
    return Form(rewritten, modules.load(rewritten.source, "recorded" if recording else "simulated"))


class Simulated:
    """A kernel that is launched as `kernel[grid, block](*args)`; see `simulate`.

    A grid or block is an int or a tuple of up to three. Arguments are C-contiguous numpy arrays, which the
    kernel changes in place, and numbers. Any number of threads may launch at once.
    """

    def __init__(self, source: str, name: str, turns: int) -> None:
        self.source = source
        self.name = name
        self.turns = turns
        parameters = form(source, recording=False).rewritten.parameters
        if name not in parameters:
            raise KernelError(f"there is no kernel named {name}")
        self.parameters = parameters[name]

    def __getitem__(self, configuration: tuple[Any, Any]) -> Callable[..., None]:
        return partial(self._run, *configuration)

    def _run(self, grid: Any, block: Any, *args: Any) -> None:
        """The fast form; if it fails, the recording form from the same arguments, for its message."""
        values, launch = self._prepare(grid, block, args)
        threads = [Thread(launch, place) for place in places(launch.block)]
        changeable = [x for x in values if isinstance(x, np.ndarray) and x.flags.writeable]
        before = [array.copy() for array in changeable]
        try:
            bound = [fast(x) if isinstance(x, np.ndarray) else x for x in values]
            self._execute(form(self.source, recording=False), launch, threads, bound)
        except KernelError:
            raise
        except Exception:
            for array, copy in zip(changeable, before, strict=True):
                array[...] = copy
        else:
            return
        self.launch(grid, block, *args, check=False)

    def launch(self, grid: Any, block: Any, *args: Any, check: bool = True) -> Record:
        """Run the recording form and return all accesses to memory.

        With `check`, raises DataRaceError or UninitialisedReadError if the record shows one. What stops a
        kernel raises in any case. Errors carry the record so far.
        """
        values, launch = self._prepare(grid, block, args)
        recording = form(self.source, recording=True)
        log = Log(recording.rewritten.sites)
        bound = [
            log.bind(name, value) if isinstance(value, np.ndarray) else value
            for name, value in zip(self.parameters, values, strict=True)
        ]
        threads = [RecordingThread(launch, place, i, log) for i, place in enumerate(places(launch.block))]
        try:
            self._execute(recording, launch, threads, bound)
            record = Record(launch, log)
            if check:
                self._check(record)
        except KernelError as error:
            error.record = Record(launch, log)
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error} (line {recording.line(error)})"
            failure = KernelError(f"{log.running}: {what}")
            failure.record = Record(launch, log)
            raise failure from error
        return record

    def _check(self, record: Record) -> None:
        if found := races(record):
            more = f" (and {len(found) - 1} more elements)" if len(found) > 1 else ""
            raise DataRaceError(f"{self.name}: {found[0]}{more}")
        if unset := uninitialised(record):
            more = f" (and {len(unset) - 1} more elements)" if len(unset) > 1 else ""
            raise UninitialisedReadError(f"{self.name}: {unset[0]}: nobody has written it{more}")

    def _prepare(self, grid: Any, block: Any, args: tuple[Any, ...]) -> tuple[list[Any], Launch]:
        """The arguments and the configuration of a launch, checked."""
        names = self.parameters
        if len(args) != len(names):
            raise KernelError(f"{self.name} takes {len(names)} arguments, not {len(args)}")
        shapes = dimensions("grid", grid, GRID), dimensions("block", block, BLOCK)
        launch = Launch(self.name, *shapes, self.turns)
        if launch.block.count > THREADS:
            raise KernelError(f"a block of {launch.block.count} threads; {THREADS} is the most")
        if launch.grid.count * launch.block.count > self.turns:
            raise KernelError(f"a grid of {launch.grid.count} blocks is too large for a simulation")
        return [argument(name, value) for name, value in zip(names, args, strict=True)], launch

    def _execute(self, run: Form, launch: Launch, threads: Sequence[Thread], args: list[Any]) -> None:
        kernel = getattr(run.module, self.name)
        for place in places(launch.grid):
            launch.next_block()
            for thread in threads:
                thread.blockIdx = place
            if self.name in run.rewritten.waiting:
                take_turns(threads, [thread.steps(kernel, args) for thread in threads], run.rewritten.sites)
            else:
                for thread in threads:
                    thread.run(kernel, args)


# ---- the threads of a block


def take_turns(threads: Sequence[Thread], steps: list[Iterator[int]], sites: dict[int, Site]) -> None:
    """Run the threads of a block from barrier to barrier until all have finished."""
    warps = [steps[start : start + WARP] for start in range(0, len(steps), WARP)]
    while True:
        reached = [barrier for warp in warps for barrier in warp_turn(warp)]
        if reached.count(reached[0]) < len(reached):
            raise divergence(threads, reached, sites)
        if reached[0] == 0:
            return


def warp_turn(warp: list[Iterator[int]]) -> list[int]:
    """Run the threads of a warp, together past the warp's own barriers (below 0), to one of the block.

    Gives the number of the barrier that each reached, 0 for a thread that has finished.
    """
    while True:
        reached = [next(steps, 0) for steps in warp]
        if reached[0] >= 0 or reached.count(reached[0]) < len(reached):
            return reached


def divergence(threads: Sequence[Thread], reached: list[int], sites: dict[int, Site]) -> BarrierError:
    """The error that says which threads reached what."""
    groups = []
    for barrier in sorted(set(reached), key=reached.index):
        group = [thread.threadIdx for thread, at in zip(threads, reached, strict=True) if at == barrier]
        who = f"thread {group[0]}" + (f" and {len(group) - 1} more" if len(group) > 1 else "")
        what = f"at {sites[abs(barrier)].name} ({sites[abs(barrier)]})" if barrier else "finished"
        groups.append(f"{who}: {what}")
    where = f"{threads[0].launch.kernel}: the threads of block {threads[0].blockIdx} do not meet at a barrier"
    return BarrierError(f"{where}. {'; '.join(groups)}")


# ---- arguments


def dimensions(what: str, sizes: Any, most: tuple[int, ...]) -> Dim3:
    """A grid or block given as an int or a tuple."""
    sizes = sizes if isinstance(sizes, tuple) else (sizes,)
    if not 1 <= len(sizes) <= 3 or not all(isinstance(n, int | np.integer) and n > 0 for n in sizes):
        raise KernelError(f"a {what} of {sizes}; it takes one to three positive integers")
    if any(size > limit for size, limit in zip(sizes, most, strict=False)):
        raise KernelError(f"a {what} of {sizes}; the largest along x, y and z are {most}")
    return Dim3(*map(int, sizes))


def places(shape: Dim3) -> Iterator[Dim3]:
    """All places in a grid or block, x fastest."""
    return map(shape.place, range(shape.count))


def argument(name: str, value: Any) -> Any:
    """A kernel's argument: an array that kernels can use, or a Python number."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, bool | int | float):
        return value
    if not isinstance(value, np.ndarray):
        raise KernelError(f"{name} is a {type(value).__name__}; kernels take numpy arrays and numbers")
    if value.dtype.char not in FORMATS or not value.dtype.isnative:
        raise KernelError(f"{name} is an array of {value.dtype}, which the simulator cannot use")
    if value.ndim == 0 or not value.flags.c_contiguous:
        raise KernelError(f"{name} must be a C-contiguous array with at least one dimension")
    return value
