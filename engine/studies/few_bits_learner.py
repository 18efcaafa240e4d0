"""One training: a net in one lane, from one seed, with what is counted on the way."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

import engine
from engine import nn, optim
from engine.numbers.training import LowPrecision, Saved, exponents
from engine.optim.optimizer import Optimizer
from engine.studies.few_bits_lane import Lane
from engine.studies.few_bits_setup import FewBitsSetup
from engine.tensor import Tensor

CLASSES = 10
LOW, HIGH = -45, 20  # exponents that are told apart; what lies outside counts as the nearest of these
BINS = HIGH - LOW + 1


@dataclass
class Tally:
    """What happened in an epoch so far."""

    layers: int
    losses: list[float] = field(default_factory=list)
    skipped: int = 0
    wanted: NDArray[np.int64] = field(init=False)  # updates of weights, by layer
    lost: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.wanted, self.lost = np.zeros((2, self.layers), np.int64)

    @property
    def loss(self) -> float:
        """Mean over the steps; nan before the first."""
        return float(np.mean(self.losses)) if self.losses else nan


@dataclass(frozen=True)
class Gradients:
    """How large the elements of a net's gradients are, before they are rounded.

    counts  by binary exponent of the gradient times the loss scale, from LOW to HIGH
    zeros   how many are exactly 0; unknown: how many are infinite or NaN
    """

    counts: NDArray[np.int64]
    zeros: int
    unknown: int


def network(inputs: int, hidden: list[int], seed: int) -> nn.Sequential:
    """Linear layers with ReLUs between them, with PyTorch's first weights."""
    engine.manual_seed(seed)
    sizes = [inputs, *hidden, CLASSES]
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes):
        parts += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


class Learner:
    """A net that is trained as a lane says. All learners of one seed begin with the same weights."""

    def __init__(self, setup: FewBitsSetup, lane: Lane, inputs: int, seed: int) -> None:
        self.model = network(inputs, setup.layers, seed)
        self.unrounded = network(inputs, setup.layers, seed)
        for own, other in zip(self.unrounded.modules(), self.model.modules(), strict=True):
            if isinstance(own, nn.Linear) and isinstance(other, nn.Linear):
                own.weight, own.bias = (
                    other.weight,
                    other.bias,
                )  # one set of weights, with and without rounding
        self.criterion = nn.CrossEntropyLoss()
        self.training = LowPrecision(self.model, _optimiser(setup, self.model), lane.settings(), seed)
        self.tally = Tally(len(setup.layers) + 1)

    def step(self, inputs: Tensor, targets: Tensor) -> None:
        """One update from a batch."""
        report = self.training.step(lambda: self.criterion(self.model(inputs), targets))
        tally = self.tally
        tally.losses.append(report.loss)
        tally.skipped += report.skipped
        for place, updates in enumerate(report.updates.values()):
            tally.wanted[place // 2] += updates.wanted  # weight and bias of each layer follow one another
            tally.lost[place // 2] += updates.lost

    def evaluate(self, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
        """Loss and the share of right answers, computed with the lane's rounding."""
        self.training.reseed()
        with engine.no_grad():
            scores = self.model(inputs)
            loss = self.criterion(scores, targets)
        values = scores.numpy()
        right = (values.argmax(axis=1) == targets.numpy()) & np.isfinite(values).all(axis=1)
        return float(loss), float(np.mean(right))

    def gradients(self, inputs: Tensor, targets: Tensor) -> Gradients:
        """What the gradients of all parameters would be in fp32, with this net's weights and loss scale."""
        loss = self.criterion(self.unrounded(inputs), targets) * self.training.scale
        found = engine.autograd.grad(loss, list(self.unrounded.parameters()))
        values = np.concatenate([gradient.numpy().reshape(-1) for gradient in found])
        kinds, counts = exponents(values)
        binned = np.bincount(np.clip(kinds, LOW, HIGH) - LOW, weights=counts, minlength=BINS)
        unknown = int(np.sum(~np.isfinite(values)))
        return Gradients(binned.astype(np.int64), int(np.sum(values == 0)), unknown)

    def save(self) -> tuple[Saved, Tally]:
        return self.training.save(), deepcopy(self.tally)

    def restore(self, saved: tuple[Saved, Tally]) -> None:
        self.training.restore(saved[0])
        self.tally = deepcopy(saved[1])


def _optimiser(setup: FewBitsSetup, model: nn.Module) -> Optimizer:
    parameters: Any = model.parameters()
    if setup.optimiser == "Adam":
        return optim.Adam(parameters, lr=setup.rate)
    return optim.SGD(parameters, lr=setup.rate, momentum=0.9 if setup.optimiser == "momentum" else 0.0)
