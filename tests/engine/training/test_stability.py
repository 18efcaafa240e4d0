"""Bounds of learning rates: just below them torch's optimisers settle on a parabola, just above not."""

from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import optim
from engine.training.optimisers import MOMENTUM
from engine.training.stability import largest_product, scales

BETAS = (0.9, 1 - 1e-10)  # the scale stays what it is
DECAY = 0.3
SCALE = 0.7

MAKE: dict[str, Any] = {
    "SGD": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=MOMENTUM),
    "Nesterov": lambda p, lr: torch.optim.SGD(p, lr, momentum=MOMENTUM, nesterov=True),
    "Adam": lambda p, lr: torch.optim.Adam(p, lr, betas=BETAS, eps=0.0),
    "AdamW": lambda p, lr: torch.optim.AdamW(p, lr, betas=BETAS, eps=0.0, weight_decay=DECAY),
    "RMSprop": lambda p, lr: torch.optim.RMSprop(p, lr, alpha=BETAS[1], eps=0.0),
    "Adagrad": lambda p, lr: torch.optim.Adagrad(p, lr, initial_accumulator_value=SCALE**2, eps=0.0),
}
ADAPTS = ("Adam", "AdamW", "RMSprop", "Adagrad")


def end(name: str, rate: float, curvature: float) -> float:
    """How far from the lowest place of a parabola torch's optimiser is after many steps from 1e-9 away."""
    place = torch.tensor([1e-9], dtype=torch.float64, requires_grad=True)
    optimiser = MAKE[name]([place], rate)
    if name in ("Adam", "AdamW"):
        zero = torch.zeros(1, dtype=torch.float64)
        state = {"step": torch.tensor(1e12), "exp_avg": zero, "exp_avg_sq": zero + SCALE**2}
        optimiser.state[place] = state
    if name == "RMSprop":
        optimiser.state[place] = {
            "step": torch.tensor(1.0),
            "square_avg": torch.full((1,), SCALE**2, dtype=torch.float64),
        }
    for _ in range(400):
        optimiser.zero_grad()
        (0.5 * curvature * place**2).sum().backward()
        optimiser.step()
    return abs(place.item())


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("curvature", [0.2, 3.0])
def test_the_bound_is_where_torch_begins_to_overshoot(name: str, curvature: float) -> None:
    own = curvature / (SCALE if name in ADAPTS else 1.0)  # in the optimiser's scale
    options = {"betas": BETAS, "weight_decay": DECAY}
    low, high = 0.0, 1000.0  # the bound itself may depend on the rate
    for _ in range(60):
        rate = (low + high) / 2
        low, high = (rate, high) if rate * own < largest_product(name, rate, options) else (low, rate)  # type: ignore[arg-type]
    assert end(name, 0.98 * rate, curvature) < 1e-9
    assert end(name, 1.02 * rate, curvature) > 1e-8


def remembered(make: Any, gradient: Any, steps: int) -> Any:
    """The scales of an optimiser of the engine after so many steps with the same gradient."""
    parameter = engine.zeros(3, requires_grad=True)
    optimiser = make([parameter])
    for _ in range(steps):
        parameter.grad = engine.tensor(gradient)
        optimiser.step()
    return scales(optimiser)


@pytest.mark.parametrize("steps", [1, 7])
def test_scales_after_equal_gradients_are_known_on_paper(steps: int) -> None:
    gradient = np.array([0.5, -2.0, 1e-3], np.float32)
    size = np.abs(gradient).astype(np.float64)
    adam, adamw, rmsprop, adagrad = (
        remembered(make, gradient, steps)[0]
        for make in (optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad)
    )
    np.testing.assert_allclose(adam, (1 - 0.9**steps) * (size + 1e-8), rtol=1e-4)
    np.testing.assert_allclose(adamw, adam)
    np.testing.assert_allclose(rmsprop, np.sqrt(1 - 0.99**steps) * size + 1e-8, rtol=1e-4)
    np.testing.assert_allclose(adagrad, np.sqrt(steps) * size + 1e-10, rtol=1e-4)


def test_where_nothing_is_divided_there_are_no_scales() -> None:
    gradient = np.ones(3, np.float32)
    assert remembered(lambda p: optim.SGD(p, 0.1, momentum=0.9), gradient, 2) is None
    assert remembered(optim.Adam, gradient, 0) is None
    assert remembered(optim.RMSprop, np.zeros(3, np.float32), 0) is None
