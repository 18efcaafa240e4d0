"""The controls of the nets of 1986: which task, how it begins, how it is trained, and what is looked at."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from engine.historic.families import PEOPLE, RELATIONS
from engine.training.setup import GradientSetup, Optimiser

Task = Literal["symmetry", "XOR", "family trees"]
BITS: dict[Task, int] = {"symmetry": 6, "XOR": 2}
MOST_SEEDS = 50
MOST_SWEEPS = 5000


class HistoricSetup(GradientSetup):
    """Task, net and training. An epoch is what the papers call a sweep: each pattern once.

    The defaults are those of the symmetry net in Rumelhart, Hinton & Williams, "Learning representations by
    back-propagating errors", Nature 323, 1986: rate 0.1, momentum 0.9, all 64 patterns in one step.
    """

    live: ClassVar[tuple[str, ...]] = (*GradientSetup.live, "warm_up", "decay", "margin")
    scheduling: ClassVar[tuple[str, ...]] = (*GradientSetup.scheduling, "warm_up")
    looking: ClassVar[tuple[str, ...]] = ("pattern", "person", "relation", "seeds", "sweeps")

    task: Task = Field(
        default="symmetry",
        title="Task",
        description="Is a row of 6 bits its own mirror image; are 2 bits different; who is whose aunt?",
    )
    seed: int = Field(
        default=17,
        ge=0,
        le=2**31 - 1,
        title="Seed",
        description="Of the first weights, and of which facts are held out.",
    )
    hidden: int = Field(
        default=2, ge=1, le=6, title="Hidden units", description="For symmetry and XOR; the paper has 2."
    )
    skips: bool = Field(
        default=False,
        title="Direct connections",
        description="From the inputs to the output, past the hidden units.",
    )
    init: Literal["random", "alike", "zeros"] = Field(
        default="random",
        title="First weights",
        description="Drawn one by one; drawn once for all units of a layer; or all 0.",
    )
    spread: float = Field(
        default=0.3,
        ge=0.0,
        le=3.0,
        title="Within ±",
        description="First weights and biases are drawn uniformly from this range.",
    )
    optimiser: Optimiser = Field(
        default="momentum",
        title="Optimiser",
        description="How a gradient becomes a step; momentum is 0.9, as in the paper.",
    )
    rate: float = Field(
        default=0.1,
        ge=0.0,
        le=10.0,
        title="Learning rate",
        description="Length of a step, for each unit of the gradient summed over a batch.",
    )
    warm_up: int = Field(
        default=0,
        ge=0,
        le=1000,
        title="Gentle start",
        description="Sweeps in which the learning rate grows evenly from 0: large first steps overshoot.",
    )
    batch: int = Field(
        default=104, ge=1, le=104, title="Batch size", description="Patterns in one step; 104 means all."
    )
    decay: float = Field(
        default=0.0,
        ge=0.0,
        le=0.01,
        title="Weight decay",
        description="Share of every weight that is taken off after each step.",
    )
    margin: bool = Field(
        default=False,
        title="Near enough",
        description="An output above 0.8 that should be 1, or below 0.2 that should be 0, has no error.",
    )
    held_out: int = Field(
        default=4, ge=1, le=40, title="Held out", description="Facts of the family trees, drawn by the seed."
    )
    pattern: str = Field(
        default="100001",
        pattern=r"^[01]{2,6}$",
        title="Pattern",
        description="The bits that are looked at; XOR takes the first two.",
    )
    person: str = Field(default="Colin", title="Person", description="Whom the question is about.")
    relation: str = Field(default="aunt", title="Relationship", description="What is asked of this person.")
    seeds: int = Field(
        default=0,
        ge=0,
        le=MOST_SEEDS,
        title="Other seeds",
        description="How many other runs are trained, to see how often it succeeds.",
    )
    sweeps: int = Field(
        default=1425,
        ge=1,
        le=MOST_SWEEPS,
        title="Sweeps for each seed",
        description="After which a run with another seed is judged; the paper's symmetry net took 1,425.",
    )

    @field_validator("person")
    @classmethod
    def _known_person(cls, name: str) -> str:
        return _among(name, PEOPLE)

    @field_validator("relation")
    @classmethod
    def _known_relation(cls, name: str) -> str:
        return _among(name, RELATIONS)

    @property
    def bits(self) -> str:
        """The pattern that is looked at, as long as the task has inputs."""
        length = BITS.get(self.task, 0)
        return self.pattern[:length].ljust(length, "0")

    @property
    def is_family(self) -> bool:
        return self.task == "family trees"


def _among(name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise ValueError(f"it is one of {', '.join(names)}")
    return name
