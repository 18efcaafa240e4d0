"""A run to take away: as a PyTorch program that trains the same net on the same batches, and as JSON."""

from __future__ import annotations

import json
from pprint import pformat
from typing import Any

from engine.jsonable import encode
from engine.playground import points
from engine.playground.points import Part
from engine.playground.run import Still
from engine.playground.setup import MOST_UNITS, PlaygroundSetup, read_layers
from engine.playground.torch_program import PROGRAM
from engine.training.model import values
from engine.training.past import unfold
from engine.training.position import read_position
from engine.training.setup import MOST_EPOCHS

EXPRESSIONS = {
    "x1": "x", "x2": "y", "x1^2": "x * x", "x2^2": "y * y", "x1*x2": "x * y",
    "sin(x1)": "torch.sin(x)", "sin(x2)": "torch.sin(y)",
    "cos(x1)": "torch.cos(x)", "cos(x2)": "torch.cos(y)",
}  # fmt: skip


def torch_code(setup: PlaygroundSetup) -> str:
    """A Python program, which needs numpy and torch alone, that repeats a run from its beginning to where the
    setup stands, with all changes on the way, and prints the loss on both sets at each epoch."""
    first, changes = unfold(setup)
    end = read_position(setup.epoch)
    train, test = points.made(setup)
    happened = [
        ((change.position.epoch, change.position.used), change.parameters or _controls(change.controls))
        for change in changes
    ]
    names = ", ".join(EXPRESSIONS[name] for name in setup.inputs)
    return PROGRAM.format(
        features=f"[{names}]",
        width=len(setup.inputs),
        seed=setup.seed,
        init=repr(setup.init),
        regression=setup.is_regression,
        units=MOST_UNITS,
        epochs=MOST_EPOCHS,
        controls=pformat(_controls(first.at_start()), sort_dicts=False, width=100),
        changes=pformat(happened, sort_dicts=False, width=100),
        end=(end.epoch, end.used),
        train=_rows(train),
        test=_rows(test),
    )


def as_json(still: Still) -> str:
    """Setup, points, weights and figures of a run as strict JSON: NaN and infinity are strings."""
    layers: list[dict[str, Any]] = []
    activations = [activation for _, activation in still.setup.layers]
    norms = [block.norm for block in still.net.blocks]
    for linear, activation, norm in zip(
        still.net.linears(), [*activations, None], [*norms, None], strict=True
    ):
        layer: dict[str, Any] = {
            "weight": values(linear.weight),
            "bias": values(linear.bias),
            "activation": activation,
        }
        if norm is not None:
            layer["norm"] = {name: values(tensor) for name, tensor in norm.state_dict().items()}
        layers.append(layer)
    found = {
        "setup": still.setup.model_dump(),
        "inputs": still.setup.inputs,
        "layers": layers,
        "figures": still.figures,
        "train": {"points": still.train.points, "targets": still.train.targets[:, 0]},
        "test": {"points": still.test.points, "targets": still.test.targets[:, 0]},
    }
    return json.dumps(encode(found), allow_nan=False)


def _controls(fields: dict[str, Any]) -> dict[str, Any]:
    """Controls as the program has them."""
    live = {name: value for name, value in fields.items() if name in PlaygroundSetup.live}
    return {name: read_layers(value) if name == "hidden" else value for name, value in live.items()}


def _rows(part: Part) -> str:
    """Points and targets as x, y, target, in as few digits as give the same float32."""
    lines = [
        f"    [{x!s}, {y!s}, {target!s}],"
        for (x, y), (target,) in zip(part.points, part.targets, strict=True)
    ]
    return "\n".join(lines)
