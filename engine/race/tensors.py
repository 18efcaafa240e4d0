"""Lanes that compute with tensors: one operation at a time on some backend, fused, compiled whole; torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import engine
import engine.nn
import engine.optim
from engine.backends.cpu import threads
from engine.backends.cpu.arrival import patience
from engine.race.task import Task, loss


class Eager:
    """Every operation is called from Python, and the graph is made anew in each step."""

    def __init__(self, task: Task, library: Any = engine) -> None:
        self.library = library
        self.task = task
        dtype = getattr(library, task.precision)
        self.parameters = [library.tensor(values, dtype=dtype) for values in task.start]
        for parameter in self.parameters:
            parameter.requires_grad_()
        self.batches = [
            (library.tensor(inputs, dtype=dtype), library.tensor(targets, dtype=dtype))
            for inputs, targets in task.batches
        ]
        self.optimiser = library.optim.SGD(self.parameters, lr=task.rate)

    def prepare(self) -> None:
        """Two steps, which compile or load what is needed, and back to the start."""
        for _ in range(2):
            self.step(0)
        with self.library.no_grad():
            for parameter, values in zip(self.parameters, self.task.start, strict=True):
                parameter.copy_(self.library.tensor(values, dtype=parameter.dtype))

    def step(self, batch: int) -> Any:
        found = self.differentiate(*self.batches[batch])
        self.optimiser.step()
        return found

    def differentiate(self, inputs: Any, targets: Any) -> Any:
        """The loss; leaves its gradients in the parameters."""
        self.optimiser.zero_grad()
        found = loss(self.library, self.parameters, inputs, targets)
        found.backward()
        return found.detach()


class OnBackend(Eager):
    """Eager on a backend of this engine."""

    def __init__(self, task: Task, name: str) -> None:
        self.name = name
        with engine.backend(name):
            super().__init__(task)

    def prepare(self) -> None:
        with engine.backend(self.name), patience():
            super().prepare()

    def step(self, batch: int) -> Any:
        with engine.backend(self.name):
            return super().step(batch)


class Reference(OnBackend):
    """The specification in plain Python loops."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, "reference")

    def prepare(self) -> None:
        """There is nothing to compile."""


class Fused(Eager):
    """Loss and gradients are traced and run as fused loops; the optimiser is still called from Python."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.compiled = engine.compile(self.differentiate, wait=True)

    def prepare(self) -> None:
        with patience():
            super().prepare()

    def step(self, batch: int) -> Any:
        found = self.compiled(*self.batches[batch])
        self.optimiser.step()
        return found


class Compiled(Fused):
    """Loss, gradients and update are one table of kernels, called once a step."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.compiled = engine.compile(self.update, wait=True)

    def update(self, inputs: Any, targets: Any) -> Any:
        found = self.differentiate(inputs, targets)
        self.optimiser.step()
        return found

    def step(self, batch: int) -> Any:
        return self.compiled(*self.batches[batch])


def torch_lane(task: Task) -> Eager:
    """The same program with torch."""
    import torch

    return Eager(task, torch)


@contextmanager
def one_thread() -> Iterator[None]:
    """`with one_thread():` neither torch nor this engine uses more: on a busy machine, threads of a product
    this small wait for each other a hundred times as long as they work."""
    import torch

    before, own = torch.get_num_threads(), threads.get_num_threads()
    torch.set_num_threads(1)
    threads.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        threads.set_num_threads(own)
