"""Every optimiser with every option, step by step beside torch's on the same parameters and gradients."""

import inspect
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import optim
from engine.errors import InPlaceError

STEPS = 25
SHAPES = [(4, 3), (3,), (), (2, 1, 5)]
TOLERANCE = {"float64": 1e-12, "float32": 2e-6}
NAMES = ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop"]

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "maximize": True}),
    ("SGD", {"lr": 1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-2}),
    ("Adam", {"lr": 0.1, "betas": (0.0, 0.0)}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 2.0, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.6, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.8}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "centered": True}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
]


class Pair:
    """The same parameters here and in torch, which are given the same gradients."""

    def __init__(self, dtype: str = "float64", device: str = "cpu", seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        starts = [self.random.standard_normal(shape) for shape in SHAPES]
        ours = {"dtype": getattr(engine, dtype), "device": device, "requires_grad": True}
        theirs = {"dtype": getattr(torch, dtype), "requires_grad": True}
        self.ours = [engine.tensor(start, **ours) for start in starts]
        self.theirs = [torch.tensor(start, **theirs) for start in starts]

    def draw_gradients(self) -> None:
        for own, other in zip(self.ours, self.theirs, strict=True):
            gradient = self.random.standard_normal(own.shape)
            own.grad = engine.tensor(gradient, dtype=own.dtype, device=own.device)
            other.grad = torch.tensor(gradient, dtype=other.dtype)

    def check(self, tolerance: float) -> None:
        for own, other in zip(self.ours, self.theirs, strict=True):
            np.testing.assert_allclose(own.numpy(), other.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_every_option(name: str, options: dict[str, Any], dtype: str) -> None:
    pair = Pair(dtype)
    own = getattr(optim, name)(pair.ours, **options)
    other = getattr(torch.optim, name)(pair.theirs, **options)
    for _ in range(STEPS):
        pair.draw_gradients()
        own.step()
        other.step()
        pair.check(TOLERANCE[dtype])


@pytest.mark.parametrize("name", NAMES)
def test_on_the_reference_backend(name: str) -> None:
    pair = Pair(device="reference")
    own = getattr(optim, name)(pair.ours, lr=0.1)
    other = getattr(torch.optim, name)(pair.theirs, lr=0.1)
    for _ in range(5):
        pair.draw_gradients()
        own.step()
        other.step()
    pair.check(1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_that_of_torch(name: str) -> None:
    own = inspect.signature(getattr(optim, name)).parameters
    other = inspect.signature(getattr(torch.optim, name)).parameters
    assert {option: own[option].default for option in own} == {
        option: other[option].default for option in own
    }
    by_position = [option for option in own if own[option].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert by_position == list(other)[: len(by_position)]


@pytest.mark.parametrize("name", NAMES)
def test_parameter_groups(name: str) -> None:
    pair = Pair()
    optimizers = []
    for family, (first, *rest) in ((optim, pair.ours), (torch.optim, pair.theirs)):
        groups = [{"params": [first], "lr": 0.5}, {"params": iter(rest), "weight_decay": 0.2}]
        optimizers.append(getattr(family, name)(groups, lr=0.05))
    for _ in range(STEPS):
        pair.draw_gradients()
        for optimizer in optimizers:
            optimizer.step()
    pair.check(1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_without_a_gradient_stay_and_count_no_step(name: str) -> None:
    pair = Pair()
    own = getattr(optim, name)(pair.ours, lr=0.1)
    other = getattr(torch.optim, name)(pair.theirs, lr=0.1)
    for step in range(STEPS):
        pair.draw_gradients()
        for parameters in (pair.ours, pair.theirs):
            parameters[step % 4].grad = None
        own.step()
        other.step()
    pair.check(1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_that_are_views_or_shared(name: str) -> None:
    """Gradients as `backward` leaves them: transposed, expanded from one number, the same for two leaves."""
    pair = Pair()
    own = getattr(optim, name)(pair.ours, lr=0.1)
    other = getattr(torch.optim, name)(pair.theirs, lr=0.1)
    inputs = pair.random.standard_normal((6, 3))
    for _ in range(STEPS):
        for parameters, optimizer, x in (
            (pair.ours, own, engine.tensor(inputs)),
            (pair.theirs, other, torch.tensor(inputs)),
        ):
            weight, bias, scale, spare = parameters
            optimizer.zero_grad()
            loss = ((x @ weight.T) ** 2).mean() + ((bias + scale) * 3.0).sum() + spare.sum()
            loss.backward()
            optimizer.step()
    pair.check(1e-12)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_state_goes_on_where_it_was_saved(name: str, options: dict[str, Any]) -> None:
    pair = Pair()
    own = getattr(optim, name)(pair.ours, **options)
    other = getattr(torch.optim, name)(pair.theirs, **options)
    for _ in range(10):
        pair.draw_gradients()
        own.step()
        other.step()
    saved, reference = own.state_dict(), other.state_dict()
    for number, state in saved["state"].items():
        other_state = reference["state"].get(number, {})
        remembered = {key for key, value in other_state.items() if value is not None}
        assert set(state) | {"step"} == remembered | {"step"}
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1, 2, 3]]

    resumed = getattr(optim, name)(pair.ours, lr=99.0)
    resumed.load_state_dict(saved)
    for _ in range(10):
        pair.draw_gradients()
        resumed.step()
        other.step()
    pair.check(1e-12)


def test_loaded_state_is_a_copy_in_the_dtype_of_the_parameter() -> None:
    first = engine.tensor([1.0, 2.0], dtype=engine.float64, requires_grad=True)
    optimizer = optim.Adam([first])
    first.grad = engine.tensor([1.0, 1.0], dtype=engine.float64)
    optimizer.step()
    second = engine.tensor([1.0, 2.0], dtype=engine.float32, requires_grad=True)
    resumed = optim.Adam([second])
    resumed.load_state_dict(optimizer.state_dict())
    mean = resumed.state[second]["exp_avg"]
    assert mean.dtype is engine.float32
    assert mean.tolist() == pytest.approx([0.1, 0.1])
    optimizer.step()
    assert mean.tolist() == pytest.approx([0.1, 0.1])


def test_state_of_other_groups_is_refused() -> None:
    one, other = (engine.tensor([0.0], requires_grad=True) for _ in range(2))
    with pytest.raises(ValueError, match=r"\[2\].*\[1\]"):
        optim.SGD([one]).load_state_dict(optim.SGD([one, other]).state_dict())


def test_updates_are_in_place() -> None:
    parameter = engine.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    row = parameter.detach()[1]
    memory = parameter.numpy()
    optimizer = optim.Adam([parameter], lr=0.5)
    parameter.grad = engine.ones(2, 2)
    optimizer.step()
    np.testing.assert_allclose(memory, [[0.5, 1.5], [2.5, 3.5]], rtol=1e-6)
    np.testing.assert_allclose(row.numpy(), [2.5, 3.5], rtol=1e-6)
    assert parameter.is_leaf
    assert parameter.requires_grad


def test_a_history_from_before_the_step_is_refused() -> None:
    parameter = engine.tensor([1.0, 2.0], requires_grad=True)
    loss = (parameter * parameter).sum()
    parameter.grad = engine.ones(2)
    optim.SGD([parameter], lr=0.1).step()
    with pytest.raises(InPlaceError, match="overwritten"):
        loss.backward()


def test_closure() -> None:
    parameter = engine.tensor([3.0], requires_grad=True)
    optimizer = optim.SGD([parameter], lr=0.1)

    def closure() -> engine.Tensor:
        optimizer.zero_grad()
        loss = (parameter * parameter).sum()
        loss.backward()
        return loss

    with engine.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert parameter.item() == pytest.approx(2.4)


def test_zero_grad() -> None:
    parameter, unused = (engine.tensor([3.0, 4.0], requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([parameter, unused], lr=0.1)
    (parameter * parameter).sum().backward()
    held = parameter.grad
    optimizer.zero_grad(set_to_none=False)
    assert parameter.grad is not None
    assert parameter.grad.tolist() == [0.0, 0.0]
    assert unused.grad is None
    assert held is parameter.grad
    optimizer.zero_grad()
    assert parameter.grad is None


def test_groups_can_be_added() -> None:
    first, second = (engine.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([first], lr=0.1)
    optimizer.add_param_group({"params": second, "lr": 0.5})
    for parameter in (first, second):
        parameter.grad = engine.ones(1)
    optimizer.step()
    assert (first.item(), second.item()) == (pytest.approx(0.9), pytest.approx(0.5))


def test_what_is_not_a_list_of_leaves_is_refused() -> None:
    leaf = engine.tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match="single"):
        optim.SGD(leaf)
    with pytest.raises(ValueError, match="empty"):
        optim.SGD([])
    with pytest.raises(TypeError, match="float"):
        optim.SGD([1.0])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="leaves"):
        optim.SGD([leaf * 2])
    with pytest.raises(ValueError, match="twice"):
        optim.SGD([leaf, leaf])
    with pytest.raises(ValueError, match="two parameter groups"):
        optim.SGD([{"params": [leaf]}, {"params": [leaf]}])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": -1.0}),
        ("SGD", {"momentum": -0.1}),
        ("SGD", {"nesterov": True}),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
        ("Adam", {"betas": (1.0, 0.9)}),
        ("Adam", {"betas": (0.9, -0.1)}),
        ("AdamW", {"weight_decay": -0.1}),
        ("Adagrad", {"lr_decay": -0.1}),
        ("RMSprop", {"eps": -1.0}),
    ],
)
def test_what_torch_refuses_is_refused(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Invalid|Nesterov"):
        getattr(torch.optim, name)([torch.zeros(1)], **options)
    with pytest.raises(ValueError, match=r"at least|nesterov"):
        getattr(optim, name)([engine.zeros(1)], **options)


def test_an_optimiser_of_ones_own() -> None:
    class SignDescent(optim.Optimizer):
        def update(self, parameter: Any, gradient: Any, state: Any, group: Any) -> None:
            state["steps"] = state.get("steps", 0) + 1
            parameter.sub_(gradient.sign() * group["lr"])

    parameter = engine.tensor([1.0, -1.0], requires_grad=True)
    optimizer = SignDescent([parameter], {"lr": 0.25})
    parameter.grad = engine.tensor([5.0, -0.1])
    optimizer.step()
    assert parameter.tolist() == [0.75, -0.75]
    assert optimizer.state_dict()["state"] == {0: {"steps": 1}}
