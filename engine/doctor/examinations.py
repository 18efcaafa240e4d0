"""What can be tried on a loop besides watching it: each examination asks one question, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import engine
from engine.autograd import grad
from engine.doctor.loop import Doubles, Loop, judged
from engine.doctor.record import length

DRILL_STEPS = 100
LOOKED_AT = 8  # samples whose independence is tried
NEIGHBOURS = 500
PICTURES = 8
STRIDES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # of the step that the loop takes
PLACES = 6  # batches on which they are tried


@dataclass(frozen=True)
class Signal:
    """Before the first step.

    mean, std  of what enters the net
    gains      [LAYERS] rms of Wx over √2 · rms of x: 1 keeps a signal's size through ReLUs. NaN where x is 0
    """

    mean: float
    std: float
    gains: Doubles


@dataclass(frozen=True)
class Evaluations:
    """The same weights on the same test samples.

    losses  as the loop measures it, twice
    calm    with dropout off
    """

    losses: tuple[float, float]
    calm: float

    @property
    def differs(self) -> float:
        """How far two measurements of the same are apart."""
        return abs(self.losses[0] - self.losses[1])


@dataclass(frozen=True)
class Seen:
    """The first samples of a batch as they enter the net.

    pictures  [PICTURES, 8, 8]
    labels    [PICTURES] what the loss is told they are
    """

    pictures: Doubles
    labels: NDArray[np.int64]


def seen(loop: Loop) -> Seen:
    """What the net and its loss are really given, after everything that prepares it; the loop must be new."""
    batch = next(loop.batches())
    rows = loop.rows(engine.from_numpy(loop.images[batch])).numpy()[:PICTURES]
    return Seen(rows.astype(np.float64).reshape(-1, 8, 8), loop.labels[batch][:PICTURES])


def signal(loop: Loop) -> Signal:
    """How a signal grows from layer to layer; the loop must be new."""
    x = loop.rows(engine.from_numpy(loop.images[:128])).numpy().astype(np.float64)
    mean, std = float(x.mean()), float(x.std())
    gains = []
    for layer in loop.net.layers:
        weight, bias = (tensor.detach().numpy().astype(np.float64) for tensor in (layer.weight, layer.bias))
        out = x @ weight.T
        into = _rms(x)
        gains.append(_rms(out) / (np.sqrt(2.0) * into) if into else np.nan)
        x = np.maximum(out + bias, 0.0)
    return Signal(mean, std, np.array(gains))


def drill(loop: Loop, steps: int = DRILL_STEPS) -> Doubles:
    """Overfit one batch [steps + 1]: its loss while the loop sees nothing else, dropout off.

    What cannot learn 32 samples by heart is broken in itself; what can, has a problem with the data or with
    the way it is tested. The loop must be new.
    """
    batch = next(loop.batches())
    loop.net.eval()
    losses = []
    with np.errstate(all="ignore"):
        for _ in range(steps):
            loss = loop.batch_loss(batch)
            losses.append(loss.item())
            loop.clear()
            loss.backward()
            loop.optimiser.step()
        return np.array([*losses, loop.batch_loss(batch).item()])


def dependence(loop: Loop) -> Doubles:
    """[LOOKED_AT, LOOKED_AT] how much output i changes with input j: the length of that gradient.

    A net sees its samples one by one, so all but the diagonal is 0.
    """
    loop.net.eval()
    images = engine.from_numpy(loop.images[:LOOKED_AT]).requires_grad_()
    scores = loop.net(loop.rows(images))
    found = np.empty((LOOKED_AT, LOOKED_AT))
    for row in range(LOOKED_AT):
        (slope,) = grad(scores[row].sum(), [images], retain_graph=True)
        found[row] = [length(part) for part in slope.numpy()]
    return found


def strides(loop: Loop, rate: float) -> Doubles:
    """[PLACES, len(STRIDES)] relative change of a batch's loss by shares of the step along its gradient.

    rate  length of the loop's step over that of its gradient, as measured

    The loop must be new, and is trained by the shortest of the steps in between.
    """
    loop.net.eval()
    batches = loop.batches()
    parameters = list(loop.net.parameters())
    found = np.empty((PLACES, len(STRIDES)))
    with np.errstate(all="ignore"):
        for place in range(PLACES):
            batch = next(batches)
            loss = loop.batch_loss(batch)
            slopes = [slope.numpy() for slope in grad(loss, parameters)]
            start = [parameter.detach().numpy().copy() for parameter in parameters]
            for number, share in reversed(list(enumerate(STRIDES))):
                for parameter, here, slope in zip(parameters, start, slopes, strict=True):
                    parameter.detach().numpy()[...] = here - np.float32(share * rate) * slope
                with engine.no_grad():
                    found[place, number] = loop.batch_loss(batch).item() / loss.item() - 1.0
    return found


def neighbours(loop: Loop) -> float:
    """Share of training samples that have the label of their nearest neighbour, pixel by pixel.

    It needs no net: where images and labels belong together, neighbours agree.
    """
    points = loop.images[:NEIGHBOURS].reshape(-1, 64).astype(np.float64)
    labels = loop.labels[:NEIGHBOURS]
    squares = (points**2).sum(axis=1)
    distances = squares[:, None] + squares - 2.0 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(axis=1)] == labels).mean())


def evaluations(loop: Loop) -> Evaluations | None:
    """The test of a trained loop, repeated; None where its weights are not finite."""
    if not all(np.isfinite(parameter.detach().numpy()).all() for parameter in loop.net.parameters()):
        return None
    first, second = loop.tested()[0], loop.tested()[0]
    loop.net.eval()
    calm = judged(loop.scores, loop.test_images, loop.test_labels)[0]
    loop.net.train()
    return Evaluations((first, second), calm)


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(values).mean()))
