"""A moment of the Playground as a row of numbers to draw a picture from: figures, then parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from engine.playground.setup import PlaygroundSetup


@dataclass(frozen=True)
class Figures:
    """How good a net is. Losses without the penalty; accuracies are shares of right classes, else nan."""

    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    penalty: float
    rate: float


FIGURES = ("epoch", "used", *(field.name for field in fields(Figures)))


def shape_of(setup: PlaygroundSetup) -> dict[str, Any]:
    """What is needed besides the parameters to compute a net's output."""
    sizes = [len(setup.inputs), *(units for units, _ in setup.layers)]
    return {
        "inputs": setup.inputs,
        "layers": [
            {
                "units": units,
                "activation": activation,
                "norm": setup.batch_norm,
                "skips": setup.residual and fan_in == units,
            }
            for fan_in, (units, activation) in zip(sizes, setup.layers, strict=False)
        ],
        "output": output_of(setup),
    }


def output_of(setup: PlaygroundSetup) -> str:
    """What brings the last unit to -1 … 1: tanh, tanh of the half (which is 2·sigmoid - 1), or nothing."""
    if setup.is_regression:
        return "linear"
    return "tanh" if setup.loss == "squared" else "half tanh"
