"""Dot products, matrix products, softmax and variance, with a format for each part of the computation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from engine.numbers.arithmetic import Algorithm, Arithmetic, Doubles
from engine.numbers.exact import NumberError


@dataclass(frozen=True)
class Precision:
    """What is rounded to what.

    inputs       the operands, before anything else
    products     each product, or other result for one element
    accumulator  each partial sum
    algorithm    the order of the sums; `block` is for the blocked one, as in matrix units that add a few
                 products at a time
    fused        multiply-add, rounded once to the accumulator; `products` and the algorithm are then not used
    """

    inputs: Arithmetic
    products: Arithmetic
    accumulator: Arithmetic
    algorithm: Algorithm = Algorithm.NAIVE
    block: int = 128
    fused: bool = False

    @classmethod
    def all_in(cls, arithmetic: Arithmetic, algorithm: Algorithm = Algorithm.NAIVE) -> Precision:
        """One format for everything."""
        return cls(arithmetic, arithmetic.seeded(1), arithmetic.seeded(2), algorithm)


def dot(x: ArrayLike, y: ArrayLike, precision: Precision) -> Doubles:
    """Σ x·y over the last axis; the rest broadcasts."""
    return _dot(precision.inputs.round(x), precision.inputs.seeded(1).round(y), precision)


def matmul(a: ArrayLike, b: ArrayLike, precision: Precision) -> Doubles:
    """a [m, k] times b [k, n]; returns float64 [m, n]."""
    left, right = precision.inputs.round(a), precision.inputs.seeded(1).round(b)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0]:
        raise NumberError(f"matmul takes [m, k] and [k, n], not {left.shape} and {right.shape}")
    columns = np.ascontiguousarray(right.T)
    found = np.empty((left.shape[0], right.shape[1]))
    for i, row in enumerate(left):
        steps = Precision(
            precision.inputs,
            precision.products.seeded(i),
            precision.accumulator.seeded(i),
            precision.algorithm,
            precision.block,
            precision.fused,
        )
        found[i] = _dot(row, columns, steps)
    return found


def _dot(x: Doubles, y: Doubles, precision: Precision) -> Doubles:
    """For operands that have been rounded."""
    if precision.fused:
        return precision.accumulator.fused_dot(x, y)
    products = precision.products.multiply(x, y)
    return precision.accumulator.add_up(products, precision.algorithm, precision.block)


def softmax(x: ArrayLike, precision: Precision) -> Doubles:
    """exp(x − max) / Σ exp(x − max) over the last axis.

    The exponential is float64's, rounded to `products`; so are difference and quotient.
    """
    values = precision.inputs.round(x)
    step = precision.products
    shifted = step.subtract(values, values.max(axis=-1, keepdims=True))
    powers = step.seeded(1).round(np.exp(shifted))
    total = precision.accumulator.add_up(powers, precision.algorithm, precision.block)
    return step.seeded(2).divide(powers, total[..., None])


class VarianceMethod(Enum):
    """How a variance is computed (compared by Chan, Golub and LeVeque 1983)."""

    TWO_PASS = "mean first, then Σ (x − mean)² / n"
    TEXTBOOK = "Σ x² / n − mean²"
    WELFORD = "one pass, updating mean and squares"


def variance(x: ArrayLike, precision: Precision, method: VarianceMethod = VarianceMethod.TWO_PASS) -> Doubles:
    """Σ (x − mean)² / n over the last axis, in the accumulator's format except for products and differences.

    Welford's method is in the accumulator's format throughout.
    """
    values = precision.inputs.round(x)
    count = float(values.shape[-1])
    step, total = precision.products, precision.accumulator
    if method is VarianceMethod.WELFORD:
        return total.divide(total.squared_deviations(values), count)
    mean = total.divide(total.add_up(values, precision.algorithm, precision.block), count)
    if method is VarianceMethod.TWO_PASS:
        deviations = step.subtract(values, mean[..., None])
        squares = step.seeded(1).multiply(deviations, deviations)
        summed = total.seeded(1).add_up(squares, precision.algorithm, precision.block)
        return total.seeded(2).divide(summed, count)
    squares = step.multiply(values, values)
    mean_square = total.divide(total.seeded(1).add_up(squares, precision.algorithm, precision.block), count)
    return total.seeded(2).subtract(mean_square, total.seeded(3).multiply(mean, mean))
