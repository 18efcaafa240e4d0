"""Targets by torch, and the reference by the engine's own CUDA simulator, which rewrites it into Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.backends.cuda.simulator import simulate
from engine.gpu_puzzles.machine import Numbers, Task, score
from engine.gpu_puzzles.puzzle import GpuPuzzle


def by_torch(name: str, task: Task) -> Numbers:
    """What out is to hold, by torch, from the same numbers."""
    import torch

    inputs = [torch.tensor(values) for values in task.inputs.values()]
    wanted: Any = _torch(torch, name, inputs, task.block[0])
    found: Numbers = wanted.numpy()
    return found


def _torch(torch: Any, name: str, inputs: list[Any], threads: int) -> Any:
    """The tensor of one puzzle."""
    a = inputs[0]
    match name:
        case "zip" | "broadcast":
            return a + inputs[1]
        case "shared":
            return torch.cat([part + part[0] for part in a.split(threads)])
        case "pooling":
            padded = torch.nn.functional.pad(a, (2, 0))
            return padded.unfold(0, 3, 1).sum(1)
        case "dot":
            return torch.dot(a, inputs[1])[None]
        case "convolution":
            padded = torch.nn.functional.pad(a, (0, len(inputs[1]) - 1))
            return torch.nn.functional.conv1d(padded[None, None], inputs[1][None, None])[0, 0]
        case "prefix_sum":
            return torch.cat([part.cumsum(0) for part in a.split(threads)])
        case "axis_sum":
            return a.sum(1)
        case "matmul":
            return a @ inputs[1]
        case _:
            return a + 10


def module_of(puzzle: GpuPuzzle, body: str, task: Task, decorator: str = "") -> str:
    """The kernel with these lines as a module for numba.cuda, its constants as a task has them."""
    constants = [f"{name} = {value}" for name, value in task.constants.items()]
    lines = [*puzzle.given, *body.split("\n")]
    kernel = [decorator] * bool(decorator) + [puzzle.head, *(f"    {line}".rstrip() for line in lines)]
    return "\n".join(["from numba import cuda, float32", "", *constants, "", *kernel, ""])


def by_simulator(puzzle: GpuPuzzle, task: Task) -> tuple[Numbers, dict[str, int]]:
    """The reference's result and its score."""
    simulated = simulate(module_of(puzzle, puzzle.reference, task), puzzle.name)
    output = np.zeros_like(task.target)
    inputs = [values.copy() for values in task.inputs.values()]
    record = simulated.launch(task.grid, task.block, output, *inputs, *task.numbers.values())
    return output, score(record)
