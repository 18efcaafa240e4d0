"""The faults by name: what each is, and what cures it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fault:
    """name  what it is called, in a verdict as on the page
    what  a sentence on what goes wrong
    fix   the line that cures it, in PyTorch
    """

    name: str
    what: str
    fix: str


FAULTS: tuple[Fault, ...] = (
    Fault(
        "no zero_grad", "Each backward pass adds to the gradients of those before.", "optimizer.zero_grad()"
    ),
    Fault("sign", "The step climbs the loss instead of descending.", "parameter -= rate * parameter.grad"),
    Fault(
        "dead ReLU",
        "A layer gives 0 for every sample, so no gradient passes.",
        "nn.init.zeros_(layer.bias)",
    ),
    Fault("rate", "The steps are so long that they overshoot.", "a learning rate ten times smaller"),
    Fault(
        "init",
        "The first weights shrink or swell the signal at every layer.",
        'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
    ),
    Fault(
        "label shuffle",
        "Images and labels are in different orders.",
        "images, labels = images[order], labels[order]",
    ),
    Fault("NaN", "An operation gives NaN in the backward pass.", "(bias.square().sum() + 1e-12).sqrt()"),
    Fault(
        "missing normalisation",
        "The inputs are as large as they came from the file.",
        "images = (images - mean) / std",
    ),
    Fault("train/eval mix-up", "Dropout is still on while the net is tested.", "model.eval()"),
    Fault("view bug", "A reshape mixes the samples of a batch.", "images.reshape(len(images), 64)"),
)
HEALTHY = "healthy"
NAMES: tuple[str, ...] = tuple(fault.name for fault in FAULTS)
ANSWERS: tuple[str, ...] = (*NAMES, HEALTHY)

_LOT = 7_919  # so that what a case has is not the first thing its seed draws


def hidden_in(case: int) -> str:
    """What the patient of this number has: one of the faults, or nothing."""
    return ANSWERS[int(np.random.default_rng([case, _LOT]).integers(len(ANSWERS)))]


def fault(name: str) -> Fault:
    """The fault of this name; KeyError where there is none."""
    return next(entry for entry in FAULTS if entry.name == name)
