"""The controls of the doctor: which patient, and what the two laboratories try."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from engine.doctor.names import ANSWERS
from engine.doctor.record import STEPS
from engine.studies.study import Setup

Room = Literal["Patient", "Depth", "Threads"]
HIDDEN = "hidden"
PATIENTS = (HIDDEN, *ANSWERS)
Activation = Literal["relu", "tanh", "linear"]
DEEPEST = 60


class DoctorSetup(Setup):
    """One patient, or one of two laboratories: initialisation and depth, threads and bits."""

    room: Room = Field(
        default="Patient",
        title="Room",
        description="A run that may be ill; depth and first weights; threads and bits.",
    )
    patient: str = Field(
        default=HIDDEN,
        title="Patient",
        description="A fault by name, or one that the case number draws and the answer tells.",
    )
    seed: int = Field(
        default=3,
        ge=0,
        le=999,
        title="Case",
        description="Draws the first weights, the order of the samples and what else is random.",
    )
    answer: bool = Field(
        default=False,
        title="Answer",
        description="Whether the verdict is shown, with its evidence and its cure.",
    )
    twin: bool = Field(
        default=False,
        title="Healthy twin",
        description="The same loop without a fault, with the same seed, in grey beside the patient.",
    )
    step: int = Field(
        default=20, ge=0, le=STEPS, title="Step", description="Steps done, at the moment looked at closely."
    )
    depth: int = Field(default=30, ge=2, le=DEEPEST, title="Depth", description="Layers of 64 units.")
    activation: Activation = Field(default="relu", title="Activation", description="After every layer.")
    residual: bool = Field(
        default=False, title="Residual", description="Add to what each layer gives what it was given."
    )
    scale: float = Field(
        default=1.1,
        ge=0.1,
        le=3.0,
        title="Your scale",
        description="Standard deviation of the first weights, in units of He's √(2/n).",
    )
    nets: int = Field(default=5, ge=1, le=9, title="Nets", description="Of each kind, with other seeds.")
    threads: int = Field(
        default=4, ge=2, le=16, title="Threads", description="That share the sum over a batch."
    )

    @field_validator("patient")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in PATIENTS:
            raise ValueError(f"there is no such patient; there are: {', '.join(PATIENTS)}")
        return name
