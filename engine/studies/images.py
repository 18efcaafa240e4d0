"""The run on digits: what does a convolutional net look at, and what does it take for what?"""

from __future__ import annotations

from engine.images.oracle import compared
from engine.images.run import Run, Still
from engine.images.setup import ImagesSetup
from engine.studies.study import Check, Study
from engine.training.curve import TrainedResult, trained


class ImagesResult(TrainedResult):
    """A run on digits where it stands, and its curve."""

    still: Still


def run(setup: ImagesSetup) -> ImagesResult:
    """Train from the beginning to where the setup stands."""
    training, curve = trained(Run, setup)
    return ImagesResult(training.still(), curve)


def check(result: ImagesResult) -> list[Check]:
    """Loss and gradients of the net as it is, beside those of the same net in torch."""
    return compared(result.still)


EXAMPLES = {
    "Digits": ImagesSetup(),
    "Larger kernels": ImagesSetup(kernel=5, channels="8"),
    "One convolution, no hidden layer": ImagesSetup(channels="4", hidden=0),
    "Above 97 %": ImagesSetup(channels="16, 16", hidden=64, dropout=0.3, schedule="cosine", horizon=40),
    "MNIST": ImagesSetup(
        data="MNIST", channels="8, 16", hidden=64, dropout=0.3, batch=50, schedule="cosine", horizon=10
    ),
}

STUDY = Study(
    name="images",
    version=1,
    question="What does a convolutional net look at, and what does it take for what?",
    setup=ImagesSetup,
    run=run,
    check=check,
)
