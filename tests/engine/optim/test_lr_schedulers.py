"""Every learning-rate schedule, epoch by epoch beside torch's."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import optim

EPOCHS = 30
Family = Any  # `engine.optim` or `torch.optim`
Make = Callable[[Family, Any], Any]  # of an optimiser, its schedule


def optimizer_of(family: Family, name: str = "SGD", **options: Any) -> Any:
    zeros = engine.zeros if family is optim else torch.zeros
    weight, bias = (zeros(2, requires_grad=True) for _ in range(2))
    groups = [{"params": [weight]}, {"params": [bias], "lr": 0.02}]
    return getattr(family, name)(groups, lr=0.5, **options)


def sequence(family: Family, optimizer: Any) -> Any:
    """Warm up, then decay, then restart."""
    schedule = family.lr_scheduler
    parts = [
        schedule.LinearLR(optimizer, start_factor=0.1, total_iters=6),
        schedule.ExponentialLR(optimizer, gamma=0.8),
        schedule.CosineAnnealingWarmRestarts(optimizer, T_0=4),
        schedule.LambdaLR(optimizer, lambda epoch: 1.0 / (1 + epoch)),
        schedule.StepLR(optimizer, 2),
    ]
    return schedule.SequentialLR(optimizer, parts, milestones=[6, 11, 20, 25])


SCHEDULES: dict[str, Make] = {
    "step": lambda family, o: family.lr_scheduler.StepLR(o, 7),
    "step with gamma": lambda family, o: family.lr_scheduler.StepLR(o, 4, gamma=0.7),
    "milestones": lambda family, o: family.lr_scheduler.MultiStepLR(o, [12, 3, 3, 20], gamma=0.5),
    "exponential": lambda family, o: family.lr_scheduler.ExponentialLR(o, 0.9),
    "cosine": lambda family, o: family.lr_scheduler.CosineAnnealingLR(o, 30),
    "cosine down and up": lambda family, o: family.lr_scheduler.CosineAnnealingLR(o, 5, eta_min=0.01),
    "cosine of one epoch": lambda family, o: family.lr_scheduler.CosineAnnealingLR(o, 1),
    "restarts": lambda family, o: family.lr_scheduler.CosineAnnealingWarmRestarts(o, 7),
    "longer restarts": lambda family, o: family.lr_scheduler.CosineAnnealingWarmRestarts(o, 3, 2, 0.001),
    "linear": lambda family, o: family.lr_scheduler.LinearLR(o),
    "linear down": lambda family, o: family.lr_scheduler.LinearLR(o, 1.0, 0.0, 20),
    "function": lambda family, o: family.lr_scheduler.LambdaLR(o, lambda epoch: 0.95**epoch),
    "functions": lambda family, o: family.lr_scheduler.LambdaLR(
        o, [lambda epoch: 1.0 / (epoch + 1), lambda epoch: 0.5**epoch]
    ),
    "sequence": sequence,
}

CYCLES: list[dict[str, Any]] = [
    {"total_steps": 30},
    {"epochs": 4, "steps_per_epoch": 8},
    {"total_steps": 40, "pct_start": 0.45, "anneal_strategy": "linear"},
    {"total_steps": 33, "three_phase": True, "div_factor": 10.0, "final_div_factor": 100.0},
    {"total_steps": 30, "base_momentum": 0.7, "max_momentum": 0.9, "anneal_strategy": "linear"},
    {"total_steps": 30, "cycle_momentum": False},
]

PLATEAUS: list[dict[str, Any]] = [
    {"patience": 2},
    {"patience": 1, "mode": "max", "factor": 0.5},
    {"patience": 0, "threshold": 0.1, "threshold_mode": "abs", "cooldown": 2},
    {"patience": 0, "mode": "max", "threshold": 0.05, "threshold_mode": "abs", "min_lr": 0.01},
    {"patience": 0, "min_lr": [0.1, 0.001], "factor": 0.3},
    {"patience": 0, "eps": 0.01, "factor": 0.5},
]


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates(name: str) -> None:
    own, other = (SCHEDULES[name](family, optimizer_of(family)) for family in (optim, torch.optim))
    for _ in range(EPOCHS):
        close(own.get_last_lr(), other.get_last_lr())
        close(own.get_last_lr(), [group["lr"] for group in own.optimizer.param_groups])
        assert own.last_epoch == other.last_epoch
        own.step()
        other.optimizer.step()
        other.step()


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("options", CYCLES)
def test_one_cycle(options: dict[str, Any], name: str) -> None:
    momentum = {"momentum": 0.9} if name == "SGD" else {}
    own, other = (
        family.lr_scheduler.OneCycleLR(optimizer_of(family, name, **momentum), [1.0, 0.1], **options)
        for family in (optim, torch.optim)
    )
    for _ in range(EPOCHS):
        close(own.get_last_lr(), other.get_last_lr())
        for mine, theirs in zip(own.optimizer.param_groups, other.optimizer.param_groups, strict=True):
            key = "momentum" if name == "SGD" else "betas"
            close(mine[key], theirs[key])
        own.step()
        other.optimizer.step()
        other.step()


def test_one_cycle_ends() -> None:
    schedule = optim.lr_scheduler.OneCycleLR(optimizer_of(optim, momentum=0.9), 1.0, total_steps=3)
    for _ in range(3):
        schedule.step()
    with pytest.raises(ValueError, match="3 steps"):
        schedule.step()


@pytest.mark.parametrize("options", PLATEAUS)
def test_plateau(options: dict[str, Any]) -> None:
    own, other = (
        family.lr_scheduler.ReduceLROnPlateau(optimizer_of(family), **options)
        for family in (optim, torch.optim)
    )
    random = np.random.default_rng(0)
    reduced = False
    for epoch in range(EPOCHS):
        measured = float(2.0 / (epoch + 1) + 0.3 * random.standard_normal())
        own.step(engine.tensor(measured, dtype=engine.float64))
        other.step(measured)
        close(own.get_last_lr(), other.get_last_lr())
        reduced = reduced or own.get_last_lr()[0] < 0.5
    assert reduced


@pytest.mark.parametrize("first", ["step", "milestones", "exponential", "cosine down and up", "linear"])
@pytest.mark.parametrize("second", ["milestones", "exponential", "linear down"])
def test_two_on_one_optimiser(first: str, second: str) -> None:
    rates = []
    for family in (optim, torch.optim):
        optimizer = optimizer_of(family)
        schedules = [SCHEDULES[first](family, optimizer), SCHEDULES[second](family, optimizer)]
        trace = []
        for _ in range(EPOCHS):
            optimizer.step()
            for schedule in schedules:
                schedule.step()
            trace.append(schedules[-1].get_last_lr())
        rates.append(trace)
    close(*rates)


@pytest.mark.parametrize("name", SCHEDULES)
def test_state_goes_on_where_it_was_saved(name: str) -> None:
    whole = SCHEDULES[name](optim, optimizer_of(optim))
    for _ in range(13):
        whole.step()
    saved = json.loads(json.dumps(whole.state_dict()))
    resumed = SCHEDULES[name](optim, optimizer_of(optim))
    resumed.load_state_dict(saved)
    resumed.optimizer.load_state_dict(whole.optimizer.state_dict())
    for _ in range(13):
        whole.step()
        resumed.step()
        close(resumed.get_last_lr(), whole.get_last_lr())


def test_plateau_state() -> None:
    whole, resumed = (optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(optim), patience=3) for _ in range(2))
    for _ in range(3):
        whole.step(1.0)
    resumed.load_state_dict(json.loads(json.dumps(whole.state_dict())))
    for _ in range(3):
        whole.step(1.0)
        resumed.step(1.0)
        close(resumed.get_last_lr(), whole.get_last_lr())
    assert resumed.get_last_lr() == [pytest.approx(0.05), pytest.approx(0.002)]


def test_restarts_within_an_epoch() -> None:
    own, other = (
        family.lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(family), 3, 2)
        for family in (optim, torch.optim)
    )
    for batch in range(50):
        own.step(batch / 5)
        other.step(batch / 5)
        close(own.get_last_lr(), other.get_last_lr())
        assert own.last_epoch == other.last_epoch


@pytest.mark.parametrize("name", optim.lr_scheduler.__all__)
def test_signature_is_that_of_torch(name: str) -> None:
    own = inspect.signature(getattr(optim.lr_scheduler, name)).parameters
    other = inspect.signature(getattr(torch.optim.lr_scheduler, name)).parameters
    assert list(own) == list(other)[: len(own)]
    assert [own[option].default for option in own] == [other[option].default for option in own]
    assert set(other) - set(own) <= {"last_epoch"}


def test_a_schedule_of_ones_own() -> None:
    class Harmonic(optim.lr_scheduler.LRScheduler):
        def get_lr(self) -> list[float]:
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    schedule = Harmonic(optimizer_of(optim))
    schedule.step()
    assert schedule.get_last_lr() == [0.25, 0.01]


def test_what_cannot_work_is_refused() -> None:
    schedule = optim.lr_scheduler
    optimizer = optimizer_of(optim)
    with pytest.raises(ValueError, match="3 entries, and the optimizer 2"):
        schedule.LambdaLR(optimizer, [lambda epoch: 1.0] * 3)
    with pytest.raises(ValueError, match="start_factor"):
        schedule.LinearLR(optimizer, start_factor=0.0)
    with pytest.raises(ValueError, match="T_0"):
        schedule.CosineAnnealingWarmRestarts(optimizer, 0)
    with pytest.raises(ValueError, match="total_steps"):
        schedule.OneCycleLR(optimizer, 1.0, epochs=3)
    with pytest.raises(ValueError, match="anneal_strategy"):
        schedule.OneCycleLR(optimizer, 1.0, 10, anneal_strategy="sudden")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="momentum"):
        schedule.OneCycleLR(optimizer_of(optim, "Adagrad"), 1.0, 10)
    with pytest.raises(ValueError, match="factor"):
        schedule.ReduceLROnPlateau(optimizer, factor=1.0)
    with pytest.raises(ValueError, match="mode"):
        schedule.ReduceLROnPlateau(optimizer, mode="least")  # type: ignore[arg-type]
    plateau = schedule.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match="measurement"):
        schedule.SequentialLR(optimizer, [plateau], [])
    with pytest.raises(ValueError, match="milestones"):
        schedule.SequentialLR(optimizer, [schedule.StepLR(optimizer, 1)], [3])
    with pytest.raises(ValueError, match="belong"):
        schedule.SequentialLR(optimizer, [schedule.StepLR(optimizer_of(optim), 1)], [])
