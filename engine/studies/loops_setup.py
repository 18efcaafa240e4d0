"""The controls of the study of loops: which operation, on what, in which order."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from engine.primitives import TABLE
from engine.studies.strides import LONGEST_TEXT
from engine.studies.study import Setup

Operation = Literal["map", "zip", "reduce", "matmul"]
Arrangement = Literal["row-major", "transposed", "every second"]
Contents = Literal["whole numbers", "decimals", "large and small"]
Reduction = Literal["sum", "prod", "max", "min"]
Order = Literal["backend", "forward", "reversed", "pairwise", "shuffled", "smallest first"]
Precision = Literal["float16", "float32"]
Nest = Literal["backend", "ijk", "ikj", "jik", "jki", "kij", "kji", "tiles"]

MOST_CELLS = 1200  # elements of one tensor, and slots of one storage
MOST_STEPS = 5000
MOST_PRODUCTS = 1000  # of a matmul: rows × inner length × columns

MAPS = tuple(name for name, primitive in TABLE.items() if primitive.arity == 1)
ZIPS = tuple(name for name, primitive in TABLE.items() if primitive.arity == 2)

SHAPE = "Whole numbers with commas."
ARRANGEMENT = (
    "How it lies in its storage. Transposed: a view of one whose last two dimensions are exchanged. Every "
    "second: a view [..., 1::2]."
)


class LoopsSetup(Setup):
    """The operation, its tensors, the order of its loop, and the cache it is walked through."""

    operation: Operation = Field(
        default="zip", title="Operation", description="The four loops that a backend is made of."
    )
    a: str = Field(default="4, 4", max_length=LONGEST_TEXT, title="Shape of a", description=SHAPE)
    a_layout: Arrangement = Field(default="row-major", title="a lies", description=ARRANGEMENT)
    b: str = Field(default="4, 1", max_length=LONGEST_TEXT, title="Shape of b", description=SHAPE)
    b_layout: Arrangement = Field(default="row-major", title="b lies", description=ARRANGEMENT)
    map_operator: str = Field(
        default="relu", title="Operator", description="Of one operand: a row of the table of operators."
    )
    zip_operator: str = Field(
        default="mul", title="Operator", description="Of two operands: a row of the table of operators."
    )
    reduction: Reduction = Field(
        default="sum", title="Reduction", description="What the elements are combined by."
    )
    dim: str = Field(
        default="1",
        max_length=LONGEST_TEXT,
        title="Dimensions",
        description="Those that are reduced, with commas; empty for all.",
    )
    order: Order = Field(
        default="backend",
        title="Order",
        description=(
            "In which elements are combined. Backend: all are read, and the result is rounded once; a "
            "product is multiplied in pairs. Smallest first: by size, without sign."
        ),
    )
    precision: Precision = Field(
        default="float16",
        title="Rounded to",
        description="The format of every partial result, in an order other than the backend's.",
    )
    nest: Nest = Field(
        default="backend",
        title="Loops",
        description="From the outermost to the innermost: i rows of a, k what is summed, j columns of b.",
    )
    tile: int = Field(
        default=2, ge=1, le=8, title="Tile", description="Rows and columns of a block, if loops go by tiles."
    )
    line: int = Field(
        default=4,
        ge=1,
        le=16,
        title="Cache line",
        description="Elements that are fetched at once; a real line of 64 bytes holds 16 float32.",
    )
    cache: int = Field(
        default=6,
        ge=3,
        le=64,
        title="Lines kept",
        description="So many lines the cache holds; the least recently used one gives way.",
    )
    contents: Contents = Field(
        default="whole numbers",
        title="Numbers",
        description="All are numbers of float16. Large and small: their sum depends on the order.",
    )
    seed: int = Field(
        default=0, ge=0, le=999, title="Seed", description="Of the numbers, and of the shuffled order."
    )
    step: int = Field(
        default=0, ge=0, le=MOST_STEPS - 1, title="Step", description="The step of the loop on show."
    )

    @field_validator("map_operator")
    @classmethod
    def _maps(cls, name: str) -> str:
        return _known(name, MAPS)

    @field_validator("zip_operator")
    @classmethod
    def _zips(cls, name: str) -> str:
        return _known(name, ZIPS)

    @property
    def ordering(self) -> Order:
        """The order that is run: the backend has no loop for products, it multiplies in pairs."""
        return "pairwise" if self.reduction == "prod" and self.order == "backend" else self.order

    @property
    def operator(self) -> str:
        """The row of the table that is mapped or zipped."""
        return self.map_operator if self.operation == "map" else self.zip_operator


def _known(name: str, choices: tuple[str, ...]) -> str:
    if name not in choices:
        raise ValueError(f"there is no such operator; there are: {', '.join(choices)}")
    return name
