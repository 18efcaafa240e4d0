"""Single operations whose results are rounded once, to any format, and sums made of them.

float64 computes, but its result is rounded already, and rounding it again to a narrower format can go wrong
("double rounding"). So the first rounding is to odd: where float64's result is not exact, the one of its two
neighbours is taken whose last bit is 1. That bit says "there was more", and a second rounding to a format
with two bits less or fewer is then right in every mode (Boldo and Melquiond, "Emulation of FMA and correctly
rounded sums", IEEE Transactions on Computers 57, 2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float64, int64
from numba.extending import intrinsic

from engine.numbers.compiled import kernel
from engine.numbers.kernels import (
    AWAY,
    DOWN,
    MODE,
    MOST,
    ROUNDS_ONCE,
    UP,
    as_value,
    bits_to_drop,
    directed,
    limited,
    nearest,
    random_bits,
    split,
    stochastic,
    with_sign,
)

FAR = 0x7FFF


@intrinsic  # type: ignore[untyped-decorator]
def bits_of(typing: Any, x: Any) -> Any:  # noqa: ARG001
    """The bits of a float64."""
    return int64(x), lambda context, builder, signature, values: builder.bitcast(
        values[0], context.get_value_type(signature.return_type)
    )


@intrinsic  # type: ignore[untyped-decorator]
def from_bits(typing: Any, x: Any) -> Any:  # noqa: ARG001
    """The float64 with these bits."""
    return float64(x), lambda context, builder, signature, values: builder.bitcast(
        values[0], context.get_value_type(signature.return_type)
    )


@intrinsic  # type: ignore[untyped-decorator]
def fused(typing: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ARG001
    """a·b + c, rounded once by float64."""
    return a(a, b, c), lambda context, builder, signature, values: builder.fma(*values)


@kernel
def to_format(x: Any, c: Any, seed: Any, count: Any) -> Any:
    """x as the number it is rounded to. `count` numbers the roundings of a computation."""
    a, sign, field, m = split(bits_of(x), c)
    if c[MODE] == 2:
        drop = bits_to_drop(field, int64(FAR), c)
        n = stochastic(m, drop, random_bits(seed, count))
        drop = min(drop, c[MOST])
    else:
        drop = bits_to_drop(field, c[MOST], c)
        away = c[DOWN] if sign != 0 else c[UP]
        n = directed(m, drop, away) if c[MODE] == 1 else nearest(m, drop, c[AWAY])
    r = as_value(n, drop, a - m, c)
    return from_bits(with_sign(limited(r, a, sign, a, c), sign, c))


@kernel
def to_odd(result: Any, error: Any, c: Any) -> Any:
    """float64's `result`, which is `error` short of the exact one, rounded to odd instead."""
    bits = bits_of(result)
    if c[ROUNDS_ONCE] or error == 0.0 or bits & 1 or not np.isfinite(result) or error != error:
        return result
    return from_bits(bits + 1 if (error > 0.0) == (result > 0.0) else bits - 1)


@kernel
def sum_error(x: Any, y: Any, total: Any) -> Any:
    """x + y − total, exactly (Knuth's TwoSum)."""
    z = total - x
    return (x - (total - z)) + (y - z)


@kernel
def add(x: Any, y: Any, c: Any, seed: Any, count: Any) -> Any:
    """x + y, rounded once."""
    total = x + y
    return to_format(to_odd(total, sum_error(x, y, total), c), c, seed, count)


@kernel
def multiply(x: Any, y: Any, c: Any, seed: Any, count: Any) -> Any:
    """x · y, rounded once."""
    product = x * y
    return to_format(to_odd(product, fused(x, y, -product), c), c, seed, count)


@kernel
def divide(x: Any, y: Any, c: Any, seed: Any, count: Any) -> Any:
    """x / y, rounded once. What remains, divided by y, is the error."""
    quotient = x / y
    remainder = fused(-quotient, y, x)
    return to_format(to_odd(quotient, remainder * np.sign(y), c), c, seed, count)


@kernel
def multiply_add(x: Any, y: Any, z: Any, c: Any, seed: Any, count: Any) -> Any:
    """x · y + z, rounded once (Boldo and Melquiond's algorithm, the last step to odd as well)."""
    if c[ROUNDS_ONCE]:
        return to_format(fused(x, y, z), c, seed, count)
    high = x * y
    low = fused(x, y, -high)
    middle = z + low
    below = sum_error(z, low, middle)
    top = high + middle
    rest = sum_error(high, middle, top)
    tail = below + rest
    tail = to_odd(tail, sum_error(below, rest, tail), c)
    total = top + tail
    return to_format(to_odd(total, sum_error(top, tail, total), c), c, seed, count)
