"""A run of the Playground as what its component shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.playground.points import Part
from engine.playground.setup import ACTIVATIONS, FEATURES, MOST_LAYERS, MOST_UNITS
from engine.studies.playground import PlaygroundResult

RATES = (0.0, 1e-5, 1e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
BATCHES = (1, 2, 5, 10, 20, 30, 50, 100, 250, 1000)


def options(usual: Sequence[float], current: float) -> list[float]:
    """What to choose from: the usual values, and the one that a link may have brought."""
    return sorted({*usual, current})


def payload(result: PlaygroundResult, token: str, present: bool) -> dict[str, Any]:
    """All but the frames, which come over a connection of their own."""
    controls = result.run.controls
    return {
        "token": token,
        "present": present,
        "inputs": controls.inputs,
        "layers": controls.layers,
        "features": FEATURES,
        "activations": ACTIVATIONS,
        "most_layers": MOST_LAYERS,
        "most_units": MOST_UNITS,
        "can_edit": not present,
        "classes": not controls.is_regression,
        "reach": controls.reach,
        "train": _points(result.run.train),
        "test": _points(result.run.test),
    }


def _points(part: Part) -> list[list[float]]:
    return [
        [round(float(x), 3), round(float(y), 3), round(float(target), 3)]
        for (x, y), target in zip(part.points, part.targets[:, 0], strict=True)
    ]
