"""Rounding of whole arrays, on the bits of float32 or float64.

A number is m · 2^e with an integer m. Rounding it to a format drops the last bits of m: `drop` of them, more
where the format has only subnormal numbers left. All modes add something to m and cut: half (with a look at
the last bit that stays, for ties), all ones if the mode leads away from zero, or a random number.

Results are *values*, in the bits of the array's own type, or *codes* of the format. Both are assembled from
the sign, the exponent and the rounded m; as a larger number has larger bits, carries, overflow and underflow
are integer additions and comparisons. The limits come in `c`, by the names below (`constants.py` fills it).

The loops have no branches and vectorise: 32-bit lanes for float32, 64-bit for float64.
"""

from __future__ import annotations

from typing import Any

from numba import int64, uint64

from engine.numbers.compiled import compiled, shift_left, shift_right

# Of the source, float32 or float64:
MAGNITUDE = 0  # mask of everything but the sign
INFINITY = 1  # the bits of infinity
WIDTH = 2  # fraction bits
MOST = 3  # more bits to drop than this leave nothing but 0 or UNIT

# Of the format:
LOWEST = 4  # exponent field, in the source's bias, of the smallest normal number
DROP = 5  # bits to drop from a normal number
LARGEST, LARGEST_NEGATIVE = 6, 7  # bits (or code) of the largest magnitude of either sign
OVER, OVER_NEGATIVE = 8, 9  # what anything larger becomes
INFINITE = 10  # what infinity becomes,
EXACT_INFINITY = 11  # if its bits are these; −1 where infinity is one of the numbers that are too large
SMALLEST, UNDER = 12, 13  # what is smaller than SMALLEST becomes UNDER
UNIT = 14  # bits of the smallest subnormal number
ZERO_SIGN = 15  # mask of the signs that zero keeps
NAN, FRACTION, OFFSET, SIGN_SHIFT = 16, 17, 18, 19  # of codes: NaN, fraction bits, the first, sign's place

# Of the rounding mode:
AWAY = 20  # 1 where ties go away from zero
UP, DOWN = 21, 22  # −1 (all ones) where positive, or negative, numbers round away from zero
MODE = 23  # of single operations: 0 to nearest, 1 directed, 2 stochastic
ROUNDS_ONCE = 24  # of single operations: 1 where float64's own result is the one wanted
COUNT = 25

RANDOM_BITS = 62
GOLDEN = uint64(0x9E3779B97F4A7C15)


@compiled
def random_bits(seed: Any, i: Any) -> Any:
    """The i-th random integer of a stream, 62 bits: SplitMix64 (Steele, Lea and Flood 2014)."""
    z = seed + uint64(i) * GOLDEN
    z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
    return int64((z ^ (z >> uint64(31))) >> uint64(64 - RANDOM_BITS))


@compiled
def nearest(m: Any, drop: Any, away: Any) -> Any:
    """m / 2^drop to the nearest integer; a tie to the even one, or away from zero where `away` is 1."""
    integer = type(m)
    one = integer(1)
    half = shift_right(shift_left(one, drop), one)
    odd = integer(shift_right(m, drop) & one)
    addend = integer(half - one + (odd | away)) if half > integer(0) else integer(0)
    return shift_right(integer(m + addend), drop)


@compiled
def directed(m: Any, drop: Any, away: Any) -> Any:
    """m / 2^drop rounded up where `away` is all ones, down where it is 0."""
    integer = type(m)
    ones = integer(shift_left(integer(1), drop) - integer(1))
    return shift_right(integer(m + (ones & away)), drop)


@compiled
def stochastic(m: Any, drop: Any, random: Any) -> Any:
    """m / 2^drop rounded up with probability equal to the remainder; 64-bit integers.

    Bits of m too far below the last place for the random number are dropped: a bias under 2^-62 places.
    """
    excess = min(max(drop - RANDOM_BITS, 0), 63)
    drop = min(drop, RANDOM_BITS)
    return ((m >> excess) + (random & ((int64(1) << drop) - int64(1)))) >> drop


@compiled
def split(bits: Any, k: Any) -> Any:
    """(magnitude, sign, exponent field but at least 1, m) of a number."""
    integer = type(bits)
    a = integer(bits & k[MAGNITUDE])
    field = max(shift_right(a, k[WIDTH]), integer(1))
    return a, integer(bits ^ a), field, integer(a - shift_left(integer(field - integer(1)), k[WIDTH]))


@compiled
def bits_to_drop(field: Any, most: Any, k: Any) -> Any:
    """How many bits of m the format has no place for, but no more than `most`."""
    integer = type(field)
    zero = integer(0)
    return min(max(integer(k[DROP] + max(integer(k[LOWEST] - field), zero)), zero), most)


@compiled
def as_value(n: Any, drop: Any, base: Any, k: Any) -> Any:
    """Bits of n · 2^drop on the scale of m."""
    integer = type(n)
    found = integer(base + shift_left(n, drop))
    found = k[UNIT] if drop >= k[MOST] else found
    return integer(0) if n == integer(0) else found


@compiled
def as_code(n: Any, field: Any, k: Any) -> Any:
    """The code without its sign: the exponent field, with n added so that it may carry into it."""
    integer = type(n)
    zero = integer(0)
    scaled = shift_left(max(integer(field - k[LOWEST]), zero), k[FRACTION])
    return max(integer(scaled + n - k[OFFSET]), zero)


@compiled
def limited(r: Any, a: Any, sign: Any, nan: Any, k: Any) -> Any:
    """Underflow, overflow, infinity and NaN put in place of the plain result r."""
    r = k[UNDER] if r < k[SMALLEST] else r
    negative = sign != type(r)(0)
    largest = k[LARGEST_NEGATIVE] if negative else k[LARGEST]
    r = (k[OVER_NEGATIVE] if negative else k[OVER]) if r > largest else r
    r = k[INFINITE] if a == k[EXACT_INFINITY] else r
    return nan if a > k[INFINITY] else r


@compiled
def with_sign(r: Any, sign: Any, k: Any) -> Any:
    integer = type(r)
    return integer(r | (integer(sign & k[ZERO_SIGN]) if r == integer(0) else sign))
