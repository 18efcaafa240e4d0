"""The controls of the study of fusion, and the programs to begin with."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from engine.studies import fusion_gallery as gallery
from engine.studies.study import Setup
from engine.studies.tensor_autodiff_language import parse

Stage = Literal["traced", "numbers in place", "without repeats", "pruned", "fused"]
Code = Literal["loops", "kernel", "LLVM", "assembly"]
Scale = Literal["bytes", "time"]

STAGES: tuple[Stage, ...] = get_args(Stage)
LARGEST_SIZE = 1 << 22
DEFAULT_SIZE = 64


class FusionSetup(Setup):
    program: str = Field(
        default=gallery.SOFTMAX,
        max_length=100_000,  # the language itself refuses far shorter texts, with a better message
        title="Program",
        description="Lines `name = expression`, loops `for i in range(k):`, and last what is computed.",
    )
    sizes: dict[str, int] = Field(
        default={"n": 1024, "d": 1024},
        max_length=24,
        title="Sizes",
        description="Values of the names that the program does not assign; others are 64.",
    )
    training: bool = Field(
        default=False,
        title="Training step",
        description="Differentiate the last line, one number, and update the parameters (SGD).",
    )
    stage: Stage = Field(default="traced", title="Pass", description="The computation after this pass.")
    code: Code = Field(default="loops", title="Code", description="Which text stands beside the graph.")
    group: int = Field(
        default=0, ge=0, le=999, title="Kernel", description="Whose source, LLVM or assembly is shown."
    )
    scale: Scale = Field(
        default="bytes", title="Timeline", description="Bars as long as the bytes moved, or the time taken."
    )
    calls: int = Field(
        default=100, ge=1, le=1_000_000, title="Calls",
        description="How often the function will be called: compiling has to be earned back by then.",
    )  # fmt: skip
    seed: int = Field(default=0, ge=0, le=999_999, title="Seed", description="Of the random inputs.")
    measure: bool = Field(
        default=False, title="Measure",
        description="Measure now, on the command line; a page has a button, and shows what is stored.",
    )  # fmt: skip


Sizes = tuple[tuple[str, int], ...]


def chosen_sizes(setup: FusionSetup) -> Sizes:
    """A value for every size of the program, in order. Raises ExpressionError where it cannot be read."""
    return tuple((name, setup.sizes.get(name, DEFAULT_SIZE)) for name in parse(setup.program).sizes)


EXAMPLES: dict[str, FusionSetup] = {
    "softmax": FusionSetup(),
    "bias + tanh": FusionSetup(program=gallery.BIAS_TANH),
    "gelu": FusionSetup(program=gallery.GELU),
    "layer norm": FusionSetup(program=gallery.LAYER_NORM),
    "x·a + b": FusionSetup(program=gallery.CHAIN, sizes={"n": 1 << 20, "k": 8}),
    "sum of squares": FusionSetup(program=gallery.SUM_OF_SQUARES, sizes={"n": 1 << 20}),
    "repeats": FusionSetup(program=gallery.REPEATED),
    "attention scores": FusionSetup(program=gallery.ATTENTION, sizes={"n": 1024, "d": 64}),
    "MLP training": FusionSetup(
        program=gallery.PERCEPTRON, sizes={"n": 256, "d": 16, "h": 64}, training=True
    ),
    "matmul": FusionSetup(program=gallery.PRODUCT, sizes={"n": 512}),
    "64 numbers": FusionSetup(program=gallery.BIAS_TANH, sizes={"n": 1, "d": 64}),
}
