"""What the simulator found wrong in a launch: the step, the threads and the lines, and why it matters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.backends.cuda import analysis
from engine.backends.cuda.device import WARP, BarrierError, KernelError, OutOfBoundsError
from engine.backends.cuda.record import Access, Record
from engine.studies.gpu_steps import Step

WHY = {
    "race": "Threads run in no certain order: which of the two comes first may change from run to run, and "
    "with it the result; the numbers on show are those of one order. A barrier between them, an element for "
    "each thread, or an atomic operation settles it.",
    "race between blocks": "Nothing orders the blocks of a launch, not even a barrier. Give each block an "
    "element of its own, use an atomic operation, or launch a second kernel.",
    "unwritten memory": "Shared memory holds whatever lay there before, until a thread of the block writes "
    "it. A guard, or a size, leaves out an element that is read all the same.",
    "out of bounds": "A GPU does not check: it would read or overwrite whatever lies there. A guard keeps "
    "the threads out that have no element. (The simulator takes threads one after the other: those that are "
    "behind this one have not come so far.)",
    "divergent barrier": "The threads at the barrier wait for the others, which never come: the GPU hangs, "
    "or worse, goes on. A barrier must not stand where only some threads come by.",
}

ENDINGS = {
    "race": ", and no barrier lies between",
    "race between blocks": ", and nothing orders blocks",
    "unwritten memory": ", which nobody has written",
}


@dataclass(frozen=True)
class Fault:
    """One mistake.

    message  what happened, where
    more     of the same kind, in other elements
    block    where it happened; of a race between blocks, that of the second access
    threads  of the block that take part
    lines    of the source
    rows     of the record that conflict
    """

    kind: str
    message: str
    more: int
    block: int
    threads: tuple[int, ...]
    lines: tuple[int, ...]
    rows: tuple[int, ...] = ()

    @property
    def why(self) -> str:
        return WHY[self.kind]

    def step(self, steps: list[Step]) -> int:
        """Which step of its block shows it: the last one that takes part."""
        if not self.rows:
            return len(steps) - 1
        return max(place for place, step in enumerate(steps) if set(self.rows) & set(step.rows))


def fault_of(record: Record, error: KernelError | None) -> Fault | None:
    """What is wrong with a launch that gave this record, or was stopped by `error`."""
    if isinstance(error, OutOfBoundsError):
        assert error.line is not None
        block, thread = record.stretches[:2, -1].tolist()  # what began last is what was stopped
        said = str(error).partition(" (line")[0]
        return Fault("out of bounds", said, 0, block, (thread,), (error.line,))
    if isinstance(error, BarrierError):
        return _divergent(record)
    if error is not None:
        raise error
    if races := analysis.races(record):
        kind = "race" if races[0].first.block == races[0].second.block else "race between blocks"
        return _conflict(record, kind, len(races) - 1, (races[0].first, races[0].second))
    if unset := analysis.uninitialised(record):
        return _conflict(record, "unwritten memory", len(unset) - 1, (unset[0],))
    return None


def _conflict(record: Record, kind: str, more: int, accesses: tuple[Access, ...]) -> Fault:
    rows = tuple(_row(record, access) for access in accesses)
    block = int(record.block[rows[-1]])
    threads = tuple(int(record.thread[row]) for row in rows if record.block[row] == block)
    lines = tuple(access.site.line for access in accesses)
    said = [_said(record, row, access) for row, access in zip(rows, accesses, strict=True)]
    return Fault(kind, " and ".join(said) + ENDINGS[kind], more, block, threads, lines, rows)


def _said(record: Record, row: int, access: Access) -> str:
    """One access in words."""
    element = f"{access.array.rstrip('_')}[{', '.join(map(str, access.index))}]"
    return f"thread {record.thread[row]} of block {record.block[row]} {access.kind}s {element}"


def _row(record: Record, access: Access) -> int:
    """Where in the record this access is."""
    block, thread = record.grid_shape.number(access.block), record.block_shape.number(access.thread)
    rows = (record.block == block) & (record.thread == thread) & (record.interval == access.interval)
    return next(int(row) for row in np.flatnonzero(rows) if _same(record.access(int(row)), access))


def _same(one: Access, other: Access) -> bool:
    """Whether two accesses of a thread are the same, whatever they found: a NaN is unlike itself."""
    return (one.site, one.array, one.index) == (other.site, other.array, other.index)


def _divergent(record: Record) -> Fault:
    """The threads that wait while others have finished, or wait elsewhere."""
    block = int(record.stretches[0, -1])
    last = {  # thread -> the barrier where it is, 0 if it has finished
        thread: barrier for owner, thread, _, _, barrier in record.stretches.T.tolist() if owner == block
    }
    waiting = tuple(thread for thread, barrier in last.items() if barrier)
    lines = tuple(sorted({record.sites[barrier].line for barrier in last.values() if barrier}))
    others = len(last) - len(waiting)
    who = (
        f"{len(waiting)} threads of block {block} wait"
        if len(waiting) > 1
        else f"1 thread of block {block} waits"
    )
    said = f"{who} at a barrier, and {others} never come{'s' if others == 1 else ''}"
    return Fault("divergent barrier", said, 0, block, waiting, lines)


def with_fault(steps: list[Step], fault: Fault | None) -> list[Step]:
    """The steps of the fault's block, with a step of its own for what stopped the launch."""
    if fault is None or fault.rows:
        return steps
    if fault.kind == "divergent barrier":  # the barrier itself is the last step
        waiting = replace(steps[-1], kind="fault", line=fault.lines[0], threads=list(fault.threads))
        return [*steps[:-1], waiting]
    interval = steps[-1].interval if steps else 0
    warp = fault.threads[0] // WARP
    return [*steps, Step("fault", fault.lines[0], warp, interval, list(fault.threads))]
