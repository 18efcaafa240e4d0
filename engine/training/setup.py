"""What the controls of every training that is watched have in common: where the run stands."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field, field_validator

from engine.studies.study import Setup

LONGEST_PAST = 8000
MOST_EPOCHS = 100_000
MOST_IN_BATCH = 2000

Optimiser = Literal["SGD", "momentum", "Nesterov", "Adam", "AdamW", "RMSprop", "Adagrad"]
OPTIMISERS = get_args(Optimiser)


class TrainingSetup(Setup):
    """Controls of a run, where it stands, and what was done to it on the way there.

    live  fields that may change while a run goes on; any other starts it again
    """

    live: ClassVar[tuple[str, ...]] = ()

    epoch: str = Field(
        default="0",
        max_length=20,
        pattern=r"^\d{1,6}(\.\d{1,6}){0,2}$",
        title="Epoch",
        description="Where the run stands: epochs, samples used of the one that was begun, and how many of "
        "the next batch have been looked at.",
    )
    past: str = Field(
        default="",
        max_length=LONGEST_PAST,
        title="Past",
        description="What was changed on the way, and when.",
    )

    @field_validator("past")
    @classmethod
    def _readable_past(cls, text: str) -> str:
        from engine.training.past import check_past  # which reads setups

        check_past(cls, text)
        return text

    def at_start(self) -> dict[str, Any]:
        """The fields that say what happens, without those that say how far it went."""
        return self.model_dump(exclude={"epoch", "past"})


class GradientSetup(TrainingSetup):
    """Controls of a net that learns by gradients.

    scheduling  the live ones that no model depends on
    looking     those that say what is looked at, and change nothing in the run
    """

    live: ClassVar[tuple[str, ...]] = ("optimiser", "rate", "schedule", "horizon", "batch", "shuffle")
    scheduling: ClassVar[tuple[str, ...]] = ("rate", "schedule", "horizon", "batch", "shuffle")
    looking: ClassVar[tuple[str, ...]] = ()

    seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        title="Seed",
        description="Of all that is random: data, first weights, order, dropout.",
    )
    optimiser: Optimiser = Field(
        default="SGD", title="Optimiser", description="How a gradient becomes a step; momentum is 0.9."
    )
    rate: float = Field(
        default=0.03,
        ge=0.0,
        le=10.0,
        title="Learning rate",
        description="Length of a step, for each unit of gradient.",
    )
    schedule: Literal["constant", "cosine", "halving"] = Field(
        default="constant",
        title="Schedule",
        description="Of the learning rate: a cosine to 0 at the horizon, or halved at its multiples.",
    )
    horizon: int = Field(
        default=200, ge=1, le=MOST_EPOCHS, title="Horizon", description="Of the schedule, in epochs."
    )
    batch: int = Field(
        default=10,
        ge=1,
        le=MOST_IN_BATCH,
        title="Batch size",
        description="Samples in one step; more than there are means all.",
    )
    shuffle: bool = Field(
        default=True,
        title="Shuffle",
        description="Draw a new order in each epoch; TensorFlow Playground does not.",
    )

    @property
    def least_batch(self) -> int:
        """How many samples a step needs."""
        return 1


class AdamSetup(GradientSetup):
    """Controls of a net that learns by Adam unless something else is chosen."""

    optimiser: Optimiser = Field(
        default="Adam", title="Optimiser", description="How a gradient becomes a step; momentum is 0.9."
    )
    rate: float = Field(
        default=0.003,
        ge=0.0,
        le=10.0,
        title="Learning rate",
        description="Length of a step, for each unit of gradient.",
    )


@lru_cache(maxsize=256)
def name_of(setup: TrainingSetup) -> str:
    """A short name that two setups share if all their controls are the same."""
    return hashlib.sha256(repr(setup.at_start()).encode()).hexdigest()[:12]
