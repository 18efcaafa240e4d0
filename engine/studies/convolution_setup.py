"""The controls of the study of convolution: what slides over what, and in which steps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.studies.strides import LONGEST_TEXT
from engine.studies.study import Setup

Operation = Literal["convolution", "transposed", "max pooling", "average pooling"]
Source = Literal["small integers", "digit", "photograph", "colour photograph"]
Weights = Literal["random", "blur", "sharpen", "vertical edges", "horizontal edges", "outline", "own"]

MOST_CHANNELS = 4
MOST_DRAWN = 2000  # cells of one tensor, those outside of it included
PER_DIMENSION = "One number for every dimension, or one for each."


class ConvolutionSetup(Setup):
    """What is convolved with what, and how."""

    operation: Operation = Field(
        default="convolution", title="Operation", description="What is done with each window of the input."
    )
    dims: Literal["1-D", "2-D"] = Field(
        default="2-D", title="Dimensions", description="A sequence, or a picture; both have channels."
    )
    source: Source = Field(
        default="small integers", title="Input", description="In 1-D, of a picture its middle row."
    )
    size: str = Field(
        default="5",
        max_length=LONGEST_TEXT,
        title="Size",
        description=f"Of the input, if it is of small integers. {PER_DIMENSION}",
    )
    kernel: str = Field(
        default="3", max_length=LONGEST_TEXT, title="Kernel", description=f"Its size. {PER_DIMENSION}"
    )
    stride: str = Field(
        default="1",
        max_length=LONGEST_TEXT,
        title="Stride",
        description=f"From one window to the next. {PER_DIMENSION}",
    )
    padding: str = Field(
        default="0",
        max_length=LONGEST_TEXT,
        title="Padding",
        description=f"Cells outside the input, on either side. {PER_DIMENSION}",
    )
    dilation: str = Field(
        default="1",
        max_length=LONGEST_TEXT,
        title="Dilation",
        description=f"From one cell of a window to the next; not for average pooling. {PER_DIMENSION}",
    )
    output_padding: str = Field(
        default="0",
        max_length=LONGEST_TEXT,
        title="Output padding",
        description=f"Cells added at the end of a transposed convolution's output. {PER_DIMENSION}",
    )
    in_channels: int = Field(
        default=1,
        ge=1,
        le=MOST_CHANNELS,
        title="Channels in",
        description="Of an input of small integers; a photograph in colour has 3.",
    )
    out_channels: int = Field(
        default=1,
        ge=1,
        le=MOST_CHANNELS,
        title="Channels out",
        description="Not for pooling, which keeps them.",
    )
    groups: int = Field(
        default=1,
        ge=1,
        le=MOST_CHANNELS,
        title="Groups",
        description="The channels are split into so many groups, each with its own kernel; not for pooling.",
    )
    weights: Weights = Field(
        default="random", title="Numbers of the kernel", description="Named ones are made for every size."
    )
    own: str = Field(
        default="",
        max_length=LONGEST_TEXT,
        title="Own numbers",
        description="The kernel's numbers in row-major order with commas between, if they are “own”.",
    )
    seed: int = Field(
        default=0, ge=0, le=999, title="Seed", description="Of random numbers; of the digits, which one."
    )
    step: int = Field(
        default=0,
        ge=0,
        le=MOST_DRAWN - 1,
        title="Step",
        description="The element of the output that is looked at.",
    )

    @property
    def rank(self) -> int:
        """Dimensions that windows slide along."""
        return 1 if self.dims == "1-D" else 2

    @property
    def pools(self) -> bool:
        return self.operation.endswith("pooling")
