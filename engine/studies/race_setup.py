"""The controls of the study of the backend race."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.race.task import Precision
from engine.studies.study import Setup

Measured = Literal["nothing", "race", "widths", "compiling"]
DataSet = Literal["Simple", "Diag", "Split", "Xor", "Circle", "Spiral"]

POINTS = (20, 50, 100, 200)
BATCHES = (1, 5, 10, 20, 25, 50, 100, 200)
WIDTHS = (2, 4, 8, 16, 32, 64, 100, 128, 256, 512)
RATES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
EPOCHS = (20, 50, 100, 200, 500, 1000)


class RaceSetup(Setup):
    data: DataSet = Field(default="Xor", title="Points", description="One of MiniTorch's sets.")
    points: int = Field(
        default=50, ge=10, le=200, multiple_of=2, title="How many", description="Points; all are trained on.",
    )  # fmt: skip
    batch: int = Field(
        default=10, ge=1, le=200, title="Batch", description="Points a step; must divide their number.",
    )  # fmt: skip
    hidden: int = Field(
        default=16, ge=2, le=512, title="Width h", description="The net is 2-h-h-1, with ReLU.",
    )  # fmt: skip
    rate: float = Field(default=0.2, gt=0, le=10, title="Rate", description="Of plain gradient descent.")
    epochs: int = Field(default=200, ge=1, le=1000, title="Epochs", description="How long the race is.")
    budget: float = Field(
        default=3.0, ge=0.1, le=5.0, title="Seconds a lane",
        description="A lane that has trained for so long stops where it is.",
    )  # fmt: skip
    precision: Precision = Field(
        default="float32", title="Precision",
        description="Of the lanes that compute with tensors; scalar objects and their replay are float64.",
    )  # fmt: skip
    compiling: bool = Field(
        default=False, title="Count compiling",
        description="Let each lane start once its code is compiled in a new process, if that was measured.",
    )  # fmt: skip
    moment: float = Field(
        default=1e3, ge=1e-6, le=1e3, title="Moment",
        description="Seconds into the race at which the lanes are shown; 1000 is the end of it.",
    )  # fmt: skip
    seed: int = Field(
        default=0, ge=0, le=999_999, title="Seed", description="Of points, their order and first parameters."
    )
    measure: Measured = Field(
        default="nothing", title="Measure",
        description="What to measure now, on the command line; a page has buttons, and shows what is stored.",
    )  # fmt: skip
