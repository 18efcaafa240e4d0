"""What the tests of runs share: all of a run's numbers, and kernels that are there before a step is made."""

import numpy as np

from engine.compiler import background
from engine.playground.run import Run
from engine.playground.setup import PlaygroundSetup


def begun(setup: PlaygroundSetup) -> Run:
    """A run at its beginning, with all its kernels compiled."""
    run = Run(setup.model_copy(update={"epoch": "0"}))
    background.settle()
    return run


def numbers(run: Run) -> tuple[bytes, str]:
    """Everything that the next step depends on, to the bit: parameters, buffers, the optimiser's memory."""
    assert not run.is_provisional
    saved = run.model.save()
    return b"".join(tensor.tobytes() for tensor in saved.tensors), str(saved.counts)


def parameters(run: Run) -> list[np.ndarray]:
    """Weights and biases by layer, as copies."""
    return [
        parameter.detach().numpy().copy()
        for linear in run.model.net.linears()
        for parameter in (linear.weight, linear.bias)
    ]


def setup_of(**fields: object) -> PlaygroundSetup:
    """A small, quick setup: 60 points, 30 of them to train on, in batches of 7."""
    return PlaygroundSetup(**{"samples": 60, "batch": 7, **fields})
