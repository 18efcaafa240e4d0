"""Study: machine epsilon, and how rounding errors grow. Six experiments under one setup.

Setup -> run -> Result: the chosen experiment is run by the module that is named after it; its own figures,
table and checks are the result's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field

from engine.numbers import Arithmetic, FloatFormat, Rounding, by_name
from engine.studies.bits import read_number
from engine.studies.error_growth_cancellation import (
    CLASSICS,
    QUADRATIC,
    CancellationFound,
    dissect,
)
from engine.studies.error_growth_epsilon import EpsilonFound, halve_everywhere
from engine.studies.error_growth_order import MOST_THREADS, OrderFound, reorder
from engine.studies.error_growth_rounding import RoundingFound, round_often
from engine.studies.error_growth_stagnation import StagnationFound, stagnate
from engine.studies.error_growth_sums import Data, Operation, SumsFound, measure_growth
from engine.studies.study import Check, Setup, Study

Experiment = Literal[
    "Epsilon", "Sums and dots", "Stagnation", "Cancellation", "Order and threads", "Stochastic rounding"
]
FormatName = Literal["fp64", "fp32", "tf32", "fp16", "bf16", "fp8_e5m2", "fp8_e4m3fn", "fp6_e3m2", "fp4_e2m1"]
RoundingName = Literal["nearest even", "nearest away", "toward zero", "up"]
ROUNDINGS = {
    "nearest even": Rounding.NEAREST_EVEN,
    "nearest away": Rounding.NEAREST_AWAY,
    "toward zero": Rounding.TOWARD_ZERO,
    "up": Rounding.UP,
}
RESULTS_KEPT = 32  # of at most half a megabyte each
Found = EpsilonFound | SumsFound | StagnationFound | CancellationFound | OrderFound | RoundingFound


class ErrorGrowthSetup(Setup):
    """The experiment, and what each of them needs; fields of the others have no effect."""

    experiment: Experiment = Field(default="Epsilon", title="Experiment", description="What is measured.")
    format: FormatName = Field(
        default="fp32", title="Format", description="Every result is rounded to this format."
    )
    rounding: RoundingName = Field(
        default="nearest even", title="Rounding", description="Which neighbour a result becomes."
    )
    seed: int = Field(default=0, ge=0, le=999, title="Seed", description="Of the random numbers.")
    step: int = Field(default=0, ge=0, le=60, title="Step", description="Epsilon: halvings of 1 so far.")
    operation: Operation = Field(
        default="sum", title="Operation", description="A sum of n numbers, or of n products."
    )
    data: Data = Field(default="uniform (0, 1)", title="Numbers", description="What is added up.")
    longest: int = Field(
        default=14, ge=10, le=16, title="Longest, 2^", description="log₂ of the longest sum's length."
    )
    runs: int = Field(
        default=32, ge=8, le=64, title="Runs", description="Sums of each length, of different numbers."
    )
    term: float = Field(
        default=1.0,
        ge=1e-6,
        le=1000.0,
        title="Term",
        description="Stagnation: what is added again and again.",
    )
    count: int = Field(
        default=20_000, ge=100, le=200_000, title="Additions", description="Stagnation: how often."
    )
    expression: str = Field(
        default=QUADRATIC,
        max_length=100_000,  # the language itself refuses far shorter texts, with a better message
        title="Expression",
        description="Lines `name = expression`; on the last line up to three forms of a value to compare.",
    )
    values: dict[str, float] = Field(
        default={},
        max_length=32,
        title="Values",
        description="Values of the expression's inputs, by name; others keep their start value.",
    )
    swept: str = Field(
        default="b",
        max_length=24,
        title="Vary",
        description="The input that the curves run over, or its distance from a number, as in x - 2.",
    )
    length: int = Field(
        default=10_000, ge=64, le=200_000, title="Numbers added", description="Order and threads: how many."
    )
    threads: int = Field(
        default=4, ge=1, le=MOST_THREADS, title="Threads", description="How many threads share the sum."
    )
    number: str = Field(
        default="1/3",
        max_length=1500,
        title="Number",
        description="What is rounded: 1/3, 0.1, -2.5e-3, 1 + 2^-11. The float64 nearest to it is used.",
    )
    draws: int = Field(
        default=1000, ge=10, le=20_000, title="Roundings", description="How often the number is rounded."
    )


@dataclass(frozen=True)
class ErrorGrowthResult:
    """What the chosen experiment found."""

    setup: ErrorGrowthSetup
    found: Found

    def summary(self) -> Mapping[str, float | int | str]:
        return {"experiment": self.setup.experiment, **self.found.summary()}

    def table(self) -> Mapping[str, Sequence[Any]]:
        return self.found.table()


def run(setup: ErrorGrowthSetup) -> ErrorGrowthResult:
    """Run the chosen experiment.

    Raises ExpressionError for an expression that cannot be read, NumberError for a number or a format that
    the experiment cannot take; both are ValueErrors.
    """
    return ErrorGrowthResult(setup, _found(setup.model_dump_json()))


@lru_cache(RESULTS_KEPT)
def _found(written: str) -> Found:
    """What a setup's experiment finds. A page asks again with every click, and a class with the same link."""
    setup = ErrorGrowthSetup.model_validate_json(written)
    return EXPERIMENTS[setup.experiment](setup)


def _target(setup: ErrorGrowthSetup) -> FloatFormat:
    target = by_name(setup.format)
    assert isinstance(target, FloatFormat)
    return target


def _arithmetic(setup: ErrorGrowthSetup) -> Arithmetic:
    return Arithmetic(_target(setup), ROUNDINGS[setup.rounding])


def _epsilon(setup: ErrorGrowthSetup) -> Found:
    return halve_everywhere(_target(setup), ROUNDINGS[setup.rounding], setup.step)


def _sums(setup: ErrorGrowthSetup) -> Found:
    return measure_growth(
        _arithmetic(setup), setup.operation, setup.data, setup.longest, setup.runs, setup.seed
    )


def _stagnation(setup: ErrorGrowthSetup) -> Found:
    return stagnate(setup.term, setup.count, _target(setup), ROUNDINGS[setup.rounding], setup.seed)


def _cancellation(setup: ErrorGrowthSetup) -> Found:
    mode = ROUNDINGS[setup.rounding]
    return dissect(setup.expression, setup.values, setup.swept, _target(setup), mode)


def _order(setup: ErrorGrowthSetup) -> Found:
    return reorder(_arithmetic(setup), setup.data, setup.length, setup.threads, setup.seed)


def _rounding(setup: ErrorGrowthSetup) -> Found:
    number, _, _ = read_number(setup.number)
    return round_often(number, _target(setup), setup.draws, setup.seed)


EXPERIMENTS = {
    "Epsilon": _epsilon,
    "Sums and dots": _sums,
    "Stagnation": _stagnation,
    "Cancellation": _cancellation,
    "Order and threads": _order,
    "Stochastic rounding": _rounding,
}


def check(result: ErrorGrowthResult) -> list[Check]:
    """The experiment's own checks: libraries, theorems, exact rationals."""
    return result.found.checks()


def _classic(name: str, **fields: Any) -> ErrorGrowthSetup:
    classic = CLASSICS[name]
    return ErrorGrowthSetup(
        experiment="Cancellation",
        expression=classic.program,
        swept=classic.swept,
        **fields,
    )


# Of every experiment the first is where it starts.
EXAMPLES: dict[str, dict[str, ErrorGrowthSetup]] = {
    "Epsilon": {
        "fp16": ErrorGrowthSetup(format="fp16", step=8),
        "fp32": ErrorGrowthSetup(),
        "ties away from zero": ErrorGrowthSetup(format="fp16", rounding="nearest away", step=11),
        "always up": ErrorGrowthSetup(format="fp16", rounding="up", step=20),
    },
    "Sums and dots": {
        "to nearest": ErrorGrowthSetup(experiment="Sums and dots"),
        "toward zero": ErrorGrowthSetup(experiment="Sums and dots", rounding="toward zero"),
        "both signs": ErrorGrowthSetup(experiment="Sums and dots", data="uniform (−1, 1)"),
        "Kahan defeated": ErrorGrowthSetup(experiment="Sums and dots", data="a large pair that cancels"),
        "half precision": ErrorGrowthSetup(experiment="Sums and dots", format="fp16"),
        "a dot product": ErrorGrowthSetup(experiment="Sums and dots", operation="dot product"),
    },
    "Stagnation": {
        "ones in fp16": ErrorGrowthSetup(experiment="Stagnation", format="fp16"),
        "ones in bf16": ErrorGrowthSetup(experiment="Stagnation", format="bf16"),
        "tenths in fp16": ErrorGrowthSetup(experiment="Stagnation", format="fp16", term=0.1),
        "ones in fp8": ErrorGrowthSetup(experiment="Stagnation", format="fp8_e4m3fn", count=400),
    },
    "Cancellation": {name: _classic(name) for name in CLASSICS},
    "Order and threads": {
        "positive numbers": ErrorGrowthSetup(experiment="Order and threads"),
        "both signs": ErrorGrowthSetup(experiment="Order and threads", data="uniform (−1, 1)"),
        "in fp16": ErrorGrowthSetup(experiment="Order and threads", format="fp16", length=1000),
        "in fp64": ErrorGrowthSetup(experiment="Order and threads", format="fp64"),
    },
    "Stochastic rounding": {
        "a third in bf16": ErrorGrowthSetup(experiment="Stochastic rounding", format="bf16"),
        "a tenth in fp8": ErrorGrowthSetup(
            experiment="Stochastic rounding", format="fp8_e4m3fn", number="0.1"
        ),
        "subnormal": ErrorGrowthSetup(experiment="Stochastic rounding", format="fp16", number="1e-7"),
        "a tie": ErrorGrowthSetup(experiment="Stochastic rounding", format="fp16", number="2049"),
    },
}

STUDY = Study(
    name="error_growth",
    version=1,
    question="How do rounding errors grow?",
    setup=ErrorGrowthSetup,
    run=run,
    check=check,
)
