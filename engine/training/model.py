"""A net with its loss, optimiser and learning rate: one compiled step, and a state that can be put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

import engine
from engine.compiler.memory import roomy
from engine.compiler.stages import Xray
from engine.compiler.step import Compiled
from engine.creation import zeros_like
from engine.generator import default_generator
from engine.nn import Module
from engine.tensor import Tensor
from engine.training.optimisers import optimiser_of
from engine.training.setup import GradientSetup

S = TypeVar("S", bound=GradientSetup)
N = TypeVar("N", bound=Module)


@dataclass(frozen=True)
class Saved:
    """What a model holds at one moment: tensors by number, and the numbers that its optimiser remembers."""

    tensors: tuple[NDArray[Any], ...]
    counts: tuple[dict[str, Any], ...]


class Model(Generic[S, N]):
    """A net that is trained as a setup says. Everything is overwritten in place, never replaced.

    A subclass says what net there is, and how an output is judged.
    """

    keeps: ClassVar[tuple[str, ...]] = ()  # controls which two models must share to have the same parameters

    def __init__(self, setup: S) -> None:
        self.setup = setup
        self.net = self._fresh_net()
        self.optimiser = optimiser_of(setup, self.net)
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

    # ---- what a subclass says

    def make_net(self) -> N:
        """A net with its first parameters."""
        raise NotImplementedError

    def objective(self, out: Tensor, targets: Tensor) -> Tensor:
        """What is made small: the mean loss of a batch, with all that is added to it."""
        raise NotImplementedError

    def judged(self, out: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mean loss, and the share of right answers."""
        raise NotImplementedError

    def take_over(self, net: N) -> None:
        """The values of another net, as far as they fit."""
        self.net.load_state_dict(net.state_dict())

    def parameter(self, name: str) -> tuple[Tensor, tuple[int, ...]]:
        """A tensor and a place in it; ValueError if the net has no such parameter."""
        raise ValueError(f"{name!r} cannot be set by hand: this net has too many parameters for that")

    def successor(self, setup: S) -> Self:
        """A model for other controls, which goes on from the values of this one as far as they fit."""
        new = type(self)(setup)
        if all(getattr(setup, name) == getattr(self.setup, name) for name in (*self.keeps, "optimiser")):
            new.restore(self.save())
        else:
            new.take_over(self.net)
        return new

    # ---- training

    def step(self, inputs: Tensor, targets: Tensor) -> None:
        """One update from a batch: inputs and targets."""
        self._step(inputs, targets)

    def xray(self, inputs: Tensor, targets: Tensor) -> Xray:
        """The same, with every value on the way kept."""
        seen: Xray = self._step.xray(inputs, targets)
        return seen

    def is_finite(self) -> bool:
        """Whether no parameter is infinite or NaN."""
        return all(np.isfinite(values(parameter)).all() for parameter in self.net.parameters())

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
        loss = self.objective(self.net(inputs), targets)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss

    # ---- looking

    def prime_losses(self, inputs: Tensor, targets: Tensor) -> None:
        """Have `evaluate` traced for so many samples."""
        for _ in range(2):
            self.evaluate(inputs, targets)
        _load(self._losses)

    def evaluate(self, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
        """Mean loss without what is added to it, and the share of right answers."""
        self.net.eval()
        with engine.no_grad():
            loss, right = self._losses(inputs, targets)
        self.net.train()
        return loss.item(), right.item()

    def _evaluate(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return self.judged(self.net(inputs), targets)

    # ---- keeping and putting back

    def copied_net(self) -> N:
        """The net as it is, for others to look at while this one is trained on."""
        net = self._fresh_net()
        net.load_state_dict(self.net.state_dict())
        net.eval()
        return net

    def _fresh_net(self) -> N:
        """A net with its first parameters, drawn without the dropout of the run noticing."""
        random = default_generator().get_state()
        net = self.make_net()
        default_generator().set_state(random)
        return net

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
        """Overwrite one parameter, by its name."""
        tensor, index = self.parameter(name)
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


def values(tensor: Tensor) -> NDArray[Any]:
    """A tensor's numbers as an array that shares memory with it."""
    return tensor.detach().numpy()


def _load(function: Compiled) -> None:
    """Load what was compiled once before; the rest is being compiled in the background."""
    for executable in function.executables():
        if not executable.is_compiled and not executable.missing():
            executable.compile()
