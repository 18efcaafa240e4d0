"""A run of the Playground as what its component shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np

from engine.playground.frames import shape_of
from engine.playground.gradients import weight_gradient
from engine.playground.points import Part, made
from engine.playground.run import Still
from engine.playground.sample import seen_samples
from engine.playground.seeds import Seeded, quartiles
from engine.playground.setup import (
    ACTIVATIONS,
    FEATURES,
    MOST_LAYERS,
    MOST_OWN_POINTS,
    MOST_UNITS,
    SETS,
    PlaygroundSetup,
    read_points,
)
from engine.studies.playground import PlaygroundResult
from engine.training.position import read_position
from engine.training.setup import name_of

RATES = (0.0, 1e-5, 1e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
BATCHES = (1, 2, 5, 10, 20, 30, 50, 100, 250, 1000)


THUMBNAIL_POINTS = 70
RULE = "y > f(x)"


def payload(
    result: PlaygroundResult,
    token: str,
    present: bool,
    watching: bool = False,
    seeds: Sequence[Seeded] = (),
) -> dict[str, Any]:
    """All but the frames, which come over a connection of their own. Who is `watching` touches nothing."""
    controls = result.setup
    return {
        "token": token,
        "present": present,
        "moment": result.setup.epoch,
        "inputs": controls.inputs,
        "layers": controls.layers,
        "features": FEATURES,
        "activations": ACTIVATIONS,
        "most_layers": MOST_LAYERS,
        "most_units": MOST_UNITS,
        "watching": watching,
        "controls": name_of(controls),
        "can_edit": not present and not watching,
        "classes": not controls.is_regression,
        "reach": controls.reach,
        "sets": SETS,
        "set": controls.data,
        "thumbnails": {**_thumbnails(), **_own_thumbnails(controls)},
        "own": read_points(controls.points) if controls.data == "own points" else None,
        "most_own": MOST_OWN_POINTS,
        "gradient": _gradient(result.still),
        "sample": _sample(result.still),
        "seeds": _seeds(seeds),
        "train": _points(result.still.train),
        "test": _points(result.still.test),
    }


def _gradient(still: Still) -> dict[str, Any] | None:
    """How the next batch pulls at the weight that is looked at; none where this net has no such weight."""
    try:
        found = weight_gradient(still, still.setup.weight) if still.setup.weight else None
    except ValueError:
        return None
    if found is None or not np.isfinite([found.total, found.numeric]).all():
        return None
    order = np.argsort(found.parts)
    parts = [round(float(part), 9) for part in found.parts[order]]
    seen = read_position(still.setup.epoch).seen
    waiting = [bool(seen and place >= seen) for place in order]
    figures = {"total": found.total, "numeric": found.numeric, "penalty": found.penalty}
    return {"name": found.name, "parts": parts, "waiting": waiting, **figures}


def _sample(still: Still) -> dict[str, Any] | None:
    """The latest sample that was looked at of the next batch; none where none was, or numbers overflow."""
    found = seen_samples(still)
    if found is None or not np.isfinite(np.concatenate([*found.sums, *found.adds, [found.loss]])).all():
        return None
    row = int(found.rows[-1])
    return {
        "seen": len(found.rows),
        "size": found.size,
        "rows": found.rows.tolist(),
        "point": [round(float(place), 3) for place in still.train.points[row]],
        "target": float(still.train.targets[row, 0]),
        "answer": float(found.values[-1][0]),
        "loss": found.loss,
        "values": [[round(float(value), 6) for value in layer] for layer in found.values],
        "adds": [float(np.linalg.norm(layer)) for layer in found.adds],
        "sums": [float(np.linalg.norm(layer)) for layer in found.sums],
    }


def _seeds(found: Sequence[Seeded]) -> dict[str, Any] | None:
    """Where the same controls came to with other seeds; numbers as text, for some may be infinite."""
    if not found:
        return None
    return {
        "epoch": found[0].setup.epoch,
        "shape": shape_of(found[0].setup),
        "quartiles": [repr(loss) for loss in quartiles(found)],
        "runs": [
            {
                "seed": seeded.seed,
                "loss": repr(seeded.figures.test_loss),
                "drawn": [f"{number:.4g}" for number in seeded.drawn],
            }
            for seeded in found
        ],
    }


def _own_thumbnails(controls: PlaygroundSetup) -> dict[str, list[list[float]]]:
    """Those of the sets that the visitor makes."""
    return {
        "own points": _thumbnail(read_points(controls.points)),
        RULE: _thumbnail(_points(made(_for_thumbnail(RULE, rule=controls.rule))[0])),
    }


def _for_thumbnail(name: Any, **fields: Any) -> PlaygroundSetup:
    return PlaygroundSetup(data=name, samples=2 * THUMBNAIL_POINTS, **fields)


@cache
def _thumbnails() -> dict[str, list[list[float]]]:
    """Some points of each set, in places from 0 to 1."""
    found = {}
    for name in SETS:
        setup = _for_thumbnail(name)
        low, high = setup.reach
        found[name] = _thumbnail(_points(made(setup)[0]), low, high)
    return found


def _thumbnail(points: Iterable[Sequence[float]], low: float = -6.0, high: float = 6.0) -> list[list[float]]:
    return [
        [round((x - low) / (high - low), 2), round((y - low) / (high - low), 2), round(target or -1, 2)]
        for x, y, target in points
    ]


def _points(part: Part) -> list[list[float]]:
    return [
        [round(float(x), 3), round(float(y), 3), round(float(target), 3)]
        for (x, y), target in zip(part.points, part.targets[:, 0], strict=True)
    ]
