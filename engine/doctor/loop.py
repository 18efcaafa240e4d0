"""A training loop as anybody would write it, in parts: a fault replaces one of them.

The data are 1,797 digits of 8 × 8 pixels; the net has three hidden layers of ReLUs with dropout, and learns
by stochastic gradient descent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import engine
from engine import data, nn, optim
from engine.nn import functional as F  # noqa: N812
from engine.tensor import Tensor

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Labels = NDArray[np.int64]

SIZES = (64, 48, 48, 48, 10)
LAYERS = len(SIZES) - 1
BATCH = 32
DROPOUT = 0.2
GREY = 255.0  # levels of an image file
WEIGHTS, ORDER, MASKS = 1, 2, 3  # so that the random numbers of one thing are not those of another


class Net(nn.Module):
    """Linear maps with ReLU and dropout between them."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(*pair) for pair in pairwise(SIZES)])
        self.random = random

    def forward(self, x: Tensor) -> Tensor:
        for layer in list(self.layers)[:-1]:
            x = self.drop(layer(x).relu())
        scores: Tensor = self.layers[LAYERS - 1](x)
        return scores

    def drop(self, x: Tensor) -> Tensor:
        """Dropout; the masks are numpy's, so that another library can draw the same ones."""
        if not self.training:
            return x
        kept = self.random.random(x.shape) >= DROPOUT
        return x * engine.from_numpy(kept.astype(np.float32) / np.float32(1.0 - DROPOUT))

    def signals(self, x: Tensor) -> list[Floats]:
        """What each layer gives [samples, units]: after its ReLU, and the last one as it is."""
        found = []
        for layer in list(self.layers)[:-1]:
            x = layer(x).relu()
            found.append(x.detach().numpy())
        return [*found, self.layers[LAYERS - 1](x).detach().numpy()]


class Loop:
    """The healthy one. `seed` draws the first weights, the order of the samples and the dropout."""

    rate: ClassVar[float] = 0.1

    def __init__(self, seed: int) -> None:
        self.seed = seed
        train, test = digits()
        labels = self.labelled(train[1])
        self.images, self.labels = self.scaled(train[0]), labels
        self.test_images, self.test_labels = self.scaled(test[0]), test[1]
        self.net = Net(np.random.default_rng([seed, MASKS]))
        random = np.random.default_rng([seed, WEIGHTS])
        with engine.no_grad():
            for layer, bias in zip(self.net.layers, self.first_biases(), strict=True):
                drawn = self.first_weights(random.standard_normal(layer.weight.shape))
                layer.weight.copy_(engine.from_numpy(drawn.astype(np.float32)))
                nn.init.constant_(layer.bias, bias)
        self.optimiser = self.make_optimiser()

    # ---- the parts

    def scaled(self, images: Floats) -> Floats:
        """Grey levels from 0 to 255 as the net is given them."""
        train = digits()[0][0]
        scaled: Floats = (images - train.mean()) / train.std()
        return scaled

    def labelled(self, labels: Labels) -> Labels:
        """The labels of the training images."""
        return labels

    def first_weights(self, drawn: Doubles) -> Doubles:
        """First weights, from standard normal numbers [out, in]: He et al. 2015."""
        return drawn * float(np.sqrt(2.0 / drawn.shape[1]))

    def first_biases(self) -> list[float]:
        """What all biases of each layer are at first."""
        return [0.0] * LAYERS

    def make_optimiser(self) -> optim.SGD:
        return optim.SGD(self.net.parameters(), lr=self.rate)

    def rows(self, images: Tensor) -> Tensor:
        """Images [n, 8, 8] as rows [n, 64]."""
        return images.reshape(len(images), 64)

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(scores, labels)

    def clear(self) -> None:
        """Forget the gradients of the step before."""
        self.optimiser.zero_grad()

    def before_testing(self) -> None:
        self.net.eval()

    # ---- how they are put together

    def batches(self) -> Iterator[NDArray[np.int64]]:
        """Numbers of training samples [BATCH], epoch after epoch in a new order, without end."""
        random = np.random.default_rng([self.seed, ORDER])
        while True:
            order = random.permutation(len(self.labels))
            yield from order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)

    def scores(self, images: Floats) -> Tensor:
        scores: Tensor = self.net(self.rows(engine.from_numpy(images)))
        return scores

    def batch_loss(self, batch: NDArray[np.int64]) -> Tensor:
        """The loss of some training samples, ready for `backward`."""
        return self.loss(self.scores(self.images[batch]), engine.from_numpy(self.labels[batch]))

    def tested(self) -> tuple[float, float]:
        """Mean loss and accuracy on the test samples, as this loop measures them."""
        self.before_testing()
        found = judged(self.scores, self.test_images, self.test_labels)
        self.net.train()
        return found


def judged(scores: Callable[[Floats], Tensor], images: Floats, labels: Labels) -> tuple[float, float]:
    """Mean cross entropy and accuracy of what `scores` makes of images."""
    with engine.no_grad():
        given = scores(images)
        loss = F.cross_entropy(given, engine.from_numpy(labels)).item()
    found = given.numpy()
    right = (found.argmax(axis=1) == labels) & np.isfinite(found).all(axis=1)
    return loss, float(right.mean())


@cache
def digits() -> tuple[tuple[Floats, Labels], tuple[Floats, Labels]]:
    """Images [n, 8, 8] in grey levels and labels [n], for training and for testing."""
    train, test = data.digits().split(0.2)
    return tuple(  # type: ignore[return-value]
        (np.round(part.inputs.reshape(-1, 8, 8) * GREY).astype(np.float32), part.targets)
        for part in (train, test)
    )
