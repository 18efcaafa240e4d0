"""Three short runs of the engine, recorded when they are first asked for: one is well, and two are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar

import engine
from engine import nn, optim
from engine.data.synthetic import playground
from engine.structural import Structural
from engine.tracing import TraceFile, read, record

STEPS = 48
BATCH = 16


class Swish(Structural):
    """x · sigmoid(x), with a derivative that forgets the product rule's second term."""

    name: ClassVar[str] = "swish"
    needs_values: ClassVar[bool] = True

    def compute(self, x: Any) -> Any:
        return x * engine.sigmoid(x)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:  # noqa: ARG002
        return cotangent * engine.sigmoid(operands[0])


class Swishes(nn.Module):
    """The faulty activation as a layer."""

    def forward(self, x: Any) -> Any:
        return Swish()(x)


class FixedBatch(nn.Module):
    """Four points to a row, for a batch size that is written down instead of read off."""

    def forward(self, x: Any) -> Any:
        return x.reshape(BATCH // 4, 24)


def healthy(target: io.BytesIO) -> None:
    """Two classes in a circle, learnt by a net of two hidden layers."""
    engine.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 2))
    _train(target, model, 64, 0.03)


def wrong_derivative(target: io.BytesIO) -> None:
    """The same with an activation of its own, whose derivative is wrong."""
    engine.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 8), Swishes(), nn.Linear(8, 6), Swishes(), nn.Linear(6, 2))
    _train(target, model, 64, 0.03)


def failed(target: io.BytesIO) -> None:
    """A last batch that is smaller than the others."""
    engine.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), FixedBatch(), nn.Linear(24, 1))
    points = playground("circle", 104, seed=0)
    inputs: Any = engine.from_numpy(points.inputs / 6)
    optimiser = optim.Adam(model.parameters(), lr=0.01)
    with record(target, model):
        for start in range(0, len(inputs), BATCH):
            batch = inputs[start : start + BATCH]
            optimiser.zero_grad()
            loss = (model(batch) - 1.0).square().mean()
            loss.backward()
            optimiser.step()


def _train(target: io.BytesIO, model: nn.Module, count: int, rate: float) -> None:
    points = playground("circle", count, seed=0, noise=0.1)
    inputs, targets = engine.from_numpy(points.inputs / 6), engine.from_numpy(points.targets)
    optimiser = optim.Adam(model.parameters(), lr=rate)
    criterion = nn.CrossEntropyLoss()
    with record(target, model):
        for _ in range(STEPS):
            optimiser.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimiser.step()


RUNS: dict[str, Callable[[io.BytesIO], None]] = {
    "healthy": healthy,
    "wrong derivative": wrong_derivative,
    "failed forward": failed,
}


@cache
def example(name: str) -> TraceFile:
    """The recording of one of RUNS."""
    return read(recorded(name))


def recorded(name: str) -> bytes:
    """The file that one of RUNS leaves."""
    target = io.BytesIO()
    with suppress(engine.ShapeError):  # of the run that is to fail: its recording is complete
        RUNS[name](target)
    return target.getvalue()
