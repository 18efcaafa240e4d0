"""Training in few bits: a format of its own for weights, activations, gradients, sums and optimiser state.

What hardware would hold in few bits is rounded at every step, in float32; the rest of the training stays as
it is. Master weights and loss scaling: Micikevicius et al., "Mixed precision training", ICLR 2018; stochastic
rounding of weights: Gupta et al., "Deep learning with limited numerical precision", ICML 2015.

    settings = Settings(weights=Quantiser(FixedFormat("q8.8", 16, 8), Rounding.STOCHASTIC))
    training = LowPrecision(model, optimizer, settings, seed=0)
    report = training.step(lambda: criterion(model(inputs), targets))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array, backend_of
from engine.context import no_grad
from engine.nn import Linear, Module
from engine.numbers.arithmetic import Arithmetic
from engine.numbers.exact import NumberError
from engine.numbers.quantised import UNROUNDED, NarrowMatmul, Quantiser, Round
from engine.optim.optimizer import Optimizer
from engine.tensor import Tensor

Floats = NDArray[Any]


@dataclass(frozen=True)
class LossScaling:
    """The loss is multiplied by a scale, so that small gradients survive, and gradients are divided by it.

    dynamic          a step whose gradients are not finite is skipped and the scale halved; after
                     `growth_interval` good steps in a row it doubles
    """

    scale: float = 1.0
    dynamic: bool = False
    growth_interval: int = 100

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0) or self.growth_interval < 1:
            raise NumberError(f"a loss scale is positive, and grows after at least one step: not {self}")


UNSCALED = LossScaling()


@dataclass(frozen=True)
class Settings:
    """What is rounded to what; by default nothing.

    weights         the parameters, after every update
    activations     what every layer gives on
    gradients       with respect to activations and parameters, scaled by the loss scale
    state           what the optimiser remembers
    accumulator     the partial sums in `Linear` layers, forward and backward; slow, for small networks
    master_weights  keep float32 weights beside the rounded ones and update those
    """

    weights: Quantiser = UNROUNDED
    activations: Quantiser = UNROUNDED
    gradients: Quantiser = UNROUNDED
    state: Quantiser = UNROUNDED
    accumulator: Arithmetic | None = None
    master_weights: bool = False
    scaling: LossScaling = UNSCALED


@dataclass(frozen=True)
class Updates:
    """Of one parameter in one step: how many elements should have moved, and how many of these did not."""

    wanted: int
    lost: int

    @property
    def lost_share(self) -> float | None:
        """None where nothing should have moved."""
        return self.lost / self.wanted if self.wanted else None


@dataclass(frozen=True)
class Report:
    """One step.

    loss      unscaled
    scale     of the loss in this step
    skipped   whether gradients were not finite, so that a dynamic scale left the weights alone
    updates   by name of parameter; empty if skipped
    """

    loss: float
    scale: float
    skipped: bool
    updates: dict[str, Updates] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """Where a training stands: copies of all that it changes.

    weights   by name of parameter, as stored; `master` in float32, empty without master weights
    optimizer its `state_dict`
    """

    weights: dict[str, Floats]
    master: dict[str, Floats]
    optimizer: dict[str, Any]
    scale: float
    good_steps: int
    steps: int


class LowPrecision:
    """A model and its optimiser, trained step by step with rounding. `close` takes the rounding away again.

    The model's weights are rounded at once. It may be evaluated at any time; its layers round then too.
    """

    def __init__(self, model: Module, optimizer: Optimizer, settings: Settings, seed: int = 0) -> None:
        self.model = model
        self.optimizer = optimizer
        self.settings = settings
        self.scale = settings.scaling.scale
        self._good_steps = 0
        self._start = seed
        self._steps = 0
        self._random = np.random.default_rng(seed)
        self._handles = [module.register_forward_hook(self._after) for module in _layers(model)]
        self._master: dict[str, Floats] = {}
        for name, parameter in model.named_parameters():
            full = parameter.numpy().copy()
            if settings.master_weights:
                self._master[name] = full
            self._write(parameter, settings.weights(full, self._seed()))

    def close(self) -> None:
        """Let the layers compute as before; the weights stay as they are."""
        for handle in self._handles:
            handle.remove()

    def step(self, loss: Callable[[], Tensor]) -> Report:
        """One step of training: `loss` computes it, on a batch that the caller chose."""
        self._steps += 1  # evaluating in between does not change the random numbers of a step
        self._random = np.random.default_rng([self._start, self._steps])
        scale = self.scale
        self.optimizer.zero_grad()
        value = loss()
        (value * scale).backward()
        finite = self._round_gradients(scale)
        if self.settings.scaling.dynamic:
            self._adapt(finite)
            if not finite:
                return Report(float(value), scale, True)
        return Report(float(value), scale, False, self._update())

    def reseed(self) -> None:
        """Draw as right after the last step, whatever was computed since: evaluating then repeats."""
        self._random = np.random.default_rng([self._start, self._steps, 1])

    # ---- going back

    def save(self) -> Saved:
        """Where the training stands, for `restore`."""
        weights = {name: parameter.numpy().copy() for name, parameter in self.model.named_parameters()}
        optimizer = self.optimizer.state_dict()
        optimizer["state"] = {
            number: {
                name: value.clone() if isinstance(value, Tensor) else value for name, value in kept.items()
            }
            for number, kept in optimizer["state"].items()
        }
        return Saved(weights, dict(self._master), optimizer, self.scale, self._good_steps, self._steps)

    def restore(self, saved: Saved) -> None:
        """Back to where the training stood, to the bit; the same steps follow."""
        for name, parameter in self.model.named_parameters():
            self._write(parameter, saved.weights[name])
        self._master = dict(saved.master)
        self.optimizer.load_state_dict(saved.optimizer)
        self.scale, self._good_steps, self._steps = saved.scale, saved.good_steps, saved.steps
        self.reseed()

    # ---- the parts of a step

    def _round_gradients(self, scale: float) -> bool:
        """Round, then divide by the scale; whether all are finite."""
        finite = True
        for _, parameter in self.model.named_parameters():
            if parameter.grad is not None:
                gradient = self.settings.gradients(np.ascontiguousarray(parameter.grad.numpy()), self._seed())
                finite = finite and bool(np.isfinite(gradient).all())
                unscaled = np.asarray(gradient / scale, gradient.dtype)
                parameter.grad = Tensor(Array.from_numpy(unscaled, backend_of(parameter.array)))
        return finite

    def _adapt(self, finite: bool) -> None:
        self._good_steps = self._good_steps + 1 if finite else 0
        if not finite:
            self.scale /= 2
        elif self._good_steps % self.settings.scaling.growth_interval == 0:
            self.scale *= 2

    def _update(self) -> dict[str, Updates]:
        named = dict(self.model.named_parameters())
        for name, full in self._master.items():
            self._write(named[name], full)
        before = {name: parameter.numpy().copy() for name, parameter in named.items()}
        self.optimizer.step()
        self._round_state()
        return {name: self._store(name, parameter, before[name]) for name, parameter in named.items()}

    def _store(self, name: str, parameter: Tensor, before: Floats) -> Updates:
        """Round an updated parameter, and count what that undid."""
        updated = parameter.numpy().copy()
        stored = self.settings.weights(updated, self._seed())
        wanted = updated != before
        if parameter.grad is not None:
            wanted |= parameter.grad.numpy() != 0
        kept = updated if name in self._master else stored
        if name in self._master:
            self._master[name] = updated
        self._write(parameter, stored)
        return Updates(int(wanted.sum()), int((wanted & (kept == before)).sum()))

    def _round_state(self) -> None:
        for state in self.optimizer.state.values():
            for remembered in state.values():
                if isinstance(remembered, Tensor):
                    self._write(remembered, self.settings.state(remembered.numpy().copy(), self._seed()))

    # ---- the layers

    def _after(self, module: Module, inputs: tuple[Any, ...], output: Any) -> Any:
        """What a layer gives on, instead of its output."""
        if isinstance(module, Linear) and self.settings.accumulator is not None:
            rows = inputs[0].reshape(-1, module.in_features)
            product = NarrowMatmul(self.settings.accumulator, self._seed)(rows, module.weight.T)
            summed = product if module.bias is None else product + module.bias
            output = summed.reshape(*output.shape)
        if isinstance(output, Tensor) and output.is_floating_point():
            return Round(self.settings.activations, self.settings.gradients, self._seed)(output)
        return output

    def _seed(self) -> int:
        return int(self._random.integers(1 << 62))

    @staticmethod
    def _write(tensor: Tensor, values: Floats) -> None:
        with no_grad():
            tensor.copy_(Tensor(Array.from_numpy(values, backend_of(tensor.array))))


def _layers(model: Module) -> Iterator[Module]:
    """The modules that hold no others."""
    for module in model.modules():
        if next(iter(module.children()), None) is None:
            yield module


def exponents(values: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which binary exponents e (2^e ≤ |x| < 2^(e+1)) occur among finite numbers but 0, and how often each."""
    magnitudes = np.abs(np.asarray(values, np.float64).reshape(-1))
    found = np.frexp(magnitudes[np.isfinite(magnitudes) & (magnitudes > 0)])[1] - 1
    kinds, counts = np.unique(found, return_counts=True)
    return kinds.astype(np.int64), counts.astype(np.int64)
