"""Study: what the threads of a GPU do, step by step, on the engine's own CUDA kernels.

A kernel runs in the simulator, which notes every access to memory. From the record follow the steps of a
block, what they cost, and every mistake that the kernel has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np

import engine
import engine.nn
from engine.agreement import difference
from engine.backends.cuda import analysis
from engine.backends.cuda.device import WARP, KernelError
from engine.backends.cuda.kernels.source import Kernel
from engine.backends.cuda.record import READ, ArrayInfo, Record
from engine.backends.cuda.simulator import simulate
from engine.oracles import torch_version
from engine.studies.gpu_counts import Count, Sweep, counts_of, sweep_of
from engine.studies.gpu_faults import Fault, fault_of, with_fault
from engine.studies.gpu_kernels import CHANNELS, SIDE, Job, Numbers, job_of
from engine.studies.gpu_mistakes import planted
from engine.studies.gpu_occupancy import KIB, Occupancy, occupancy
from engine.studies.gpu_owners import Owners, owners_of
from engine.studies.gpu_setup import GpuSetup
from engine.studies.gpu_steps import Step, steps_of
from engine.studies.study import Check, Study

TOLERANCE = 1e-6
# fields that change nothing of the launch, only what is shown beside it
SHOWN: dict[str, Any] = {"block": 0, "step": 0, "gpu": "8.0", "registers": 32, "more_shared": 0}


@dataclass(frozen=True)
class Launched:
    """A launch and what was found in it, whatever is shown of it.

    kernel  the one that ran, with its mistake
    before  the arrays of its arguments, as they were before
    fault   None where nothing is wrong
    """

    job: Job
    kernel: Kernel
    before: Mapping[str, Numbers]
    output: Numbers
    record: Record
    fault: Fault | None
    stopped: bool


@dataclass(frozen=True)
class GpuResult:
    """A launch, one of its blocks step by step, its costs and its occupancy."""

    setup: GpuSetup
    launched: Launched
    block: int
    steps: tuple[Step, ...]
    counts: tuple[Count, ...]
    sweep: Sweep
    occupancy: Occupancy

    @property
    def fault(self) -> Fault | None:
        return self.launched.fault

    @property
    def arrays(self) -> tuple[ArrayInfo, ...]:
        return self.launched.record.arrays

    @property
    def blocks(self) -> int:
        return prod(self.launched.job.grid)

    @property
    def threads(self) -> int:
        """Of a block."""
        return prod(self.launched.job.block)

    @cached_property
    def traffic(self) -> list[analysis.Traffic]:
        """How every line reaches global memory, in the whole launch."""
        return analysis.traffic(self.launched.record)

    @cached_property
    def bank_use(self) -> list[analysis.BankUse]:
        """How every line shares the banks of shared memory, in the whole launch."""
        return analysis.bank_use(self.launched.record)

    @cached_property
    def owners(self) -> Owners:
        """Which thread writes which element of the result."""
        return owners_of(self.launched.record)

    @cached_property
    def fault_step(self) -> int | None:
        """Which step of the fault's block shows it."""
        if self.fault is None:
            return None
        return self.fault.step(block_steps(self.launched, self.fault.block))

    def at_start(self) -> list[Numbers]:
        """Every global array as it is when the block on show begins: blocks before it have run."""
        record = self.launched.record
        found = []
        for number, info in enumerate(record.arrays):
            if info.space != "global":
                continue
            values = self.launched.before[info.name].copy()
            done = (record.array == number) & (record.block < self.block) & (record.kind != READ)
            values[record.element[done]] = record.value[done]
            found.append(values)
        return found

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {
            "kernel": self.launched.kernel.name,
            "blocks": self.blocks,
            "threads of a block": self.threads,
            "steps of the block": len(self.steps),
        }
        for count in self.counts:
            figures[f"{count.name}, predicted"] = count.predicted
            figures[f"{count.name}, counted"] = "not counted" if count.measured is None else count.measured
        figures |= {
            "mistake found": "none" if self.fault is None else self.fault.kind,
            "blocks on a multiprocessor": self.occupancy.blocks,
            "occupancy": self.occupancy.share,
            "limited by": self.occupancy.limiting,
        }
        return figures

    def table(self) -> Mapping[str, Sequence[Any]]:
        """One row a step of the block: what, where, by which threads, at what cost."""
        names = [info.name.rstrip("_") for info in self.arrays]
        return {
            "kind": [step.kind for step in self.steps],
            "line": [step.line for step in self.steps],
            "warp": ["" if step.warp is None else step.warp for step in self.steps],
            "barriers before": [step.interval for step in self.steps],
            "array": ["" if step.array is None else names[step.array] for step in self.steps],
            "threads": [" ".join(map(str, step.threads)) for step in self.steps],
            "elements": [" ".join(map(str, step.elements)) for step in self.steps],
            "segments": [step.segments for step in self.steps],
            "sectors": [step.sectors for step in self.steps],
            "passes": [step.passes for step in self.steps],
        }


def run(setup: GpuSetup) -> GpuResult:
    """Launch the kernel in the simulator and read its record.

    Raises ValueError that names the field and a remedy for what is too large or does not fit.
    """
    launched = launch(setup.model_copy(update=SHOWN))
    block = min(setup.block, prod(launched.job.grid) - 1)
    threads = prod(launched.job.block)
    declared = sum(
        prod(info.shape) * info.dtype.itemsize for info in launched.record.arrays if info.space == "shared"
    )
    return GpuResult(
        setup,
        launched,
        block,
        tuple(block_steps(launched, block)),
        tuple(counts_of(setup, launched.record, complete=not launched.stopped)),
        sweep_of(setup),
        occupancy(setup.gpu, threads, setup.registers, declared + setup.more_shared * KIB),
    )


@lru_cache(maxsize=8)  # a page runs again for every step that is shown
def launch(setup: GpuSetup) -> Launched:
    """Run the kernel and find what is wrong with it."""
    job = job_of(setup)
    kernel = planted(job.kernel, setup.mistake)
    simulated = simulate(kernel.source, kernel.name)
    arrays = {
        name: value
        for name, value in zip(simulated.parameters, job.arguments, strict=True)
        if isinstance(value, np.ndarray)
    }
    before = {name: value.copy() for name, value in arrays.items()}
    stop: KernelError | None = None
    try:
        record = simulated.launch(job.grid, job.block, *job.arguments, check=False)
    except KernelError as error:
        if error.record is None:
            raise
        stop, record = error, error.record
    fault = fault_of(record, stop)
    return Launched(job, kernel, before, arrays["out_"], record, fault, stop is not None)


def block_steps(launched: Launched, block: int) -> list[Step]:
    """The steps of a block, with one for the mistake that stopped it."""
    steps = steps_of(launched.record, block)
    fault = launched.fault
    return with_fault(steps, fault if fault is not None and fault.block == block else None)


def lanes_at_work(result: GpuResult) -> float:
    """The share of a warp's 32 lanes that take part in a request, over the whole launch."""
    record = result.launched.record
    requests = len(np.unique(analysis.requests(record)))
    return len(record) / (WARP * requests) if requests else 0.0


# ---- the oracles


def check(result: GpuResult) -> list[Check]:
    """The result by torch, and every count by its closed form; nothing where a mistake is planted."""
    if result.setup.mistake != "none":
        return []
    theirs = by_torch(result)
    ours = result.launched.output
    figures = [
        ("elements of the result that differ", torch_version(), 0.0, float((theirs != ours).sum())),
        ("sum of the result", torch_version(), float(theirs.sum()), float(ours.sum())),
    ]
    if result.setup.kernel != "scatter add":  # whose threads add to the same elements
        alone = float((result.owners.writers == 1).sum())
        figures.append(("elements that one thread writes", "closed forms", float(ours.size), alone))
    if (by_cpu := on_cpu(result)) is not None:
        differ = float((by_cpu != ours).sum())
        figures.append(("elements that differ from the CPU's", "our kernels for CPUs", 0.0, differ))
    figures += [
        (count.name, "closed forms", count.predicted, count.measured)
        for count in result.counts
        if count.measured is not None
    ]
    return [
        Check(name, oracle, expected, found, difference(found, expected), TOLERANCE)
        for name, oracle, expected, found in figures
    ]


def by_torch(result: GpuResult) -> Numbers:
    """The same computation by torch, from the same numbers."""
    import torch

    setup, before = result.setup, result.launched.before
    x = torch.tensor(before["x_" if "x_" in before else "a_"])
    if setup.kernel == "map":
        made = 2 * x[:: setup.stride]
    elif setup.kernel == "sum":
        chunk = -(-setup.elements // setup.blocks)
        parts = [part.sum() for part in x.split(chunk)]
        made = torch.stack(parts + [torch.tensor(0.0)] * (setup.blocks - len(parts)))
    elif setup.kernel == "matmul":
        n = setup.n
        made = (x.reshape(n, n) @ torch.tensor(before["b_"]).reshape(n, n)).reshape(-1)
    elif setup.kernel == "convolution":
        image = torch.tensor(before["b_"]).reshape(1, 1, setup.n, setup.n)
        weights = torch.tensor(before["a_"]).reshape(CHANNELS, 1, SIDE, SIDE)
        made = torch.nn.functional.conv2d(image, weights, padding=1).reshape(-1)
    elif setup.kernel == "scatter add":
        made = torch.zeros(setup.bins).scatter_add(0, torch.tensor(before["rows_"]), x)
    elif setup.kernel == "shared memory":
        made = x.flip(0)
    else:
        rows = x.reshape(setup.paths, -1)
        taken = torch.arange(setup.paths)[:, None] <= torch.arange(rows.shape[1]) % setup.paths
        made = (rows * taken).sum(0)
    found: Numbers = made.numpy()
    return found


def on_cpu(result: GpuResult) -> Numbers | None:
    """The same matrix product or convolution by the engine's kernels for CPUs; None for other kernels."""
    setup, before = result.setup, result.launched.before
    if setup.kernel not in ("matmul", "convolution"):
        return None
    with engine.backend("cpu"):
        a, b = (engine.tensor(before[name]) for name in ("a_", "b_"))
        if setup.kernel == "matmul":
            made = engine.matmul(a.reshape(setup.n, setup.n), b.reshape(setup.n, setup.n))
        else:
            image = b.reshape(1, 1, setup.n, setup.n)
            weights = a.reshape(CHANNELS, 1, SIDE, SIDE)
            made = engine.nn.functional.conv2d(image, weights, padding=1)
    found: Numbers = made.numpy().reshape(-1)
    return found


EXAMPLES: dict[str, GpuSetup] = {
    "tree reduction": GpuSetup(),
    "neighbours": GpuSetup(kernel="map", elements=128),
    "stride 8": GpuSetup(kernel="map", elements=128, stride=8),
    "matmul, no tiles": GpuSetup(kernel="matmul", tile=1),
    "matmul, tiles": GpuSetup(kernel="matmul"),
    "tile too large": GpuSetup(kernel="matmul", tile=32),
    "convolution": GpuSetup(kernel="convolution", n=6),
    "atomics": GpuSetup(kernel="scatter add", elements=128),
    "bank conflicts": GpuSetup(kernel="shared memory", stride=8),
    "padded": GpuSetup(kernel="shared memory", stride=33),
    "divergence": GpuSetup(kernel="branches"),
    "too many registers": GpuSetup(threads=256, elements=512, registers=168),
    "missing barrier": GpuSetup(mistake="missing barrier", step=14),
    "write-write race": GpuSetup(kernel="matmul", mistake="write-write race", step=26),
    "lost update": GpuSetup(kernel="scatter add", elements=128, mistake="write-write race", step=7),
    "out of bounds": GpuSetup(kernel="matmul", n=6, mistake="out of bounds", block=2, step=2),
    "divergent barrier": GpuSetup(kernel="shared memory", mistake="divergent barrier", step=1),
}

STUDY = Study(
    name="gpu",
    version=1,
    question="What do the threads of a GPU do, and what does it cost?",
    setup=GpuSetup,
    run=run,
    check=check,
)
