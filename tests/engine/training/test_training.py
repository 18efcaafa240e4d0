"""Networks learn: to a stated accuracy, and as well as the same script does with torch."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from engine.data import Samples, digits, minitorch, mnist, playground, wine
from tests.engine.training.script import Recipe, both


def perceptron(inputs: int, *widths: int, classes: int = 2) -> Callable[[Any], Any]:
    """Linear layers with ReLU between them."""

    def build(nn: Any) -> Any:
        layers: list[Any] = []
        sizes = [inputs, *widths, classes]
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return build


def small_network(nn: Any) -> Any:
    """Two convolutions with batch normalisation, for 8 × 8 pixels."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(512, 10),
    )


def lenet(nn: Any) -> Any:
    """LeCun, Bottou, Bengio & Haffner, 1998, in its usual present form, for 28 × 28 pixels."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def cosine(epochs: int) -> Callable[[Any, Any], Any]:
    return lambda schedules, optimizer: schedules.CosineAnnealingLR(optimizer, epochs)


def points(make: Callable[..., Samples], name: str, n: int, noise: float = 0.0) -> tuple[Samples, Samples]:
    """Training points, and other ones of the same set."""
    samples = make(name, n, seed=0, noise=noise)
    return samples.standardised(), make(name, 1000, seed=1, noise=noise).standardised(like=samples)


def held_out_rows() -> tuple[Samples, Samples]:
    train, test = wine().split(0.2, seed=0)
    return train.standardised(), test.standardised(like=train)


MOMENTUM = {"lr": 0.1, "momentum": 0.9, "nesterov": True}

# what: data, recipe, accuracy on training and on held-out samples
CASES: dict[str, tuple[Callable[[], tuple[Samples, Samples]], Recipe, float, float]] = {
    "Xor": (
        lambda: points(minitorch, "Xor", 200),
        Recipe(perceptron(2, 16), "SGD", MOMENTUM, 120, 20, cosine(120)),
        0.99,
        0.95,
    ),
    "Spiral": (
        lambda: points(minitorch, "Spiral", 200),
        Recipe(perceptron(2, 32, 32), "Adam", {"lr": 0.01}, 100, 20, cosine(100)),
        0.95,
        0.95,
    ),
    "Playground's spiral": (
        lambda: points(playground, "spiral", 400, noise=0.1),
        Recipe(perceptron(2, 32, 32), "RMSprop", {"lr": 0.005}, 60, 20, cosine(60)),
        0.95,
        0.95,
    ),
    "wine": (
        held_out_rows,
        Recipe(perceptron(13, classes=3), "Adagrad", {"lr": 0.1}, 20, 20),
        0.98,
        0.95,
    ),
    "digits": (
        lambda: digits().split(0.2, seed=0),
        Recipe(small_network, "AdamW", {"lr": 0.01, "weight_decay": 0.1}, 8, 32, cosine(8)),
        0.99,
        0.97,
    ),
    "MNIST": (
        lambda: mnist().split(0.2, seed=0),
        Recipe(lenet, "Adam", {"lr": 0.003}, 4, 50, cosine(4)),
        0.97,
        0.95,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_learns_as_torch_does(name: str) -> None:
    data, recipe, train_goal, test_goal = CASES[name]
    samples, held_out = data()
    ours, theirs = both(recipe, samples, held_out)
    # from the same weights the losses are the same, until rounding has grown into another path
    np.testing.assert_allclose(ours.losses[:10], theirs.losses[:10], rtol=1e-4)
    assert ours.losses[0] == pytest.approx(theirs.losses[0], rel=1e-5)
    assert ours.train >= train_goal
    assert ours.test > test_goal
    assert ours.train == pytest.approx(theirs.train, abs=0.01)
    assert ours.test == pytest.approx(theirs.test, abs=0.01)
