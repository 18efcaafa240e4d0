"""The controls of the study of GPUs: which kernel, how it is launched, and which mistake it has."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.studies.study import Setup

KernelChoice = Literal["map", "sum", "matmul", "convolution", "scatter add", "shared memory", "branches"]
Mistake = Literal["none", "missing barrier", "write-write race", "out of bounds", "divergent barrier"]
Threads = Literal[8, 16, 32, 64, 128, 256]
Tile = Literal[1, 4, 8, 16, 32]
Paths = Literal[1, 2, 4, 8, 16, 32]
Bins = Literal[1, 2, 4, 8, 16, 32]
Capability = Literal["7.5", "8.0", "8.6", "8.9", "9.0"]

MOST_SLOTS = 4224  # elements of one array that can be drawn: 128 times 33
MOST_STEPS = 10_000


class GpuSetup(Setup):
    """The kernel, its grid and its data, a mistake planted in it, and the GPU that its blocks share."""

    kernel: KernelChoice = Field(
        default="sum",
        title="Kernel",
        description="The first five are the engine's own; the other two show shared memory and branches.",
    )
    elements: int = Field(
        default=256, ge=1, le=1024, title="Elements", description="Of the map, the sum or the scatter."
    )
    n: int = Field(
        default=8, ge=1, le=32, title="N", description="Rows and columns of all matrices, or of the image."
    )
    threads: Threads = Field(default=64, title="Threads", description="Of a block.")
    blocks: int = Field(default=2, ge=1, le=8, title="Blocks", description="Of the grid.")
    stride: int = Field(
        default=1,
        ge=1,
        le=33,
        title="Stride",
        description="How far apart the elements lie that neighbouring threads touch.",
    )
    tile: Tile = Field(
        default=4,
        title="Tile",
        description="Rows and columns of the result that a block computes; 1 is a thread for every element, "
        "which shares nothing.",
    )
    paths: Paths = Field(
        default=8, title="Paths", description="Threads take 1, 2, … up to so many turns of a loop."
    )
    bins: Bins = Field(
        default=8,
        title="Bins",
        description="So many elements of the result; neighbours go to different ones.",
    )
    mistake: Mistake = Field(
        default="none", title="Mistake", description="Planted in the source; the simulator has to find it."
    )
    gpu: Capability = Field(
        default="8.0",
        title="GPU",
        description="Its compute capability: 7.5 T4, 8.0 A100, 8.6 RTX 30, 8.9 RTX 40 and L4, 9.0 H100.",
    )
    registers: int = Field(
        default=32,
        ge=16,
        le=255,
        title="Registers",
        description="Of a thread. A compiler decides on them, so they are yours to set here.",
    )
    more_shared: int = Field(
        default=0, ge=0, le=227, title="More shared memory", description="KiB a block, beyond the kernel's."
    )
    seed: int = Field(default=0, ge=0, le=999, title="Seed", description="Of the numbers.")
    block: int = Field(default=0, ge=0, le=4095, title="Block", description="The block on show.")
    step: int = Field(default=0, ge=0, le=MOST_STEPS - 1, title="Step", description="The step on show.")
