"""A net with its loss, optimiser and learning rate: one compiled step, and a state that can be put back."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

import engine
from engine import optim
from engine.compiler.memory import roomy
from engine.compiler.step import Compiled
from engine.creation import zeros_like
from engine.generator import default_generator
from engine.nn import functional as F  # noqa: N812
from engine.optim.optimizer import Optimizer
from engine.playground.network import Network, values
from engine.playground.setup import PlaygroundSetup
from engine.tensor import Tensor

Floats = NDArray[np.float32]
MOMENTUM = 0.9


@dataclass(frozen=True)
class Saved:
    """What a model holds at one moment: tensors by number, and the numbers that its optimiser remembers."""

    tensors: tuple[NDArray[Any], ...]
    counts: tuple[dict[str, Any], ...]


class Model:
    """A net that is trained as a setup says. Everything is overwritten in place, never replaced."""

    def __init__(self, setup: PlaygroundSetup) -> None:
        self.setup = setup
        self.net = Network(setup)
        self.optimiser = _optimiser(setup, self.net)
        for parameter in self.net.parameters():
            self.optimiser.state[parameter].update(
                self.optimiser.start(parameter, self.optimiser.param_groups[0])
            )
            if setup.optimiser in ("momentum", "Nesterov"):
                self.optimiser.state[parameter]["momentum_buffer"] = zeros_like(parameter)
        for tensor in self._kept():  # so that the last bits do not depend on what lies beside what
            buffer = tensor.value.buffer
            tensor.value.buffer = roomy(len(buffer), buffer.dtype)
            tensor.value.buffer[:] = buffer
        self._step = engine.compile(self._train)
        self._losses = engine.compile(self._evaluate)
        self._primed: set[int] = set()
        self._remembered: dict[tuple[int, str], Tensor] = {}

    def successor(self, setup: PlaygroundSetup) -> Model:
        """A model for other controls, which goes on from the values of this one as far as they fit."""
        new = Model(setup)
        if all(
            getattr(setup, name) == getattr(self.setup, name)
            for name in ("hidden", "batch_norm", "optimiser")
        ):
            new.restore(self.save())
        else:
            new.net.take_over(self.net)
        return new

    # ---- training

    def step(self, inputs: Tensor, targets: Tensor) -> None:
        """One update from a batch: inputs [n, features], targets [n, 1]."""
        self._step(inputs, targets)

    def set_rate(self, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def prime(self, inputs: Tensor, targets: Tensor) -> None:
        """Have the step traced for batches of this size, and leave everything as it was.

        Kernels that were compiled once are loaded at once; others are compiled in the background.

        The first two calls of a compiled function compute in other ways than those that follow, whose last
        bits can differ: without this, a run that is repeated would not be the same.
        """
        if len(inputs) in self._primed:
            return
        self._primed.add(len(inputs))
        before, random = self.save(), default_generator().get_state()
        for _ in range(2):
            self._step(inputs, targets)
        for parameter in self.net.parameters():
            parameter.grad = None
        self.restore(before)
        default_generator().set_state(random)
        _load(self._step)

    def is_compiled(self) -> bool:
        """Whether all kernels are there; until then steps are as right, but not the same to the last bit."""
        return all(executable.is_compiled for executable in self._step.executables())

    def _train(self, inputs: Tensor, targets: Tensor) -> Tensor:
        loss = mean_loss(self.setup, self.net(inputs), targets)
        if self.setup.penalty != "none":
            loss = loss + penalty(self.setup, self.net)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss

    # ---- looking

    def prime_losses(self, inputs: Tensor, targets: Tensor) -> None:
        """Have `evaluate` traced for so many points."""
        for _ in range(2):
            self.evaluate(inputs, targets)
        _load(self._losses)

    def evaluate(self, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
        """Mean loss without the penalty, and the share of right answers (of classes)."""
        self.net.eval()
        with engine.no_grad():
            loss, right = self._losses(inputs, targets)
        self.net.train()
        return loss.item(), right.item()

    def _evaluate(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        out = self.net(inputs)
        right = (out.gt(0.0).to(engine.float32) - targets.gt(0.0).to(engine.float32)).abs()
        return mean_loss(self.setup, out, targets), 1.0 - right.mean()

    def penalty(self) -> float:
        with engine.no_grad():
            return penalty(self.setup, self.net).item() if self.setup.penalty != "none" else 0.0

    def drawn(self) -> Floats:
        """What a picture of the net is computed from, in a row: for each layer weights and biases, and for a
        hidden one with batch norm the factors and summands that it comes to when nothing is trained."""
        parts = []
        for block in self.net.blocks:
            parts += [block.linear.weight, block.linear.bias]
            if block.norm is not None:
                factor = block.norm.weight.detach() / (block.norm.running_var + block.norm.eps).sqrt()
                parts += [factor, block.norm.bias.detach() - block.norm.running_mean * factor]
        parts += [self.net.last.weight, self.net.last.bias]
        return np.concatenate([values(part).ravel() for part in parts])

    # ---- keeping and putting back

    def save(self) -> Saved:
        tensors = [values(tensor).copy() for tensor in self._kept()]
        counts = [
            {name: value for name, value in state.items() if not isinstance(value, Tensor)}
            for state in self._states()
        ]
        return Saved(tuple(tensors), tuple(counts))

    def restore(self, saved: Saved) -> None:
        kept = self._kept()
        for tensor, earlier in zip(kept, saved.tensors, strict=False):
            values(tensor)[...] = earlier
        for tensor in kept[len(saved.tensors) :]:  # what an optimiser began to remember since then
            values(tensor)[...] = 0.0
        for state, counts in zip(self._states(), saved.counts, strict=True):
            state.update(counts)

    def set_parameter(self, name: str, value: float) -> None:
        """Overwrite one weight or bias, as `Network.parameter` names it."""
        tensor, index = self.net.parameter(name)
        values(tensor)[index] = value

    def _states(self) -> list[dict[str, Any]]:
        return [self.optimiser.state[parameter] for parameter in self.net.parameters()]

    def _kept(self) -> list[Tensor]:
        """Every tensor that a step reads or writes; those of the optimiser last."""
        own = [*self.net.parameters(), *self.net.buffers()]
        remembered = [
            value for state in self._states() for value in state.values() if isinstance(value, Tensor)
        ]
        return own + remembered


def mean_loss(setup: PlaygroundSetup, out: Tensor, targets: Tensor) -> Tensor:
    """The loss of outputs [n, 1], before their activation, beside targets [n, 1] (-1 or 1, or values)."""
    if setup.is_regression:
        return ((out - targets) ** 2).mean() * 0.5
    if setup.loss == "squared":
        return ((out.tanh() - targets) ** 2).mean() * 0.5
    return F.binary_cross_entropy_with_logits(out, (targets + 1.0) * 0.5)


def penalty(setup: PlaygroundSetup, net: Network) -> Tensor:
    """What is added to the loss: rate · Σ|w| or rate · Σw²/2 over the weights, not the biases."""
    size = [
        linear.weight.abs().sum() if setup.penalty == "L1" else (linear.weight**2).sum() * 0.5
        for linear in net.linears()
    ]
    total = size[0]
    for other in size[1:]:
        total = total + other
    return total * setup.penalty_rate


def rate_at(setup: PlaygroundSetup, epoch: int) -> float:
    """The learning rate in an epoch."""
    if setup.schedule == "cosine":
        return setup.rate * 0.5 * (1.0 + cos(pi * min(epoch / setup.horizon, 1.0)))
    if setup.schedule == "halving":
        return setup.rate * 0.5 ** (epoch // setup.horizon)
    return setup.rate


def _optimiser(setup: PlaygroundSetup, net: Network) -> Optimizer:
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


def _load(function: Compiled) -> None:
    """Load what was compiled once before; the rest is being compiled in the background."""
    for executable in function.executables():
        if not executable.is_compiled and not executable.missing():
            executable.compile()
