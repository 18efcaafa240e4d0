"""Networks to train, each written once: engine and torch share their names, so the library is a parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.tensors import random_values

WIDTH, HEADS, BLOCKS, CHARACTERS, CONTEXT = 64, 4, 2, 65, 64  # of the character model


@dataclass(frozen=True)
class Task:
    """What is trained on what.

    network    builds the module from the library
    loss       of (library, prediction, target)
    optimizer  of (library, parameters)
    goal       most time of a step against torch
    perceptron  whether it is one, trained as the other engines can: ReLU, squared error, plain descent
    """

    name: str
    network: Callable[[Any], Any]
    inputs: NDArray[Any]
    targets: NDArray[Any]
    loss: Callable[[Any, Any, Any], Any]
    optimizer: Callable[[Any, Any], Any]
    goal: float | None = None
    perceptron: bool = False


# ---- multi-layer perceptrons

RATE = 0.05  # learning rate of the perceptrons, which other libraries are to follow


def perceptron(hidden: int, batch: int, goal: float | None = None) -> Task:
    """2-hidden-hidden-1 with ReLU: is a point's x·y positive?"""

    def network(library: Any) -> Any:
        nn = library.nn
        return nn.Sequential(
            nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    points = random_values(batch, 2)
    return Task(
        f"2-{hidden}-{hidden}-1, batch {batch}",
        network,
        points,
        np.sign(points[:, :1] * points[:, 1:]),
        lambda library, prediction, target: library.nn.functional.mse_loss(prediction, target),
        lambda library, parameters: library.optim.SGD(parameters, lr=RATE),
        goal,
        perceptron=True,
    )


# ---- LeNet


def lenet(batch: int, goal: float | None = None) -> Task:
    """LeNet-5 (LeCun et al., 1998) with ReLU and max pooling, on images of 28x28."""

    def network(library: Any) -> Any:
        nn = library.nn
        return nn.Sequential(
            *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Flatten(),
            *(nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
        )

    return Task(
        f"LeNet-5, batch {batch}",
        network,
        random_values(batch, 1, 28, 28),
        np.random.default_rng(1).integers(0, 10, batch),
        lambda library, prediction, target: library.nn.functional.cross_entropy(prediction, target),
        lambda library, parameters: library.optim.SGD(parameters, lr=0.01, momentum=0.9),
        goal,
    )


def small_images(batch: int) -> Task:
    """Two convolutions of 8 and 16 channels on images of 10x10, as people train in a browser."""

    def network(library: Any) -> Any:
        nn = library.nn
        return nn.Sequential(
            *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(144, 10)),
        )

    return Task(
        f"10x10 CNN, batch {batch}",
        network,
        random_values(batch, 1, 10, 10),
        np.random.default_rng(1).integers(0, 10, batch),
        lambda library, prediction, target: library.nn.functional.cross_entropy(prediction, target),
        lambda library, parameters: library.optim.SGD(parameters, lr=0.05),
    )


# ---- a small language model of characters


def block(library: Any) -> Any:
    """A transformer block, normalised before each part (as in GPT-2, Radford et al., 2019)."""
    nn = library.nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm_attention = nn.LayerNorm(WIDTH)
            self.project = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
            self.mix = nn.Linear(WIDTH, WIDTH)
            self.norm_perceptron = nn.LayerNorm(WIDTH)
            self.perceptron = nn.Sequential(
                nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
            )

        def forward(self, x: Any) -> Any:
            x = x + self.mix(self.attention(self.norm_attention(x)))
            return x + self.perceptron(self.norm_perceptron(x))

        def attention(self, x: Any) -> Any:
            batch, length, _ = x.shape
            heads = self.project(x).reshape(batch, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            attended = nn.functional.scaled_dot_product_attention(
                heads[0], heads[1], heads[2], is_causal=True
            )
            return attended.transpose(1, 2).reshape(batch, length, WIDTH)

    return Block()


def character_model(library: Any) -> Any:
    nn = library.nn

    class CharacterModel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.characters = nn.Embedding(CHARACTERS, WIDTH)
            self.positions = nn.Embedding(CONTEXT, WIDTH)
            self.blocks = nn.Sequential(*(block(library) for _ in range(BLOCKS)))
            self.norm = nn.LayerNorm(WIDTH)
            self.scores = nn.Linear(WIDTH, CHARACTERS, bias=False)

        def forward(self, x: Any) -> Any:
            x = self.characters(x) + self.positions.weight
            return self.scores(self.norm(self.blocks(x)))

    return CharacterModel()


def transformer(batch: int, goal: float | None = None) -> Task:
    """Two blocks of width 64 with 4 heads over 64 characters, about 112,000 parameters, by AdamW."""
    text = np.random.default_rng(2).integers(0, CHARACTERS, (batch, CONTEXT + 1))
    return Task(
        f"character GPT, batch {batch}",
        character_model,
        text[:, :-1],
        text[:, 1:],
        lambda library, prediction, target: library.nn.functional.cross_entropy(
            prediction.flatten(0, 1), target.flatten()
        ),
        lambda library, parameters: library.optim.AdamW(parameters, lr=1e-3),
        goal,
    )


TASKS = (
    perceptron(16, 50, goal=0.5),
    perceptron(16, 512),
    perceptron(64, 512),
    small_images(32),
    lenet(16),
    lenet(64, goal=0.4),
    transformer(16, goal=0.75),
)
