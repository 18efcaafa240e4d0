"""Optimisers by name, and the learning rate over time."""

from __future__ import annotations

from math import cos, pi
from typing import Any

from engine import optim
from engine.nn import Module
from engine.optim.optimizer import Optimizer
from engine.training.setup import GradientSetup

MOMENTUM = 0.9


def rate_at(setup: GradientSetup, epoch: int) -> float:
    """The learning rate in an epoch."""
    if setup.schedule == "cosine":
        return setup.rate * 0.5 * (1.0 + cos(pi * min(epoch / setup.horizon, 1.0)))
    if setup.schedule == "halving":
        return setup.rate * 0.5 ** (epoch // setup.horizon)
    return setup.rate


def optimiser_of(setup: GradientSetup, net: Module) -> Optimizer:
    """The optimiser that a setup names, for all parameters of a net."""
    parameters = list(net.parameters())
    made: dict[str, Any] = {
        "SGD": lambda: optim.SGD(parameters, setup.rate),
        "momentum": lambda: optim.SGD(parameters, setup.rate, momentum=MOMENTUM),
        "Nesterov": lambda: optim.SGD(parameters, setup.rate, momentum=MOMENTUM, nesterov=True),
        "Adam": lambda: optim.Adam(parameters, setup.rate),
        "AdamW": lambda: optim.AdamW(parameters, setup.rate),
        "RMSprop": lambda: optim.RMSprop(parameters, setup.rate),
        "Adagrad": lambda: optim.Adagrad(parameters, setup.rate),
    }
    optimiser: Optimizer = made[setup.optimiser]()
    return optimiser
