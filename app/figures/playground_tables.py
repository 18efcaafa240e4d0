"""What a net of the Playground costs, and what it takes for what: Markdown tables."""

from __future__ import annotations

import engine
from engine.playground.costs import costs
from engine.playground.run import Still
from engine.playground.setup import PlaygroundSetup


def costs_table(still: Still) -> str:
    """Parameters, operations and bytes, beside those of the net with which the page begins."""
    usual = PlaygroundSetup()
    both = [costs(setup, len(still.train)) for setup in (still.setup, usual)]
    names = {
        "parameters": "parameters",
        "forward_flops": "operations forward, a point",
        "backward_flops": "operations backward, a point",
        "epoch_flops": "operations, an epoch",
        "parameter_bytes": "bytes of parameters",
        "activation_bytes": "bytes of activations",
    }
    rows = [
        f"| {title} | {' | '.join(f'{getattr(found, name):,}' for found in both)} |"
        for name, title in names.items()
    ]
    return "\n".join([f"| cost | this net | {usual.hidden} |", "|---|--:|--:|", *rows])


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
