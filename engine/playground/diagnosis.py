"""Why a run does not learn: one line that names the cause, with the numbers that show it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

import engine
from engine.playground.curvature import largest_curvature
from engine.playground.model import mean_loss
from engine.playground.run import Still
from engine.training.model import values
from engine.training.optimisers import rate_at
from engine.training.position import read_position

FLAT = 0.05  # a weight or an output's spread that is next to nothing
SATURATED = 0.99  # of a unit's range
ALMOST_ALL = 0.95  # of the points
VANISHED = 3e-3  # of the largest gradient of a layer, per weight
NO_RATE = 1e-6  # of the rate at first
FEWEST = 4  # losses that tell whether a run goes up and down
POOR = 0.5  # of the loss of the best constant answer
STILL = 0.98  # of the loss at first, at which it counts as unchanged

Floats = NDArray[np.float32]


def why_it_stopped(still: Still, losses: Sequence[float] = ()) -> str:
    """A sentence for people, or "" if nothing is found to be wrong.

    losses  on the training points at some moments before, oldest first (a few dozen say most). Without them
            a run counts as one that does not get better

    Takes some milliseconds; where the loss rises or goes up and down some tens, for the curvature.
    """
    view = _View(still, losses)
    for cause in CERTAIN:
        if found := cause(view):
            return found
    if not view.is_poor or not view.is_stuck:
        return ""
    return next((found for cause in PLAUSIBLE if (found := cause(view))), "")


@dataclass
class _View:
    """What the causes are read off."""

    still: Still
    losses: Sequence[float]

    @cached_property
    def layers(self) -> list[Floats]:
        """What each layer gives [points, units] on the training points, before it is added to what goes round
        it; of the output layer what its activation is given."""
        found = []
        with engine.no_grad():
            x = engine.from_numpy(self.still.train.inputs)
            for block in self.still.net.blocks:
                inner = block.linear(x)
                found.append(values(block.activation(inner if block.norm is None else block.norm(inner))))
                x = block(x)
            return [*found, values(self.still.net.last(x))]

    @property
    def outputs(self) -> Floats:
        return self.layers[-1]

    @cached_property
    def weights(self) -> list[Floats]:
        return [values(linear.weight) for linear in self.still.net.linears()]

    @cached_property
    def gradients(self) -> list[float]:
        """Root mean square of the gradient of each layer's weights, without the penalty."""
        train = self.still.train
        loss = mean_loss(
            self.still.setup,
            self.still.net(engine.from_numpy(train.inputs)),
            engine.from_numpy(train.targets),
        )
        weights = [linear.weight for linear in self.still.net.linears()]
        found = engine.autograd.grad(loss, weights)
        return [float(np.sqrt((values(gradient) ** 2).mean())) for gradient in found]

    @property
    def is_poor(self) -> bool:
        """Whether it is hardly better than the best constant answer."""
        setup, targets = self.still.setup, self.still.train.targets
        if setup.is_regression or setup.loss == "squared":
            constant = float(targets.var()) / 2
        else:
            share = float((targets > 0).mean())
            constant = -share * np.log(share) - (1 - share) * np.log(1 - share)
        return not self.still.figures.train_loss < POOR * constant

    @property
    def is_stuck(self) -> bool:
        return len(self.losses) < 2 or not self.losses[-1] < STILL * max(self.losses[0], 1e-12)

    @property
    def is_unstable(self) -> bool:
        """Whether the loss has risen, or goes up and down by a good part of itself."""
        losses = np.asarray(self.losses, np.float64)
        if len(losses) < FEWEST or not np.isfinite(losses).all():
            return False
        steps = np.diff(losses)
        risen = losses[-1] > 1.2 * losses.min() and (steps[-FEWEST + 1 :] > 0).all()
        swing = np.abs(steps).mean() > 0.1 * losses.mean() and (steps > 0).mean() > 0.3
        return bool(risen or swing)


# ---- causes that are wrong at any time


def _not_finite(view: _View) -> str:
    for number, weight in enumerate(view.weights, 1):
        if not np.isfinite(weight).all():
            bad = "NaN" if np.isnan(weight).any() else "infinite"
            history = f"{_last_known(view)}{_first_operation(view)}"
            return f"The weights of {_layer(view, number)} are {bad}{history}; {_smaller(view)}"
    for number, outputs in enumerate(view.layers, 1):
        if not np.isfinite(outputs).all():
            largest = max(float(np.abs(weight).max()) for weight in view.weights)
            return (
                f"{_layer(view, number).capitalize()} is the first whose outputs overflow "
                f"(the largest weight is {largest:.3g}){_last_known(view)}; {_smaller(view)}"
            )
    if not np.isfinite(view.still.figures.train_loss):
        largest = float(np.abs(view.outputs).max())
        return f"The loss overflows: outputs reach {largest:.3g}{_last_known(view)}; {_smaller(view)}"
    return ""


def _no_rate(view: _View) -> str:
    setup = view.still.setup
    now = rate_at(setup, read_position(setup.epoch).epoch)
    if setup.rate == 0.0:
        return "The learning rate is 0: no step changes anything"
    if now > NO_RATE * setup.rate:
        return ""
    return f"The schedule has brought the learning rate from {setup.rate:.3g} to {now:.1g}"


def _symmetric(view: _View) -> str:
    """Units with equal weights in and out get equal gradients, and stay equal for ever."""
    linears = view.still.net.linears()
    for number, (linear, following) in enumerate(pairwise(linears), 1):
        into = np.column_stack([values(linear.weight), values(linear.bias)])
        out = values(following.weight).T
        units = len(into)
        if units > 1 and _all_equal(into) and _all_equal(out):
            shown = "all 0" if not into[:, :-1].any() else "the same"
            return (
                f"All {units} units of layer {number} are copies of one another: their weights are {shown}, "
                "and equal gradients keep them so; draw the first weights at random"
            )
    return ""


def _too_fast(view: _View) -> str:
    """Above the bound of the parabola that the loss is like close by. Said only where the loss of a net is
    one function of its weights: dropout and batch norm make another one of each batch."""
    still, setup = view.still, view.still.setup
    adapts = setup.optimiser in ("Adam", "AdamW", "RMSprop", "Adagrad")
    if setup.dropout or setup.batch_norm or not view.is_unstable or (adapts and still.scales is None):
        return ""
    curvature = largest_curvature(still, scales=still.scales)
    rate = rate_at(setup, read_position(setup.epoch).epoch)
    limit = still.bound / curvature if curvature > 0 else np.inf
    if not rate > limit:
        return ""
    scale = f", each weight in the scale that {setup.optimiser} gives it" if adapts else ""
    return (
        f"The learning rate {rate:.3g} is above {still.bound:.3g}/L = {limit:.3g}, where L = {curvature:.3g} "
        f"is the largest curvature of the loss{scale}: each step overshoots by more than the one before"
    )


def _jumping(view: _View) -> str:
    """Where no bound is known or none is exceeded just now."""
    if not (view.is_poor and view.is_unstable):
        return ""
    jump = float(np.abs(np.diff(view.losses)).mean())
    return (
        f"The loss jumps by {jump:.2g} from one moment to the next, around {np.mean(view.losses):.2g}: "
        f"the learning rate {view.still.setup.rate:.3g} is too large"
    )


# ---- causes of a run that is poor and does not get better


def _pressed(view: _View) -> str:
    setup = view.still.setup
    if setup.penalty == "none":
        return ""
    spread = float(view.outputs.std())
    sizes = [float(np.abs(weight).max()) for weight in view.weights]
    if spread > FLAT * float(view.still.train.targets.std()) and min(sizes) > FLAT:
        return ""
    number = int(np.argmin(sizes)) + 1
    return (
        f"The {setup.penalty} penalty outweighs the loss: at rate {setup.penalty_rate:.3g} it has pressed "
        f"the weights of {_layer(view, number)} to {sizes[number - 1]:.2g} at most"
    )


def _dead(view: _View) -> str:
    for number, (outputs, (units, activation)) in enumerate(
        zip(view.layers, view.still.setup.layers, strict=False), 1
    ):
        dead = int((outputs == 0.0).all(axis=0).sum())
        if activation == "relu" and 2 * dead > units:
            return (
                f"{dead} of {units} units of layer {number} are dead: relu gives 0 on all "
                f"{len(outputs)} training points, so no gradient reaches their weights"
            )
    return ""


def _saturated(view: _View) -> str:
    for number, (outputs, (units, activation)) in enumerate(
        zip(view.layers, view.still.setup.layers, strict=False), 1
    ):
        if activation not in ("tanh", "sigmoid"):
            continue
        scaled = outputs if activation == "tanh" else 2.0 * outputs - 1.0
        shares = (np.abs(scaled) > SATURATED).mean(axis=0)
        full = int((shares > ALMOST_ALL).sum())
        if 2 * full > units:
            return (
                f"{full} of {units} units of layer {number} are saturated: {activation} is within 1 % of its "
                f"end on {shares.max():.0%} of the points, where its slope is almost 0"
            )
    return ""


def _output_saturated(view: _View) -> str:
    """With a squared error, a wrong answer at the end of tanh is not corrected."""
    setup = view.still.setup
    if setup.is_regression or setup.loss != "squared":
        return ""
    share = float((np.abs(np.tanh(view.outputs)) > SATURATED).mean())
    if share < ALMOST_ALL:
        return ""
    return (
        f"The output is saturated: its tanh is within 1 % of its end on {share:.0%} of the points, where the "
        "squared error has almost no slope; the logistic loss has one"
    )


def _vanishing(view: _View) -> str:
    first, largest = view.gradients[0], max(view.gradients)
    if len(view.gradients) < 3 or not first < VANISHED * largest:
        return ""
    number = view.gradients.index(largest) + 1
    return (
        f"The gradient vanishes on its way back: {first:.1e} per weight in layer 1, {largest:.1e} in "
        f"{_layer(view, number)}, {largest / first if first else np.inf:,.0f} times as much"
    )


def _one_answer(view: _View) -> str:
    points = len(view.still.train)
    if view.still.setup.is_regression:
        return ""
    positive = int((view.outputs > 0).sum())
    if positive not in (0, points):
        return ""
    return f"It says class {int(positive > 0)} for all {points} training points, of which there are two"


CERTAIN: tuple[Callable[[_View], str], ...] = (_not_finite, _no_rate, _symmetric, _too_fast, _jumping)
PLAUSIBLE: tuple[Callable[[_View], str], ...] = (
    _pressed, _dead, _saturated, _vanishing, _one_answer, _output_saturated,
)  # fmt: skip


# ---- words


def _layer(view: _View, number: int) -> str:
    return f"layer {number}" if number <= len(view.still.setup.layers) else "the output layer"


def _last_known(view: _View) -> str:
    finite = [loss for loss in view.losses if np.isfinite(loss)]
    return f", after a loss of {finite[-1]:.3g}" if finite else ""


def _first_operation(view: _View) -> str:
    found = view.still.overflow
    if found is None:
        return ""
    block = re.fullmatch(r"blocks\.(\d+)\..*", found.label)
    outside = "the output layer" if found.label else "the loss or the update"
    place = f"layer {int(block[1]) + 1}" if block else outside
    return (
        f". The first to overflow, at epoch {found.position}, was a {found.operation} in {place}, "
        f"of numbers up to {found.largest:.2g}"
    )


def _smaller(view: _View) -> str:
    return f"a learning rate below {view.still.setup.rate:.3g} may keep them finite"


def _all_equal(rows: Floats) -> bool:
    return bool(np.abs(rows - rows[0]).max() <= 1e-6 * max(float(np.abs(rows).max()), 1e-12))
