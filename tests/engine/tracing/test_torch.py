"""Recordings of torch: held against torch's own gradients, and with derivatives that are wrong on purpose."""

from __future__ import annotations

import io
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import engine
from engine.tracing import read
from engine.tracing.diagnosis import diagnose
from tests.engine.tracing.recordings import named, train, verdicts


class Tiny(nn.Module):
    """A transformer of two layers over six tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(12, 8)
        self.places = nn.Parameter(torch.randn(6, 8) * 0.1)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(8, 12)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.head(self.encoder(self.embedding(tokens) + self.places))
        return mixed.transpose(1, 2)


def perceptron() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    model = nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3)
    )
    return model, torch.randn(16, 4), torch.randint(0, 3, (16,))


def convolutions() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 3, padding=1), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
    )  # fmt: skip
    return model, torch.randn(6, 1, 8, 8), torch.randint(0, 3, (6,))


def transformer() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    tokens = torch.randint(0, 12, (3, 6))
    return Tiny(), tokens, tokens


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.mark.parametrize("make", [perceptron, convolutions, transformer])
def test_every_derivative_passes(make: Any) -> None:
    model, inputs, targets = make()
    file = train(model, inputs, targets)
    assert [step.number for step in file.trace.steps] == [0, 2]
    for step in file.trace.steps:
        assert verdicts(step) == {"passed"}
        assert step.whole is not None
        assert step.whole.verdict == "passed"
        leaves = {tensor.name for tensor in step.tensors if tensor.kind == "parameter"}
        assert leaves == {name for name, _ in model.named_parameters()}
        checked = [tensor for tensor in step.tensors if tensor.kind == "parameter" and tensor.check]
        assert len(checked) == len(leaves)
    assert file.trace.framework == f"torch {torch.__version__.split('+')[0]}"
    assert "Nothing wrong" in diagnose(file.trace)[0].text


def test_values_and_gradients_are_torchs() -> None:
    model, inputs, targets = convolutions()
    values = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    file = train(model, inputs, targets, steps=1)
    for name, parameter in model.named_parameters():
        tensor = named(file, name)
        assert parameter.grad is not None
        assert np.allclose(file.arrays[tensor.value_array], values[name].numpy(), atol=1e-7)
        assert np.allclose(file.arrays[tensor.gradient_array], parameter.grad.numpy(), atol=1e-7)
        assert tensor.gradient.norm == pytest.approx(float(parameter.grad.norm()), rel=1e-4, abs=1e-6)


def test_recording_changes_nothing() -> None:
    ends = []
    for recorded in (False, True):
        torch.manual_seed(3)
        model, inputs, targets = perceptron()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

        def run(model: nn.Module = model, optimizer: Any = optimizer, data: Any = (inputs, targets)) -> None:
            for _ in range(4):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(data[0]), data[1]).backward()
                optimizer.step()

        if recorded:
            with engine.record(io.BytesIO()):
                run()
        else:
            run()
        ends.append(torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()]))
    assert torch.equal(*ends)


def test_torch_is_left_as_it_was() -> None:
    from torch.autograd import function

    before = (torch.autograd.backward, vars(function)["_is_setup_context_defined"])
    with pytest.raises(KeyError, match="theirs"), engine.record(io.BytesIO()):
        raise KeyError("theirs")
    assert (torch.autograd.backward, vars(function)["_is_setup_context_defined"]) == before
    assert not nn.modules.module._global_forward_pre_hooks


class WrongSquare(torch.autograd.Function):
    """x² · scale, whose derivative forgets a factor of 2."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scale: float) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.scale = scale
        return x * x * scale

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return gradient * x * ctx.scale, None


class RightSquare(WrongSquare):
    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * gradient * x * ctx.scale, None


kept_under_another_name = WrongSquare.apply


@pytest.mark.parametrize(
    "apply", [WrongSquare.apply, kept_under_another_name, lambda *x: WrongSquare.apply(*x)]
)
def test_a_wrong_backward_is_pointed_at(apply: Any) -> None:
    model, inputs, targets = perceptron()
    file = train(model, inputs, targets, after=lambda x: apply(x, 0.5))
    wrong = [
        (operation, check)
        for operation in file.trace.steps[0].operations
        for check in operation.checks
        if check and check.verdict == "failed"
    ]
    ((operation, check),) = wrong
    line = WrongSquare.backward.__code__.co_firstlineno
    assert (operation.name, operation.rule) == ("WrongSquare", f"WrongSquare.backward, test_torch.py:{line}")
    assert operation.place.startswith("test_torch.py:") or operation.place.startswith("recordings.py:")
    assert check.recorded == pytest.approx(check.numeric / 2, rel=1e-5)
    said = diagnose(file.trace)[0]
    assert said.gravity == "wrong"
    assert "WrongSquare.backward" in said.text
    assert "0.5 times as much" in said.text


def test_a_right_backward_passes() -> None:
    model, inputs, targets = perceptron()
    file = train(model, inputs, targets, after=lambda x: RightSquare.apply(x, 0.5))
    assert verdicts(file.trace.steps[0]) == {"passed"}


def test_a_gradient_that_a_hook_changes_is_seen() -> None:
    model, inputs, targets = perceptron()

    def hooked(x: torch.Tensor) -> torch.Tensor:
        x.register_hook(lambda gradient: gradient * 3)
        return x

    step = train(model, inputs, targets, steps=1, after=hooked).trace.steps[0]
    changed = next(tensor for tensor in step.tensors if tensor.check and tensor.check.verdict == "failed")
    assert changed.check is not None
    assert changed.check.recorded == pytest.approx(3 * changed.check.numeric, rel=1e-3)  # type: ignore[operator]
    assert step.whole is not None
    assert step.whole.recorded == pytest.approx(3 * step.whole.numeric, rel=1e-4)  # type: ignore[operator]


def test_a_gradient_that_is_changed_on_its_way_is_told() -> None:
    """No derivative is wrong, and the hook is on the last parameter only: the whole shows it."""
    model, inputs, targets = perceptron()
    next(model.parameters()).register_hook(lambda gradient: -gradient)
    file = train(model, inputs, targets, steps=1)
    assert all(
        check is None or check.verdict == "passed"
        for operation in file.trace.steps[0].operations
        for check in operation.checks
    )
    assert "loss as a whole is wrong in step 0" in diagnose(file.trace)[0].text
    assert torch.nn.functional.cross_entropy(model(inputs), targets).requires_grad


def test_the_last_step_is_kept_whatever_its_number() -> None:
    """Gradients of the last of 7 steps are torch's own."""
    model, inputs, targets = perceptron()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    target = io.BytesIO()
    with engine.record(target):
        for _ in range(7):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    file = read(target.getvalue())
    assert [step.number for step in file.trace.steps] == [0, 4, 6]
    assert verdicts(file.trace.steps[-1]) == {"passed"}
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        gradient = file.arrays[named(file, name, -1).gradient_array]
        assert np.allclose(gradient, parameter.grad.numpy(), atol=1e-7)


def test_of_large_steps_only_some_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("engine.tracing.record"), "HELD", 10)
    model, inputs, targets = perceptron()
    assert [step.number for step in train(model, inputs, targets, steps=7).trace.steps] == [0, 4]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_last_step_is_kept_when_the_run_is_stopped(error: type[BaseException]) -> None:
    model, inputs, targets = perceptron()
    target = io.BytesIO()

    def run() -> None:
        with engine.record(target):
            for _ in range(6):
                nn.functional.cross_entropy(model(inputs), targets).backward()
            raise error

    with pytest.raises(error):
        run()
    numbers = [step.number for step in read(target.getvalue()).trace.steps]
    assert numbers[:3] == [0, 4, 5]
    assert numbers[3:] == ([6] if error is ValueError else [])  # what it failed in


def test_a_failed_forward_leaves_its_part_and_goes_on() -> None:
    target = io.BytesIO()
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(8, 3))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), engine.record(target):
        model(torch.randn(5, 4))
    (step,) = read(target.getvalue()).trace.steps
    assert [operation.name for operation in step.operations] == ["linear", "relu"]
    failure = step.failure
    assert failure is not None
    assert (failure.error, failure.operation) == ("RuntimeError", "linear")
    assert [step.tensors[place].shape for place in failure.inputs] == [(5, 16), (3, 8), (3,)]
    assert [step.tensors[place].name for place in failure.inputs][1:] == ["2.weight", "2.bias"]
    assert all(step.tensors[place].value for place in failure.inputs)


def test_a_failed_backward_is_told() -> None:
    target = io.BytesIO()
    x = torch.randn(4, requires_grad=True)

    def run() -> None:
        with engine.record(target):
            y = x.exp()
            z = y.sum()
            y += 1
            z.backward()

    with pytest.raises(RuntimeError, match="modified by an inplace"):
        run()
    failure = read(target.getvalue()).trace.failure
    assert failure is not None
    assert failure.backward


def test_the_operation_that_first_gives_nan_is_named() -> None:
    model = nn.Linear(3, 3)
    file = train(model, torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), after=lambda x: torch.log(x - 100))
    told = next(finding.text for finding in diagnose(file.trace) if "NaN" in finding.text)
    assert told.startswith("log at test_torch.py:")


def test_updates_are_shares_of_the_weights_also_without_an_optimiser() -> None:
    weight = torch.randn(5, 3, requires_grad=True)
    inputs, target = torch.randn(7, 5), io.BytesIO()
    shares = []
    with engine.record(target):
        for _ in range(3):
            (inputs @ weight).square().mean().backward()
            assert weight.grad is not None
            shares.append(float(0.1 * weight.grad.norm() / weight.detach().norm()))
            with torch.no_grad():
                weight -= 0.1 * weight.grad
                weight.grad = None
    (series,) = [each for each in read(target.getvalue()).trace.history.series if each.kind == "parameter"]
    assert series.name == "weight"
    assert series.update == pytest.approx(shares, rel=1e-4)


def test_what_is_frozen_or_cut_off_is_told() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model.spare = nn.Linear(2, 2)  # type: ignore[assignment]
    optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
    target, inputs = io.BytesIO(), torch.randn(6, 3)
    with engine.record(target, model=model):
        for _ in range(3):
            model.zero_grad()
            model[1](model[0](inputs)).square().mean().backward()
            optimizer.step()
    told = "\n".join(finding.text for finding in diagnose(read(target.getvalue()).trace))
    assert "spare.weight, spare.bias: no gradient at all" in told
    assert "0.weight, 0.bias: gradients come, and no step changes it" in told


def test_accumulated_gradients_are_no_standstill() -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    target, inputs = io.BytesIO(), torch.randn(6, 3)
    with engine.record(target):
        for step in range(8):
            model(inputs).square().mean().backward()
            if step % 2:
                optimizer.step()
                optimizer.zero_grad()
    (series,) = [each for each in read(target.getvalue()).trace.history.series if each.name == "weight"]
    assert all(share is None or share > 0 for share in series.update)
    assert any(series.update)


def test_no_folder_gets_into_the_file(tmp_path: Path) -> None:
    model, inputs, targets = perceptron()
    file = train(model, inputs, targets, steps=1)
    text = file.trace.model_dump_json()
    assert str(Path(__file__).parent) not in text
    assert "site-packages" not in text
    with pytest.raises(FileNotFoundError, match="make it first"), engine.record(tmp_path / "no" / "x"):
        pass


def test_more_than_there_is_room_for_is_counted_and_the_run_goes_on() -> None:
    target = io.BytesIO()
    x = torch.randn(600, 2, requires_grad=True)
    with engine.record(target):
        torch.stack(list(x.unbind(0))).square().sum().backward()
    (step,) = read(target.getvalue()).trace.steps
    assert step.left_out == 2
    assert [operation.name for operation in step.operations][-2:] == ["square", "sum"]
