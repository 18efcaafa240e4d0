"""The loops over arrays: each way to round, with values or with codes as results.

bits  the elements' bits, int32 for float32 and int64 for float64
out   of the same type for values; unsigned, of the format's width, for codes
c     the limits, by their names in `kernels`
"""

from __future__ import annotations

from typing import Any

from numba import int64
from numba.np.unsafe.ndarray import to_fixed_tuple

from engine.numbers.compiled import kernel, shift_left, shift_right
from engine.numbers.kernels import (
    AWAY,
    COUNT,
    DOWN,
    DROP,
    INFINITY,
    MAGNITUDE,
    MOST,
    NAN,
    SIGN_SHIFT,
    UP,
    as_code,
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


@kernel
def leading_values(bits: Any, out: Any, c: Any) -> None:
    """To nearest, where a number of the format is the leading bits of the source's (bf16 of float32).

    As many bits to drop everywhere, and too large a number carries into the exponent of infinity by itself.
    """
    k = to_fixed_tuple(c, COUNT)
    integer = bits.dtype.type
    for i in range(bits.size):
        a = integer(bits[i] & k[MAGNITUDE])
        r = shift_left(nearest(a, k[DROP], k[AWAY]), k[DROP])
        out[i] = integer((a if a > k[INFINITY] else r) | (bits[i] ^ a))


@kernel
def leading_codes(bits: Any, out: Any, c: Any) -> None:
    k = to_fixed_tuple(c, COUNT)
    integer = bits.dtype.type
    code = out.dtype.type
    for i in range(bits.size):
        a = integer(bits[i] & k[MAGNITUDE])
        r = nearest(a, k[DROP], k[AWAY])
        sign = shift_right(integer(bits[i] ^ a), k[SIGN_SHIFT])
        out[i] = code((k[NAN] if a > k[INFINITY] else r) | sign)


@kernel
def nearest_values(bits: Any, out: Any, c: Any) -> None:
    k = to_fixed_tuple(c, COUNT)
    integer = bits.dtype.type
    for i in range(bits.size):
        a, sign, field, m = split(bits[i], k)
        drop = bits_to_drop(field, k[MOST], k)
        r = as_value(nearest(m, drop, k[AWAY]), drop, integer(a - m), k)
        out[i] = with_sign(limited(r, a, sign, a, k), sign, k)


@kernel
def nearest_codes(bits: Any, out: Any, c: Any) -> None:
    k = to_fixed_tuple(c, COUNT)
    code = out.dtype.type
    for i in range(bits.size):
        a, sign, field, m = split(bits[i], k)
        n = nearest(m, bits_to_drop(field, k[MOST], k), k[AWAY])
        r = limited(as_code(n, field, k), a, sign, k[NAN], k)
        out[i] = code(with_sign(r, shift_right(sign, k[SIGN_SHIFT]), k))


@kernel
def directed_values(bits: Any, out: Any, c: Any) -> None:
    k = to_fixed_tuple(c, COUNT)
    integer = bits.dtype.type
    for i in range(bits.size):
        a, sign, field, m = split(bits[i], k)
        drop = bits_to_drop(field, k[MOST], k)
        n = directed(m, drop, k[DOWN] if sign != integer(0) else k[UP])
        r = as_value(n, drop, integer(a - m), k)
        out[i] = with_sign(limited(r, a, sign, a, k), sign, k)


@kernel
def directed_codes(bits: Any, out: Any, c: Any) -> None:
    k = to_fixed_tuple(c, COUNT)
    integer = bits.dtype.type
    code = out.dtype.type
    for i in range(bits.size):
        a, sign, field, m = split(bits[i], k)
        n = directed(m, bits_to_drop(field, k[MOST], k), k[DOWN] if sign != integer(0) else k[UP])
        r = limited(as_code(n, field, k), a, sign, k[NAN], k)
        out[i] = code(with_sign(r, shift_right(sign, k[SIGN_SHIFT]), k))


@kernel
def stochastic_values(bits: Any, out: Any, c: Any, seed: Any) -> None:
    k = to_fixed_tuple(c, COUNT)
    integer = bits.dtype.type
    far = integer(0x7FFF)
    for i in range(bits.size):
        a, sign, field, m = split(bits[i], k)
        drop = bits_to_drop(field, far, k)
        n = integer(stochastic(int64(m), int64(drop), random_bits(seed[0], i)))
        r = as_value(n, min(drop, k[MOST]), integer(a - m), k)
        out[i] = with_sign(limited(r, a, sign, a, k), sign, k)


@kernel
def stochastic_codes(bits: Any, out: Any, c: Any, seed: Any) -> None:
    k = to_fixed_tuple(c, COUNT)
    integer = bits.dtype.type
    code = out.dtype.type
    far = integer(0x7FFF)
    for i in range(bits.size):
        a, sign, field, m = split(bits[i], k)
        n = integer(stochastic(int64(m), int64(bits_to_drop(field, far, k)), random_bits(seed[0], i)))
        r = limited(as_code(n, field, k), a, sign, k[NAN], k)
        out[i] = code(with_sign(r, shift_right(sign, k[SIGN_SHIFT]), k))
