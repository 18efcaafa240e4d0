"""The run of the Playground: can a small net learn this, and what does each of its units see?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.playground.frames import Figures
from engine.playground.oracle import compared
from engine.playground.run import Run, Still
from engine.playground.setup import PlaygroundSetup
from engine.studies.study import Check, Study
from engine.training.position import read_position

EXAMPLES = {
    "Circle": PlaygroundSetup(),
    "Exclusive or": PlaygroundSetup(data="xor", hidden="4 relu, 2 relu"),
    "Spiral": PlaygroundSetup(data="spiral", hidden="8 tanh, 8 tanh", optimiser="Adam", rate=0.01, batch=20),
    "By hand: one line": PlaygroundSetup(data="gauss", hidden="", loss="logistic", init="zeros", rate=0.0),
    "Overfitting": PlaygroundSetup(
        data="circle",
        noise=0.5,
        samples=100,
        hidden="8 relu, 8 relu",
        optimiser="Adam",
        rate=0.03,
        train_share=0.3,
    ),
    "Six hills": PlaygroundSetup(data="reg-gauss", hidden="8 tanh, 8 tanh", samples=1000, rate=0.1),
}

MOST_MOMENTS = 1000  # of a curve


@dataclass(frozen=True)
class PlaygroundResult:
    """A run where it stands, and the figures on the way there, by epoch."""

    still: Still
    curve: Sequence[tuple[int, Figures]] = ()

    @property
    def setup(self) -> PlaygroundSetup:
        return self.still.setup

    def summary(self) -> Mapping[str, float | int | str]:
        figures = self.still.figures
        return {
            "epoch": self.setup.epoch,
            "train loss": figures.train_loss,
            "test loss": figures.test_loss,
            "train accuracy": figures.train_accuracy,
            "test accuracy": figures.test_accuracy,
            "penalty": figures.penalty,
            "parameters": sum(parameter.numel() for parameter in self.still.net.parameters()),
        }

    def table(self) -> Mapping[str, Sequence[Any]]:
        """The curve."""
        names = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "penalty", "rate")
        columns = {
            name.replace("_", " "): [getattr(figures, name) for _, figures in self.curve] for name in names
        }
        return {"epoch": [epoch for epoch, _ in self.curve], **columns}


def run(setup: PlaygroundSetup) -> PlaygroundResult:
    """Train from the beginning to where the setup stands."""
    target = read_position(setup.epoch)
    training = Run(setup.model_copy(update={"epoch": "0"}))
    every = max(target.epoch // MOST_MOMENTS, 1)
    curve = [(0, training.figures())]
    while training.position.epoch < target.epoch:
        training.step_epoch()
        if training.position.epoch % every == 0:
            curve.append((training.position.epoch, training.figures()))
    training.go_to(target)
    return PlaygroundResult(training.still(), curve)


def check(result: PlaygroundResult) -> list[Check]:
    """Losses and gradients of the net as it is, beside those of the same net in torch."""
    return compared(result.still)


STUDY = Study(
    name="playground",
    version=1,
    question="Can a small net learn this, and what does each of its units see?",
    setup=PlaygroundSetup,
    run=run,
    check=check,
)
