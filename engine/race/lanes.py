"""The lanes of a race by name, and why one cannot take part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from engine.backends import is_available
from engine.race import scalars, tensors
from engine.race.task import Task

OBJECTS, REPLAY, REFERENCE, EAGER = "scalar objects", "scalar replay", "reference", "numba eager"
FUSED, COMPILED, TORCH, CUDA = "fused", "compiled step", "torch", "CUDA"

MOST_NODES = 400_000  # operations a step where each is made in Python: 2 s, and 100 MB of objects


class Lane(Protocol):
    """One way to train, which stands at the start once it is prepared."""

    def prepare(self) -> None:
        """Make or load all the code that a step needs."""

    def step(self, batch: int) -> Any:
        """One update from a batch, by its number; its loss before, which `float` waits for."""


MAKERS: dict[str, Callable[[Task], Lane]] = {
    OBJECTS: scalars.Objects,
    REFERENCE: tensors.Reference,
    TORCH: tensors.torch_lane,
    EAGER: lambda task: tensors.OnBackend(task, "cpu"),
    FUSED: tensors.Fused,
    REPLAY: scalars.Replay,
    COMPILED: tensors.Compiled,
    CUDA: lambda task: tensors.OnBackend(task, "cuda"),
}
NAMES = tuple(MAKERS)
LATE = (COMPILED, TORCH, REPLAY, FUSED, EAGER, CUDA)  # a new process compiles or imports much for them


def why_not(name: str, task: Task) -> str:
    """Why a lane cannot take part here; "" if it can."""
    if name == CUDA and not is_available("cuda"):
        return "no GPU here"
    if name in (OBJECTS, REPLAY, REFERENCE) and task.nodes > MOST_NODES:
        return f"cannot follow: {task.nodes / 1e6:.1f} million numbers in a step"
    return ""
