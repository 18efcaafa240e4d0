"""What a net of the Playground costs, and what it takes for what: Markdown tables."""

from __future__ import annotations

import engine
from engine.playground.costs import costs
from engine.playground.run import Still


def costs_table(still: Still) -> str:
    """Parameters, operations and bytes."""
    found = costs(still.setup, len(still.train))
    rows = {
        "parameters": found.parameters,
        "operations forward, a point": found.forward_flops,
        "operations backward, a point": found.backward_flops,
        "operations, an epoch": found.epoch_flops,
        "bytes of parameters": found.parameter_bytes,
        "bytes of activations": found.activation_bytes,
    }
    return "\n".join(
        ["| cost | |", "|---|--:|", *(f"| {name} | {figure:,} |" for name, figure in rows.items())]
    )


def confusion_table(still: Still) -> str:
    """How many test points of each class are taken for which; "" where values are predicted."""
    if still.setup.is_regression:
        return ""
    is_one = still.test.targets[:, 0] > 0
    answer = still.net(engine.from_numpy(still.test.inputs)).detach().numpy()[:, 0] > 0
    rows = [
        f"| **{name}** | {(~answer & own).sum()} | {(answer & own).sum()} |"
        for name, own in (("class 0", ~is_one), ("class 1", is_one))
    ]
    return "\n".join(["| test points of | taken for class 0 | taken for class 1 |", "|---|--:|--:|", *rows])
