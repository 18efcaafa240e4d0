"""What is wrong with a launch of a reader's kernel: the step, the threads, the line, and why it matters.

To the mistakes that any launch can have come those of a puzzle: a wrong number, too many reads or writes, and
whatever stops a kernel that somebody is still writing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.backends.cuda.record import KINDS, Record
from engine.gpu_puzzles.machine import KINDS as SCORED
from engine.gpu_puzzles.machine import Run
from engine.gpu_puzzles.walk import StoppedError
from engine.studies import gpu_faults
from engine.studies.gpu_faults import Fault
from engine.studies.gpu_steps import Step, steps_of

RELATIVE = 1e-5  # how far a number may be from its target: float32 holds seven digits

WHY = {
    **gpu_faults.WHY,
    "out of bounds": gpu_faults.WHY["out of bounds"].partition(" (The")[0],
    "wrong value": "Follow the cell backwards: which thread wrote it last, on which line, and from what?",
    "too many accesses": "The result is right, but slow: global memory takes hundreds of times as long as "
    "shared memory, and that longer than a name. Keep what you have read.",
    "endless loop": "Threads run one after another until they wait at a barrier: a loop that waits for "
    "another thread never ends. Does the loop change what it tests?",
    "too much shared memory": "Shared memory is small, as all blocks at work on a multiprocessor share it.",
    "shared memory": "Its size is fixed before the kernel runs.",
    "no value yet": "A name has a value only after a line that gives it one, in the same thread.",
    "not a number to use": "A GPU would give some number all the same, and go on with it.",
}


def fault_of(run: Run) -> Fault | None:
    """The first mistake of a launch, the gravest kind first; None where its result is right."""
    if isinstance(run.stop, StoppedError):
        block, thread = run.record.stretches[:2, -1].tolist()  # what began last is what was stopped
        return Fault(run.stop.kind, str(run.stop), 0, block, (thread,), (run.stop.line,))
    found = gpu_faults.fault_of(run.record, run.stop)
    return found or wrong_value(run)


def wrong_cells(run: Run) -> list[int]:
    """The elements of out that differ from the target, in row-major order."""
    same = np.isclose(run.output, run.task.target, RELATIVE, RELATIVE)
    wrong: list[int] = np.flatnonzero(~same).tolist()
    return wrong


def wrong_value(run: Run) -> Fault | None:
    """The first element that is wrong, and the access that wrote it last."""
    wrong = wrong_cells(run)
    if not wrong:
        return None
    record, cell = run.record, wrong[0]
    index = ", ".join(str(i) for i in np.unravel_index(cell, run.output.shape))
    found, expected = run.output.flat[cell], run.task.target.flat[cell]
    said = f"out[{index}] is {found:g}, and should be {expected:g}"
    out = (record.array == 0) & (record.element == cell) & (record.kind == KINDS.index("write"))
    rows = np.flatnonzero(out)
    if not len(rows):
        last = record.grid_shape.count - 1
        return Fault("wrong value", f"{said}: no thread writes it", len(wrong) - 1, last, (), ())
    row = int(rows[-1])
    block, thread, line = int(record.block[row]), int(record.thread[row]), record.access(row).site.line
    said = f"{said}: thread {thread} of block {block} wrote it"
    return Fault("wrong value", said, len(wrong) - 1, block, (thread,), (line,), (row,))


def too_many(record: Record, limits: Mapping[str, int]) -> Fault | None:
    """The first access of a thread that is over a limit."""
    for space, kind in SCORED:
        name = f"{space} {kind}s"
        counts = record.per_thread(space, kind)
        if name not in limits or counts.max() <= limits[name]:
            continue
        block, thread = map(int, np.unravel_index(counts.argmax(), counts.shape))
        mine = record.of_space(space) & (record.kind == KINDS.index(kind))
        rows = np.flatnonzero(mine & (record.block == block) & (record.thread == thread))
        row = int(rows[limits[name]])
        times = f"{counts.max()} {name}, and at most {limits[name]} of a thread are allowed"
        said = f"thread {thread} of block {block} makes {times}"
        more = int((counts > limits[name]).sum()) - 1
        return Fault(
            "too many accesses", said, more, block, (thread,), (record.access(row).site.line,), (row,)
        )
    return None


def steps_with(run: Run, fault: Fault | None, block: int) -> list[Step]:
    """The steps of a block, with one of its own for what stopped the launch there."""
    steps = steps_of(run.record, block)
    if fault is None or run.stop is None or fault.block != block:
        return steps
    return gpu_faults.with_fault(steps, fault)
