"""Arithmetic whose every result is rounded to a format, as a processor for that format would do it.

half = Arithmetic(named.fp16)
half.add(2048.0, 1.0)                     # 2048.0: nothing was added
half.add_up(np.full(20_000, 1.0))         # 2048.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.numbers import constants, kernels, named
from engine.numbers import summation_kernels as loops
from engine.numbers.arrays import round_array
from engine.numbers.compiled import entry
from engine.numbers.exact import NumberError, Rounding
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat
from engine.numbers.format import Format

Doubles = NDArray[np.float64]

MOST_FRACTION_BITS = 50  # float64 has 52, and rounding twice needs two to spare
ROW = "f8[:,::1], f8[::1], i8[::1], u8[::1]"


class Algorithm(Enum):
    """An order, and a care, in which to add."""

    NAIVE = "left to right"
    PAIRWISE = "pairwise: neighbours, then their sums, and so on"
    BLOCKED = "blocked: within blocks, then over the blocks"
    KAHAN = "Kahan: each error is carried into the next addition"
    NEUMAIER = "Neumaier: errors summed on their own"
    EXACT = "exact: rounded once, at the end"


@dataclass(frozen=True)
class Arithmetic:
    """The operations of float64, each result rounded once to `target`.

    Numbers go in and come out as float64, arrays of any shape that broadcast; operands need not be numbers of
    the format. Stochastic rounding repeats with `seed`. NumberError for formats that float64 cannot compute
    for: fp64 itself is possible to nearest even, other formats need no more than 50 fraction bits and a range
    within that of float64; fixed point must saturate.
    """

    target: Format
    mode: Rounding = Rounding.NEAREST_EVEN
    seed: int = 0

    def __post_init__(self) -> None:
        if self.is_fp64:
            return
        if not isinstance(self.target, FloatFormat | FixedFormat):
            raise NumberError(
                f"arithmetic is for floating and fixed point, and {self.target.name} is neither"
            )
        fraction, smallest = constants.grid(self.target)
        if isinstance(self.target, FixedFormat) and not self.target.saturate:
            raise NumberError(f"arithmetic in {self.target.name} needs numbers that saturate, not wrap")
        if not self.target.is_signed:
            raise NumberError(f"arithmetic needs a sign, which {self.target.name} lacks")
        in_range = smallest >= constants.FLOAT64.smallest_exponent and self.target.largest < 2**1023
        if fraction > MOST_FRACTION_BITS or not in_range:
            raise NumberError(
                f"arithmetic in {self.target.name} ({self.mode.value}) is beyond float64, which computes it: "
                f"at most {MOST_FRACTION_BITS} fraction bits, or fp64 to nearest even"
            )

    @property
    def is_fp64(self) -> bool:
        return self.target == named.fp64 and self.mode is Rounding.NEAREST_EVEN

    @property
    def unit(self) -> float:
        """The most that one rounding changes a normal number by, relatively: u to nearest, else 2u. In fixed
        point 0: errors are absolute there."""
        if not isinstance(self.target, FloatFormat):
            return 0.0
        return float(self.target.unit_roundoff) * (1 if self.mode.is_nearest else 2)

    @property
    def limits(self) -> NDArray[np.int64]:
        """What the kernels need to know."""
        return _limits(self.target, self.mode)

    # ---- element by element

    def round(self, x: ArrayLike) -> Doubles:
        """x as numbers of the format."""
        return round_array(np.asarray(x, np.float64), self.target, self.mode, self.seed)

    def add(self, x: ArrayLike, y: ArrayLike) -> Doubles:
        return self._elementwise(loops.sums, x, y)

    def subtract(self, x: ArrayLike, y: ArrayLike) -> Doubles:
        return self._elementwise(loops.sums, x, np.negative(y))

    def multiply(self, x: ArrayLike, y: ArrayLike) -> Doubles:
        return self._elementwise(loops.products, x, y)

    def divide(self, x: ArrayLike, y: ArrayLike) -> Doubles:
        return self._elementwise(loops.quotients, x, y)

    def _elementwise(self, loop: Any, x: ArrayLike, y: ArrayLike) -> Doubles:
        left, right = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
        out = np.empty(left.shape)
        flat = [np.ascontiguousarray(operand).reshape(-1) for operand in (left, right)]
        run = entry(loop, "void(f8[::1], f8[::1], f8[::1], i8[::1], u8[::1])")
        run(*flat, out.reshape(-1), self.limits, self._seeds(1))
        return out

    # ---- sums over the last axis

    def add_up(self, values: ArrayLike, algorithm: Algorithm = Algorithm.NAIVE, block: int = 128) -> Doubles:
        """The sum over the last axis, every addition rounded; `block` is for the blocked algorithm."""
        rows, shape = _as_rows(values)
        if block < 1:
            raise NumberError(f"a block has at least one number, not {block}")
        if rows.shape[1] == 0:
            return np.zeros(shape)
        if algorithm is Algorithm.EXACT:
            return self.round([_exact_sum(row, self.is_fp64) for row in rows]).reshape(shape)
        out = np.empty(len(rows))
        common = rows, out, self.limits, self._seeds(len(rows))
        match algorithm:
            case Algorithm.NAIVE | Algorithm.BLOCKED:
                length = rows.shape[1] if algorithm is Algorithm.NAIVE else block
                entry(loops.blocked, f"void({ROW}, i8)")(*common, length)
            case Algorithm.PAIRWISE:
                entry(loops.pairwise, f"void({ROW}, f8[::1])")(*common, np.empty(rows.shape[1]))
            case Algorithm.KAHAN:
                entry(loops.kahan, f"void({ROW})")(*common)
            case Algorithm.NEUMAIER:
                entry(loops.neumaier, f"void({ROW})")(*common)
        return out.reshape(shape)

    def partial_sums(self, values: ArrayLike) -> Doubles:
        """Every partial sum from left to right along the last axis: the same shape."""
        rows, _ = _as_rows(values)
        out = np.empty(rows.shape)
        run = entry(loops.partial_sums, "void(f8[:,::1], f8[:,::1], i8[::1], u8[::1])")
        run(rows, out, self.limits, self._seeds(len(rows)))
        return out.reshape(np.shape(values))

    def fused_dot(self, x: ArrayLike, y: ArrayLike) -> Doubles:
        """Σ x·y over the last axis by fused multiply-add: each step rounded once."""
        left, right = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
        (first, shape), (second, _) = _as_rows(left), _as_rows(right)
        out = np.empty(len(first))
        entry(loops.fused_dots, f"void(f8[:,::1], {ROW})")(
            first, second, out, self.limits, self._seeds(len(first))
        )
        return out.reshape(shape)

    def fused_matmul(self, a: ArrayLike, b: ArrayLike) -> Doubles:
        """a [m, k] times b [k, n] by fused multiply-add: [m, n]."""
        left, columns = np.ascontiguousarray(a, np.float64), np.ascontiguousarray(np.transpose(b), np.float64)
        if left.ndim != 2 or columns.ndim != 2 or left.shape[1] != columns.shape[1]:
            raise NumberError(f"a product takes [m, k] and [k, n], not {left.shape} and {np.shape(b)}")
        out = np.empty((len(left), len(columns)))
        run = entry(loops.fused_matmul, "void(f8[:,::1], f8[:,::1], f8[:,::1], i8[::1], u8[::1])")
        run(left, columns, out, self.limits, self._seeds(len(left)))
        return out

    def squared_deviations(self, values: ArrayLike) -> Doubles:
        """Σ (x − mean)² over the last axis in one pass, by Welford's recurrence."""
        rows, shape = _as_rows(values)
        out = np.empty(len(rows))
        entry(loops.welford, f"void({ROW})")(rows, out, self.limits, self._seeds(len(rows)))
        return out.reshape(shape)

    def seeded(self, step: int) -> Arithmetic:
        """The same arithmetic with other random numbers, for another step of a computation."""
        if self.mode is not Rounding.STOCHASTIC:
            return self
        seed = np.random.SeedSequence([self.seed, step]).generate_state(1, np.uint64)
        return replace(self, seed=int(seed[0]))

    def _seeds(self, count: int) -> NDArray[np.uint64]:
        if self.mode is not Rounding.STOCHASTIC:
            return np.zeros(count, np.uint64)
        return np.random.SeedSequence(self.seed).generate_state(count, np.uint64).astype(np.uint64)


@lru_cache(constants.FORMATS_KEPT)
def _limits(target: Format, mode: Rounding) -> NDArray[np.int64]:
    c = constants.for_values(target, mode, constants.FLOAT64)
    c[kernels.ROUNDS_ONCE] = target == named.fp64 and mode is Rounding.NEAREST_EVEN
    return c


def _as_rows(values: ArrayLike) -> tuple[Doubles, tuple[int, ...]]:
    array = np.asarray(values, np.float64)
    if array.ndim == 0:
        raise NumberError("a sum needs an array of at least one dimension")
    return np.ascontiguousarray(array).reshape(math.prod(array.shape[:-1]), array.shape[-1]), array.shape[:-1]


def _exact_sum(row: Doubles, final: bool) -> float:
    """The sum rounded once to float64; to odd unless that is final, so that it can be rounded once more."""
    if not np.isfinite(row).all():
        with np.errstate(invalid="ignore"):
            return float(row.sum())
    total = math.fsum(row)
    rest = 0.0 if final else math.fsum([*row, -total])
    if rest == 0.0 or int(np.float64(total).view(np.int64)) & 1:
        return total
    return math.nextafter(total, math.copysign(math.inf, rest))
