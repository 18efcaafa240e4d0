"""The same launch on a real GPU, where this machine has one: transfer, compilation and run apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns
from typing import Any

import numpy as np

from engine import backends
from engine.backends.cuda.backend import Cuda, Launcher
from engine.backends.cuda.simulator import simulate
from engine.errors import BackendError
from engine.studies.gpu_kernels import job_of
from engine.studies.gpu_setup import GpuSetup

RUNS = 20


@dataclass(frozen=True)
class Timed:
    """Microseconds of each part, and whether the GPU found the result that numpy has."""

    upload: float
    compile: float
    run: float  # median of RUNS, with its launch
    download: float
    right: bool


def on_this_machine(setup: GpuSetup) -> Timed | str:
    """The launch on this machine's GPU; where there is none, the reason."""
    if setup.mistake != "none":
        return "A kernel with a mistake is not run on a real GPU: it could hang it."
    try:
        backend = backends.get("cuda")
    except BackendError as error:
        return str(error)
    assert isinstance(backend, Cuda)
    from numba import cuda

    return timed(setup, backend.launcher, cuda.synchronize)


def timed(setup: GpuSetup, launcher: Launcher, wait: Callable[[], None]) -> Timed:
    """The launch by this launcher; `wait` returns when all work has been done."""
    job = job_of(setup)

    def measured(action: Callable[[], Any]) -> tuple[Any, float]:
        wait()
        started = perf_counter_ns()
        result = action()
        wait()
        return result, (perf_counter_ns() - started) / 1000

    def arguments() -> list[Any]:
        return [launcher.upload(x) if isinstance(x, np.ndarray) else x for x in job.arguments]

    bound, upload = measured(arguments)
    kernel, compiling = measured(lambda: launcher.compile(job.kernel))
    out = simulate(job.kernel.source, job.kernel.name).parameters.index("out_")
    kernel[job.grid, job.block](*bound)
    found, download = measured(lambda: launcher.download(bound[out]))
    right = bool(np.array_equal(found, job.expected))  # now: run again, it may add to its result
    runs = [measured(lambda: kernel[job.grid, job.block](*bound))[1] for _ in range(RUNS)]
    return Timed(upload, compiling, median(runs), download, right)
