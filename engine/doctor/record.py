"""A training run under observation: what each layer gives and gets, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import engine
from engine.doctor.loop import Doubles, Floats, Loop, judged
from engine.tensor import Tensor

STEPS = 200
MOMENTS = (*range(11), *range(12, 41, 4), *range(50, STEPS + 1, 10))  # before which step one looks closely
PROBED = 128  # training samples whose activations are looked at
DECADES = (-8, 4)  # of the histograms
PER_DECADE = 3
BINS = (DECADES[1] - DECADES[0]) * PER_DECADE
LOOKS = 4  # so that the random numbers of a look are not those of anything else


@dataclass(frozen=True)
class Bad:
    """The first number that is not finite: at which step, where, and the loss of the batch then."""

    step: int
    place: str
    loss: float


@dataclass(frozen=True)
class Spread:
    """How large the numbers of a layer are.

    bins   [BINS] shares, by decade and a third
    zeros  share that is exactly 0; unknown  share that is infinite or NaN
    mean, std  of all; NaN where one is not finite
    """

    bins: Doubles
    zeros: float
    unknown: float
    mean: float
    std: float


@dataclass(frozen=True)
class Moment:
    """A close look between two steps.

    step         steps done before
    activations  of each layer on the first PROBED training samples, dropout off
    dead         share of each layer's units that are 0 on all of them; 0 for the last one, which has no ReLU
    gradients    of each layer's weights, as the last step found them; None before the first
    train        loss on those samples, dropout off
    test         loss and accuracy on the test samples, as the loop measures them
    """

    step: int
    activations: tuple[Spread, ...]
    dead: tuple[float, ...]
    gradients: tuple[Spread, ...] | None
    train: float
    test: tuple[float, float]


@dataclass(frozen=True)
class Record:
    """What was seen of a run, by step where nothing else is said.

    losses     [STEPS] of the batch
    ratios     [STEPS, LAYERS] size of the update over size of the weights
    norms      [STEPS, LAYERS] of the gradient that the step used
    left       [STEPS] norm of what was in `.grad` before the backward pass
    direction  [STEPS] cosine between the update and the gradient of this batch: −1 is straight downhill
    rate       length of the first update over that of its gradient
    moments    see `MOMENTS`
    bad        the first number that is not finite, if any is
    """

    losses: Doubles
    ratios: Doubles
    norms: Doubles
    left: Doubles
    direction: Doubles
    rate: float
    moments: tuple[Moment, ...]
    bad: Bad | None


@dataclass
class _Notes:
    """A record in the making."""

    losses: list[float] = field(default_factory=list)
    ratios: list[list[float]] = field(default_factory=list)
    norms: list[list[float]] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    direction: list[float] = field(default_factory=list)
    rate: float = np.nan
    moments: list[Moment] = field(default_factory=list)
    bad: Bad | None = None


def observe(loop: Loop, steps: int = STEPS) -> Record:
    """Train a loop for so many steps and write down what happens."""
    notes = _Notes()
    batches = loop.batches()
    gradients: tuple[Spread, ...] | None = None
    with np.errstate(all="ignore"):
        for step in range(steps):
            if step in MOMENTS:
                notes.moments.append(_look(loop, step, gradients))
            gradients = _step(loop, next(batches), step, notes)
        notes.moments.append(_look(loop, steps, gradients))
    return Record(
        np.array(notes.losses),
        np.array(notes.ratios),
        np.array(notes.norms),
        np.array(notes.left),
        np.array(notes.direction),
        notes.rate,
        tuple(notes.moments),
        notes.bad,
    )


def _step(loop: Loop, batch: NDArray[np.int64], step: int, notes: _Notes) -> tuple[Spread, ...] | None:
    parameters = list(loop.net.parameters())
    before = flat(parameters)
    loss = loop.batch_loss(batch)
    loop.clear()
    left = flat_gradient(parameters)
    loss.backward()
    total = flat_gradient(parameters)
    sizes = [layer.weight.grad.numpy() for layer in loop.net.layers]
    if notes.bad is None:
        notes.bad = _first_bad(loop, loss.item(), step + 1)
    loop.optimiser.step()
    update = flat(parameters) - before
    own = total - left
    notes.losses.append(loss.item())
    notes.norms.append([length(gradient) for gradient in sizes])
    notes.left.append(length(left))
    notes.direction.append(float(update @ own) / (length(update) * length(own)) if update.any() else np.nan)
    notes.ratios.append(_ratios(loop, before, update))
    if step == 0:
        notes.rate = length(update) / length(total) if total.any() else np.nan
    close = step + 1 in MOMENTS
    return tuple(spread(gradient) for gradient in sizes) if close else None


def _ratios(loop: Loop, before: Doubles, update: Doubles) -> list[float]:
    found, at = [], 0
    for layer in loop.net.layers:
        count = layer.weight.numel()
        weights = length(before[at : at + count])
        found.append(length(update[at : at + count]) / weights if weights else np.nan)
        at += count + layer.bias.numel()
    return found


def _look(loop: Loop, step: int, gradients: tuple[Spread, ...] | None) -> Moment:
    images, labels = loop.images[:PROBED], loop.labels[:PROBED]
    own = loop.net.random
    loop.net.random = np.random.default_rng([loop.seed, LOOKS, step])  # a run is not changed by being watched
    loop.net.eval()
    with engine.no_grad():
        signals = loop.net.signals(loop.rows(engine.from_numpy(images)))
        train = judged(loop.scores, images, labels)[0]
    loop.net.train()
    dead = [float((signal == 0).all(axis=0).mean()) for signal in signals[:-1]]
    tested = loop.tested()
    loop.net.random = own
    return Moment(step, tuple(map(spread, signals)), (*dead, 0.0), gradients, train, tested)


def _first_bad(loop: Loop, loss: float, step: int) -> Bad | None:
    """In the order in which a step computes things."""
    if not np.isfinite(loss):
        return Bad(step, "the loss", loss)
    for name, parameter in reversed(list(loop.net.named_parameters())):
        if parameter.grad is not None and not np.isfinite(parameter.grad.numpy()).all():
            layer, kind = name.split(".")[1:]
            return Bad(step, f"the gradient of the {kind} of layer {int(layer) + 1}", loss)
    return None


def spread(values: Floats) -> Spread:
    """How large numbers are."""
    sizes = np.abs(values.astype(np.float64)).ravel()
    known = np.isfinite(sizes)
    positive = sizes[known & (sizes > 0)]
    places = np.floor((np.log10(positive) - DECADES[0]) * PER_DECADE).astype(np.int64)
    bins = np.bincount(np.clip(places, 0, BINS - 1), minlength=BINS) / sizes.size
    all_known = bool(known.all())
    mean, std = (float(values.mean()), float(values.std())) if all_known else (np.nan, np.nan)
    zeros = float((sizes == 0).mean())
    return Spread(bins, zeros, float(1.0 - known.mean()), mean, std)


def flat(tensors: Sequence[Tensor]) -> Doubles:
    return np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors]).astype(np.float64)


def flat_gradient(parameters: Sequence[Tensor]) -> Doubles:
    """All gradients one after the other; 0 where there is none yet."""
    return np.concatenate(
        [
            np.zeros(parameter.numel()) if parameter.grad is None else parameter.grad.numpy().ravel()
            for parameter in parameters
        ]
    ).astype(np.float64)


def length(vector: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.square(vector, dtype=np.float64).sum()))
