"""Arithmetic in which a law is tried: every result of the table is rounded once to a format.

A value is a batch: one float64 for each example, always a number of the format. Rows of the table are
computed in float64 and rounded, which for + − × ÷ √ in float32 and below is what IEEE 754 demands (Figueroa
1995: with twice the digits and two more, the second rounding is harmless); in float64 they are what the C
library gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.expression import Instruction, Program, evaluate
from engine.numbers import FloatFormat, encode_array, fp16, fp32, fp64, round_array
from engine.primitive import Primitive
from engine.primitives import TABLE

COMPARE = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal,
}  # fmt: skip
OWN = {fp16: np.float16, fp32: np.float32, fp64: np.float64}  # formats in which numpy itself rounds
Batch = NDArray[Any]  # [examples], float64; of exact arithmetic, objects


@dataclass(frozen=True)
class Arithmetic:
    """The operators of the table in a floating-point format that float64 can compute for."""

    format: FloatFormat

    def round(self, values: Any) -> Batch:
        """Numbers as numbers of the format."""
        batch = np.asarray(values, np.float64)
        own = OWN.get(self.format)
        if own is None:
            return np.asarray(round_array(batch, self.format))
        with np.errstate(all="ignore"):
            return batch.astype(own).astype(np.float64)

    def values(self, program: Program, inputs: Mapping[str, Any]) -> list[Batch]:
        """Every value of the program for a batch of examples: inputs by name, all of one length."""
        count = len(next(iter(inputs.values()), [0.0]))

        def leaf(instruction: Instruction) -> Batch:
            if instruction.operation == "input":
                return self.round(inputs[str(instruction.name)])
            return np.full(count, self.round([instruction.value])[0])

        return evaluate(program, leaf, self._rows)

    def compare(self, sign: str, left: Batch, right: Batch) -> NDArray[np.bool_]:
        """Whether left and right are as the sign says; two NaNs are equal, else as IEEE 754 has it."""
        both_unknown = np.isnan(left) & np.isnan(right)
        held = np.asarray(COMPARE[sign](left, right), bool)
        return held & ~both_unknown if sign == "ne" else held | both_unknown

    def apart(self, left: Batch, right: Batch) -> NDArray[np.float64]:
        """How many numbers of the format further the one is than the other: its units in the last place.

        Infinite between a number and an infinity, NaN where one side alone is NaN, 0 where both are.
        """
        (below, low), (above, high) = self._places(left), self._places(right)
        same_side = below == above
        near = np.where(low > high, low - high, high - low).astype(np.float64)
        steps = np.where(same_side, near, low.astype(np.float64) + high.astype(np.float64))
        steps = np.where(np.isinf(left) | np.isinf(right), np.where(left == right, 0.0, np.inf), steps)
        unknown = np.isnan(left) | np.isnan(right)
        return np.where(unknown, np.where(np.isnan(left) & np.isnan(right), 0.0, np.nan), steps)

    def _places(self, values: Batch) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
        """The sign of every number, and its place among those of its sign."""
        codes = encode_array(np.ascontiguousarray(values, np.float64), self.format).astype(np.uint64)
        sign = np.uint64(self.format.sign_bit)
        return (codes & sign) != 0, codes & ~sign

    @cached_property
    def _rows(self) -> dict[str, Callable[..., Batch]]:
        """The table as functions of batches."""
        return {name: partial(self._apply, row) for name, row in TABLE.items()}

    def _apply(self, row: Primitive, *columns: Batch) -> Batch:
        examples = zip(*(column.tolist() for column in columns), strict=True)
        return self.round([row.evaluate(values) for values in examples])
