"""The controls of the study of the matmul ladder."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.studies.study import Setup

Experiment = Literal[
    "Ladder", "Sizes", "Block size", "Cache", "Batch", "Sparse", "Working set", "Data layout"
]
Order = Literal["ijk", "ikj", "jik", "jki", "kij", "kji", "tiles"]

SIDES = (16, 32, 64, 128, 256, 512, 1024)
REAL_SIDES = (64, 96, 100, 127, 128, 129)
SMALLEST_CACHE, LARGEST_CACHE = 64, 1 << 16


class LadderSetup(Setup):
    experiment: Experiment = Field(default="Ladder", title="Experiment", description="What is measured.")
    side: int = Field(
        default=256, ge=8, le=1024, title="Side n",
        description="Matrices of n × n numbers; of the ladder, the block sizes and the sparse product.",
    )  # fmt: skip
    batch: int = Field(
        default=16, ge=1, le=256, title="Batch",
        description="Rows that one product takes through the same weights; marks a place on the roofline.",
    )  # fmt: skip
    order: Order = Field(default="ijk", title="Loops", description="Order of the loops, outermost first.")
    small: int = Field(
        default=12, ge=4, le=20, title="Side in the picture", description="Of the matrices that are drawn.",
    )  # fmt: skip
    block: int = Field(
        default=4, ge=2, le=20, title="Tile", description="Side of a tile of the loops “tiles”."
    )
    line: int = Field(
        default=16, ge=4, le=256, title="Line, bytes",
        description="What is fetched at once: a power of two; a number has 4 bytes.",
    )  # fmt: skip
    l1: int = Field(
        default=256, ge=SMALLEST_CACHE, le=LARGEST_CACHE, title="L1, bytes",
        description="Size of the first level: a power of two.",
    )  # fmt: skip
    l1_ways: int = Field(
        default=4, ge=1, le=64, title="L1, ways",
        description="How many lines may stand in one set: a power of two; 1 is a direct-mapped cache.",
    )  # fmt: skip
    l2: int = Field(
        default=1024, ge=SMALLEST_CACHE, le=LARGEST_CACHE, title="L2, bytes",
        description="Size of the second level: a power of two.",
    )  # fmt: skip
    l2_ways: int = Field(
        default=4, ge=1, le=64, title="L2, ways", description="Lines in one set of it: a power of two.",
    )  # fmt: skip
    real_side: int = Field(
        default=100, ge=8, le=129, title="Side, timed",
        description="Of the matrices that are timed and simulated with this machine's own caches.",
    )  # fmt: skip
    step: int = Field(default=0, ge=0, title="Product", description="The product that the picture stands at.")
    seed: int = Field(default=0, ge=0, le=999_999, title="Seed", description="Of the random matrices.")
    measure: bool = Field(
        default=False, title="Measure",
        description="Measure now, on the command line; a page has a button, and shows what is stored.",
    )  # fmt: skip
