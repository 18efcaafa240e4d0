"""The simulator backend: the kernels of cuda, run in this process without a GPU, on numpy buffers."""

from __future__ import annotations

from typing import Any

from engine.backends.base import Memory
from engine.backends.cuda.backend import Cuda
from engine.backends.cuda.kernels.source import Kernel
from engine.backends.cuda.simulator import simulate
from engine.backends.interface import Backend

BLOCKS, THREADS = 2, 4  # where threads share elements: a turn of a loop is simulated sooner than a thread


class Simulator(Memory):
    """A launcher whose buffers are numpy arrays."""

    def spread(self, size: int) -> tuple[int, int]:
        threads = min(size, THREADS)
        return min(-(-size // threads), BLOCKS), threads

    def compile(self, kernel: Kernel) -> Any:
        return simulate(kernel.source, kernel.name)


def create() -> Backend:
    """The backend, for the registry."""
    return Cuda("simulator", Simulator())
