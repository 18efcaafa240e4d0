"""The controls of the study of accelerators: an array and its product, a roofline, an energy ledger."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from engine.studies.strides import LONGEST_TEXT
from engine.studies.study import Setup

Experiment = Literal["Systolic array", "Roofline", "Energy"]
Dataflow = Literal["weight-stationary", "output-stationary"]
Loading = Literal["not counted", "before each tile", "double-buffered"]
FormatName = Literal["int8", "fp16", "fp16, sums in fp32", "int32", "fp32"]

LONGEST_SIDE = 8  # of an array that is drawn
LONGEST_AXIS = 16  # of a matrix that is drawn
MOST_STEPS = 4096  # cycles of the longest run there can be: 256 tiles of one element, 16 examples each
MOST_LAYERS = 8
WIDEST_LAYER = 16_384


class AcceleratorsSetup(Setup):
    """Which experiment, and what goes into it."""

    experiment: Experiment = Field(
        default="Systolic array", title="Experiment", description="Three questions about the same machine."
    )
    dataflow: Dataflow = Field(
        default="weight-stationary",
        title="Dataflow",
        description="What stays in the elements: the weights, while sums travel, or the sums.",
    )
    rows: int = Field(
        default=4,
        ge=1,
        le=LONGEST_SIDE,
        title="Rows",
        description="Of the array. More inputs than that (or examples, if sums stay) are done in tiles.",
    )
    columns: int = Field(
        default=4,
        ge=1,
        le=LONGEST_SIDE,
        title="Columns",
        description="Of the array. More outputs than that are done in tiles.",
    )
    product: str = Field(
        default="4, 4, 4",
        max_length=LONGEST_TEXT,
        title="Batch, in, out",
        description="Y [batch × outputs] = X [batch × inputs] · W [inputs × outputs].",
    )
    loading: Loading = Field(
        default="not counted",
        title="Weight loading",
        description="A row of weights a cycle; double-buffered, while the tile before is multiplied.",
    )
    seed: int = Field(default=0, ge=0, le=999, title="Seed", description="Of the small integers in X and W.")
    step: int = Field(
        default=0, ge=0, le=MOST_STEPS - 1, title="Cycle", description="The cycle that is looked at."
    )
    examples: int = Field(
        default=200,
        ge=1,
        le=4096,
        title="Batch",
        description="Examples that go through a layer together, so that each weight is fetched once for all.",
    )
    layers: str = Field(
        default="784, 128, 10",
        max_length=LONGEST_TEXT,
        title="Widths of the layers",
        description="Of a net of dense layers: inputs, hidden units, outputs. Two numbers are one layer.",
    )
    number_format: FormatName = Field(
        default="int8",
        title="Number format",
        description="Of weights and activations; sums are in the same, those of int8 in int32.",
    )
    side: Literal[8, 32, 128, 256] = Field(
        default=256, title="Side of the array", description="Rows, and columns, of the array in the ledger."
    )

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Batch, inputs, outputs. Raises ValueError for a text that is not three sizes that can be drawn."""
        sizes = whole_numbers(self.product, "batch, inputs and outputs", LONGEST_AXIS)
        if len(sizes) != 3:
            raise ValueError(
                f"batch, inputs and outputs are three numbers, not {len(sizes)}: write for example 4, 4, 4"
            )
        return sizes[0], sizes[1], sizes[2]

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the layers. Raises ValueError for a text that is not 2 to 9 widths."""
        widths = whole_numbers(self.layers, "widths of the layers", WIDEST_LAYER)
        if not 2 <= len(widths) <= MOST_LAYERS + 1:
            raise ValueError(
                f"a net has 2 to {MOST_LAYERS + 1} widths, not {len(widths)}: write for example 784, 128, 10"
            )
        return widths


def whole_numbers(text: str, name: str, most: int) -> tuple[int, ...]:
    """Numbers of 1 to `most`, with commas, × or spaces between. Raises ValueError that names the fault."""
    parts = [part for part in re.split(r"[\s,×x]+", text.strip()) if part]
    for part in parts:
        if not re.fullmatch(r"[0-9]{1,9}", part) or not 1 <= int(part) <= most:
            raise ValueError(f"{name}: {part[:20]!r} is not a whole number from 1 to {most}")
    return tuple(int(part) for part in parts)
