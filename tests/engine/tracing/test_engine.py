"""Recordings of the engine's own runs: held against torch, and with a derivative that is wrong on purpose."""

from __future__ import annotations

import io
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

import engine
from engine import nn, optim
from engine.structural import Structural
from engine.tracing import TraceFile, read
from engine.tracing.diagnosis import diagnose
from tests.engine.tracing.recordings import named, verdicts


class WrongCube(Structural):
    """x³, whose derivative has the wrong sign."""

    name: ClassVar[str] = "cube"
    needs_values: ClassVar[bool] = True

    def compute(self, x: Any) -> Any:
        return x * x * x

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:  # noqa: ARG002
        return -3.0 * cotangent * operands[0] * operands[0]


def recorded(model: Any, inputs: Any, targets: Any, steps: int = 5) -> TraceFile:
    criterion, optimizer = nn.CrossEntropyLoss(), optim.Adam(model.parameters(), lr=0.02)
    target = io.BytesIO()
    with engine.record(target):
        for _ in range(steps):
            optimizer.zero_grad()
            criterion(model(inputs), targets).backward()
            optimizer.step()
    return read(target.getvalue())


def data() -> tuple[Any, Any]:
    draw = np.random.default_rng(0)
    return engine.tensor(draw.normal(size=(12, 4)).astype("float32")), engine.tensor(draw.integers(0, 3, 12))


def test_every_derivative_passes_and_gradients_are_torchs() -> None:
    engine.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in model.state_dict().items()})
    inputs, targets = data()
    torch.nn.functional.cross_entropy(
        theirs(torch.tensor(inputs.numpy())), torch.tensor(targets.numpy())
    ).backward()
    file = recorded(model, inputs, targets)
    assert [step.number for step in file.trace.steps] == [0, 4]
    assert all(verdicts(step) == {"passed"} for step in file.trace.steps)
    assert all(step.whole and step.whole.verdict == "passed" for step in file.trace.steps)
    for name, parameter in theirs.named_parameters():
        assert parameter.grad is not None
        gradient = file.arrays[named(file, name).gradient_array]
        assert np.allclose(gradient, parameter.grad.numpy(), atol=1e-6)
    (series,) = [each for each in file.trace.history.series if each.name == "0.weight"]
    assert len(series.update) == 5
    assert all(series.update)
    assert {group.name for each in file.trace.steps[0].operations for group in each.groups} >= {"0", "1", "2"}


def test_a_wrong_derivative_is_pointed_at() -> None:
    engine.manual_seed(0)
    inputs, targets = data()
    layer, target = nn.Linear(4, 3), io.BytesIO()
    with engine.record(target):
        nn.CrossEntropyLoss()(WrongCube()(layer(inputs)), targets).backward()
    said = diagnose(read(target.getvalue()).trace)[0]
    line = WrongCube.vjp.__code__.co_firstlineno
    assert said.gravity == "wrong"
    assert f"WrongCube.vjp, test_engine.py:{line}" in said.text
    assert "the sign is wrong" in said.text


def test_a_failed_forward_leaves_its_part_only() -> None:
    target, inputs = io.BytesIO(), engine.randn(5, 4)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(8, 3))

    def run() -> None:
        with engine.record(target):
            engine.randn(3, requires_grad=True).sum().backward()
            model(inputs)

    with pytest.raises(engine.ShapeError, match="in_features"):
        run()
    trace = read(target.getvalue()).trace
    step = trace.steps[-1]
    assert (trace.count, step.number) == (1, 1)
    assert [operation.name for operation in step.operations] == ["permute", "matmul", "add", "relu"]
    failure = step.failure
    assert failure is not None
    assert failure.operation == "linear"
    assert failure.place.startswith("test_engine.py:")
    assert [step.tensors[place].shape for place in failure.inputs] == [(5, 16), (3, 8), (3,)]


def test_only_the_thread_that_records_is_heard() -> None:
    from threading import Thread

    def elsewhere() -> None:
        engine.randn(3, requires_grad=True).square().sum().backward()

    target = io.BytesIO()
    with engine.record(target):
        thread = Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert read(target.getvalue()).trace.count == 0


def test_torch_is_not_touched_for_a_model_of_the_engine() -> None:
    """A server may record its own runs while visitors' threads compute with torch."""
    before = torch.autograd.backward
    with engine.record(io.BytesIO(), nn.Linear(2, 2)):
        assert torch.autograd.backward is before
        assert not torch.nn.modules.module._global_forward_pre_hooks


def test_the_last_step_is_that_of_its_own_weights() -> None:
    """It is checked when the recording ends: then the optimiser has overwritten what it was computed with."""
    engine.manual_seed(0)
    model, (inputs, targets) = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), data()
    optimizer, target, before = optim.Adam(model.parameters(), lr=0.5), io.BytesIO(), {}
    with engine.record(target, model):
        for _ in range(7):
            optimizer.zero_grad()
            nn.CrossEntropyLoss()(model(inputs), targets).backward()
            before = {name: values.numpy().copy() for name, values in model.state_dict().items()}
            optimizer.step()
    file = read(target.getvalue())
    last = file.trace.steps[-1]
    assert last.number == 6
    assert verdicts(last) == {"passed"}
    assert last.whole is not None
    assert last.whole.verdict == "passed"
    for name, values in before.items():
        np.testing.assert_array_equal(file.arrays[named(file, name, -1).value_array], values)
