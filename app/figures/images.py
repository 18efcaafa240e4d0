"""A run on digits as what its component and its tables show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.figures.live_run import run_document
from engine.images.ledger import ALEXNET, Layer, ledger
from engine.images.run import Run
from engine.studies.images import ImagesResult
from engine.tensor_summary import summarise
from engine.training.model import values

RATES = (1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
BATCHES = (1, 8, 16, 32, 50, 64, 128, 256, 1000)
BYTES = 4  # of a float32


def payload(result: ImagesResult, token: str, present: bool) -> dict[str, Any]:
    """What the board shows beside the frames of the run."""
    setup = result.setup
    return {
        **run_document(setup, token, present),
        "classes": True,
        "probe": setup.probe,
        "images": len(result.still.test.inputs[: Run.most_judged]),
        "size": setup.size,
    }


def costs(layers: Sequence[Layer]) -> str:
    """A ledger as a Markdown table."""
    rows = [
        (
            layer.name,
            " × ".join(map(str, layer.shape)),
            layer.parameters,
            layer.multiplications,
            layer.outputs,
        )
        for layer in layers
    ]
    total = [sum(row[k] for row in rows) for k in (2, 3, 4)]  # type: ignore[misc]
    lines = [
        f"| {name} | {shape} | {parameters:,} | {multiplications:,} | {outputs * BYTES:,} |"
        for name, shape, parameters, multiplications, outputs in rows
    ]
    last = f"| **all** | | **{total[0]:,}** | **{total[1]:,}** | **{total[2] * BYTES:,}** |"
    head = (
        "| layer | output | parameters | multiplications, an image | bytes of output |\n|---|---|--:|--:|--:|"
    )
    return "\n".join([head, *lines, last])


def own_costs(result: ImagesResult) -> str:
    return costs(ledger(result.setup))


def alexnet_costs() -> str:
    return costs(ALEXNET)


def modules(result: ImagesResult) -> str:
    """Every parameter of the net as it is: a Markdown table."""
    lines = []
    for name, parameter in result.still.net.named_parameters():
        line = summarise(values(parameter))
        shape = " × ".join(map(str, line.shape))
        figures = " · ".join("–" if x is None else f"{x:.3g}" for x in (line.least, line.mean, line.greatest))
        lines.append(f"| `{name}` | {shape} | {parameter.numel():,} | {figures} |")
    head = "| parameter | shape | numbers | least · mean · greatest |\n|---|---|--:|--:|"
    return "\n".join([head, *lines])
