"""Recording a short torch run, and reading what it left."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch

import engine
from engine.tracing import TraceFile, read
from engine.tracing.trace import Step


def train(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    steps: int = 3,
    after: Callable[[Any], Any] = lambda x: x,
) -> TraceFile:
    """Gradient descent on the cross entropy of after(model(inputs)), recorded; errors are left behind."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    target = io.BytesIO()
    with suppress(RuntimeError), engine.record(target):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(after(model(inputs)), targets)
            loss.backward()
            optimizer.step()
    return read(target.getvalue())


def verdicts(step: Step) -> set[str]:
    """What the checks of a step say, of operations and of tensors."""
    found = {check.verdict for operation in step.operations for check in operation.checks if check}
    return found | {tensor.check.verdict for tensor in step.tensors if tensor.check}


def named(file: TraceFile, name: str, step: int = 0) -> Any:
    """The tensor of this name in one of the recorded graphs."""
    return next(tensor for tensor in file.trace.steps[step].tensors if tensor.name == name)
