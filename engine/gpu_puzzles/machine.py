"""A launch of a program: its blocks one after another, their threads from barrier to barrier."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cuda.device import KernelError, Launch
from engine.backends.cuda.record import Log, Record, RecordingThread
from engine.backends.cuda.simulator import BLOCK, GRID, dimensions, places, take_turns
from engine.gpu_puzzles.program import Program
from engine.gpu_puzzles.walk import Value, Walk

WORK = 150_000  # parts of the tree that all threads of a launch may compute: some tenths of a second

Numbers = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Task:
    """What a kernel is launched on, and what it is to give.

    grid, block  sizes along x, then y
    inputs       global arrays, in the order of the parameters
    numbers      further arguments, such as size
    constants    values known before the kernel runs, such as TPB
    target       what out is to hold afterwards
    """

    grid: tuple[int, ...]
    block: tuple[int, ...]
    inputs: Mapping[str, Numbers]
    numbers: Mapping[str, int]
    target: Numbers
    constants: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Run:
    """What a program did in a launch: every access, what out holds, and what stopped it, if anything."""

    program: Program
    task: Task
    record: Record
    output: Numbers
    stop: KernelError | None


def launch(program: Program, task: Task, work: int = WORK) -> Run:
    """Run the program on a task. Whatever is wrong with the program is part of what is returned."""
    output = np.zeros_like(task.target)
    shapes = dimensions("grid", task.grid, GRID), dimensions("block", task.block, BLOCK)
    shared = Launch("kernel", *shapes, work)
    log = Log(program.sites)
    arrays = {"out": output, **{name: values.copy() for name, values in task.inputs.items()}}
    values: dict[str, Value] = {name: log.bind(name, array) for name, array in arrays.items()}
    values |= {**task.numbers, **task.constants}
    threads = [RecordingThread(shared, place, i, log) for i, place in enumerate(places(shared.block))]
    stop: KernelError | None = None
    try:
        for place in places(shared.grid):
            shared.next_block()
            for thread in threads:
                thread.blockIdx = place
            take_turns(threads, [thread.steps(walker(program, values), []) for thread in threads], log.sites)
    except KernelError as error:
        stop = error
    return Run(program, task, Record(shared, log), output, stop)


def walker(program: Program, values: Mapping[str, Value]) -> Callable[..., Generator[int, None, None]]:
    """The program as a kernel that a thread can run."""

    def kernel(thread: Any) -> Generator[int, None, None]:
        return Walk(program, thread, values).run()

    return kernel


KINDS = (("global", "read"), ("global", "write"), ("shared", "read"), ("shared", "write"))


def score(record: Record) -> dict[str, int]:
    """The most reads and writes of any one thread, as “global reads” and so on."""
    return {f"{space} {kind}s": int(record.per_thread(space, kind).max()) for space, kind in KINDS}
