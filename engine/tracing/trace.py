"""Trace: what a recording found, as plain data that anybody may send: every field is bounded and validated.

Arrays lie beside it, by name (see `files`). What was not computed is None, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_VALUES = 6000  # tensors in one graph
MOST_MOMENTS = 400
MOST_SERIES = 200
BINS = 24  # of a histogram over time
LONGEST = 2**53

Text = Annotated[str, Field(max_length=400)]
Name = Annotated[str, Field(max_length=120)]
Length = Annotated[int, Field(ge=0, le=LONGEST)]
Shape = Annotated[tuple[Length, ...], Field(max_length=16)]
Verdict = Literal["passed", "failed", "undecided"]
Kind = Literal["parameter", "data", "result"]


class Part(BaseModel):
    """Base of everything in a trace: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Figures(Part):
    """All elements of a tensor in one line. Least, mean, greatest and deviation are those of the finite
    elements, None where there are none; `norm` is the square root of their sum of squares."""

    least: float | None
    mean: float | None
    greatest: float | None
    deviation: float | None
    norm: float
    zeros: Length
    nan: Length
    infinite: Length
    bins: Annotated[tuple[Length, ...], Field(max_length=64)]

    @property
    def finite(self) -> bool:
        return not (self.nan or self.infinite)


class NumericCheck(Part):
    """A derivative in one direction: as backpropagation gave it, and by differences of the function itself.

    error      of the two, as a share of their size; up to `tolerance` they agree
    why        where it is undecided: what stood in the way
    """

    verdict: Verdict
    recorded: float | None = None
    numeric: float | None = None
    error: float | None = None
    tolerance: float = 1e-3
    why: Text = ""


class TracedTensor(Part):
    """One tensor of the recorded step.

    value, gradient  its figures; None where there are none
    check            of its gradient: the sum of what its users send, each by differences
    whole            whether the arrays hold all elements, or only the first of each dimension
    """

    name: Name = ""
    kind: Kind
    shape: Shape
    dtype: Name
    requires_grad: bool
    value: Figures | None = None
    gradient: Figures | None = None
    check: NumericCheck | None = None
    whole: bool = True
    value_array: Name = ""
    gradient_array: Name = ""


class Group(Part):
    """A call of a module: `calls` counts them, `name` is its place in the model."""

    call: Length
    name: Name
    kind: Name


class Operation(Part):
    """What made some tensors from others.

    place      file and line in the user's program, without folders
    rule       for a derivative that the user wrote: its class, and the file and line of its backward
    groups     the module calls it is inside of, outermost first
    checks     one for each input that needs a gradient: what is sent there; None for the others
    """

    name: Name
    inputs: Annotated[tuple[int, ...], Field(max_length=1000)]
    outputs: Annotated[tuple[int, ...], Field(max_length=1000)]
    place: Name = ""
    rule: Name = ""
    groups: Annotated[tuple[Group, ...], Field(max_length=64)] = ()
    checks: Annotated[tuple[NumericCheck | None, ...], Field(max_length=1000)] = ()


class Failure(Part):
    """Why the program stopped: the error, and the operation it stopped at, with what that was given."""

    error: Name
    message: Annotated[str, Field(max_length=2000)]
    operation: Name = ""
    place: Name = ""
    inputs: Annotated[tuple[int, ...], Field(max_length=100)] = ()
    backward: bool = False


class Step(Part):
    """The graph of one training step. Tensors in the order of making; operations likewise.

    left_out   operations beyond the limit, which were not recorded
    whole      the check of the loss as a whole, along one direction of all leaves together
    """

    number: Length
    tensors: Annotated[tuple[TracedTensor, ...], Field(max_length=MOST_VALUES)]
    operations: Annotated[tuple[Operation, ...], Field(max_length=MOST_VALUES)]
    loss: int | None = None
    failure: Failure | None = None
    left_out: Length = 0
    whole: NumericCheck | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        made: set[int] = set()
        count = len(self.tensors)
        produced = {output for operation in self.operations for output in operation.outputs}
        for operation in self.operations:
            named = (*operation.inputs, *operation.outputs)
            if any(not 0 <= position < count for position in named):
                raise ValueError(f"the operation {operation.name!r} names a tensor that is not there")
            if any(source in produced and source not in made for source in operation.inputs):
                raise ValueError(f"the operation {operation.name!r} reads a tensor before it is made")
            if operation.checks and len(operation.checks) != len(operation.inputs):
                raise ValueError(f"the operation {operation.name!r} has a check too many or too few")
            if made.intersection(operation.outputs) or len(set(operation.outputs)) < len(operation.outputs):
                raise ValueError(f"the operation {operation.name!r} makes a tensor that is made already")
            made.update(operation.outputs)
        wanted = [*([] if self.loss is None else [self.loss]), *(self.failure.inputs if self.failure else ())]
        if any(not 0 <= position < count for position in wanted):
            raise ValueError("the loss, or what an operation failed on, is a tensor that is not there")
        return self

    def maker(self, position: int) -> Operation | None:
        """The operation that made a tensor; None for a leaf."""
        return next((each for each in self.operations if position in each.outputs), None)

    def arrays(self) -> Iterator[tuple[TracedTensor, str]]:
        """Every array that a tensor names."""
        for tensor in self.tensors:
            for name in filter(None, (tensor.value_array, tensor.gradient_array)):
                yield tensor, name


class Series(Part):
    """How one tensor went over time, at the history's moments; None where it was not there or not measured.

    low, high, shares   histograms of the finite elements: BINS equal parts of [low, high], each count as a
                        share (0 to 255) of the highest in two hexadecimal digits
    update              |change by the optimiser| as a share of |value|; of parameters only
    zeros               share of elements that are exactly 0; `ends` of elements within 1 % of ±1
    """

    name: Name
    kind: Kind
    shape: Shape
    norm: tuple[float | None, ...]
    gradient: tuple[float | None, ...]
    update: tuple[float | None, ...]
    zeros: tuple[float | None, ...]
    ends: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    bad: tuple[bool, ...]
    shares: tuple[Annotated[str, Field(max_length=2 * BINS, pattern="^([0-9a-f]{2})*$")], ...]

    @property
    def columns(self) -> tuple[tuple[object, ...], ...]:
        return (
            self.norm, self.gradient, self.update, self.zeros, self.ends, self.low, self.high, self.bad,
            self.shares,
        )  # fmt: skip


class History(Part):
    """Figures over time. `moments` are the numbers of the steps that were measured; `losses` has more."""

    losses: Annotated[tuple[tuple[Length, float], ...], Field(max_length=2 * MOST_MOMENTS)] = ()
    moments: Annotated[tuple[Length, ...], Field(max_length=MOST_MOMENTS)] = ()
    rates: Annotated[tuple[float | None, ...], Field(max_length=MOST_MOMENTS)] = ()
    series: Annotated[tuple[Series, ...], Field(max_length=MOST_SERIES)] = ()
    left_out: Length = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        count = len(self.moments)
        if len(self.rates) != count:
            raise ValueError("the history has not one learning rate for each moment")
        if any(len(column) != count for series in self.series for column in series.columns):
            raise ValueError("a series of the history has not one figure for each moment")
        if any(low >= high for low, high in zip(self.moments, self.moments[1:], strict=False)):
            raise ValueError("the moments of the history are not in order")
        return self


class Trace(Part):
    """A recording.

    framework  name and version of what computed
    steps      the graphs that were recorded: of the first step, of one on the way, of the last, and of the
               one that failed
    count      how many steps there were
    """

    format: Literal["unroll-trace"] = "unroll-trace"
    version: Literal[1] = 1
    framework: Name
    count: Length
    steps: Annotated[tuple[Step, ...], Field(max_length=8)]
    history: History = History()

    @property
    def failure(self) -> Failure | None:
        return next((step.failure for step in self.steps if step.failure), None)


def last_known(losses: tuple[tuple[int, float], ...]) -> float | None:
    """The last loss that is a number."""
    return next((loss for _, loss in reversed(losses) if math.isfinite(loss)), None)
