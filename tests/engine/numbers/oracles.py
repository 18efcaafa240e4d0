"""What the formats are tested against: ml_dtypes' types, numpy's half, and float32 patterns worth trying."""

import os
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from engine.numbers import named
from engine.numbers.floating import FloatFormat

# e8m0 rounds up all between 2^-127 and 2^-126 in ml_dtypes 0.6.0; see test_rounding
ORACLES: dict[FloatFormat, Any] = {
    named.fp16: np.dtype(np.float16),
    named.bf16: np.dtype(ml_dtypes.bfloat16),
    named.fp8_e5m2: np.dtype(ml_dtypes.float8_e5m2),
    named.fp8_e5m2fnuz: np.dtype(ml_dtypes.float8_e5m2fnuz),
    named.fp8_e4m3: np.dtype(ml_dtypes.float8_e4m3),
    named.fp8_e4m3fn: np.dtype(ml_dtypes.float8_e4m3fn),
    named.fp8_e4m3fnuz: np.dtype(ml_dtypes.float8_e4m3fnuz),
    named.fp8_e4m3b11fnuz: np.dtype(ml_dtypes.float8_e4m3b11fnuz),
    named.fp8_e3m4: np.dtype(ml_dtypes.float8_e3m4),
    named.fp8_e8m0: np.dtype(ml_dtypes.float8_e8m0fnu),
    named.fp6_e3m2: np.dtype(ml_dtypes.float6_e3m2fn),
    named.fp6_e2m3: np.dtype(ml_dtypes.float6_e2m3fn),
    named.fp4_e2m1: np.dtype(ml_dtypes.float4_e2m1fn),
}
FP8 = [target for target in ORACLES if target.bits == 8 and target.signed]
SMALL = [target for target in ORACLES if target.bits <= 8]

RANDOM_PATTERNS = int(os.environ.get("UNROLL_ROUNDINGS", "200_000"))


def decoded(target: FloatFormat) -> NDArray[np.float64]:
    """The value of every code, by the oracle."""
    codes = np.arange(1 << target.bits, dtype=np.uint16 if target.bits > 8 else np.uint8)
    with np.errstate(invalid="ignore"):
        return codes.view(ORACLES[target]).astype(np.float64)


def encoded(values: NDArray[Any], target: FloatFormat) -> NDArray[Any]:
    """The codes of values, by the oracle."""
    with np.errstate(all="ignore"):
        found = values.astype(ORACLES[target])
    return found.view(np.uint16 if target.bits > 8 else np.uint8)


def boundary_patterns() -> NDArray[np.float32]:
    """float32 of both signs, every exponent, and fractions at and beside every place where a format cuts."""
    places = (1 << np.arange(24, dtype=np.int64)) - 1
    near = np.concatenate([places, places + 1, places + 2, 0x7FFFFF - places, 0x7FFFFE - places])
    sixteenths = (np.arange(64) << 17)[:, None] + np.array([-1, 0, 1])
    fractions = np.unique(np.concatenate([near, sixteenths.reshape(-1)]) & 0x7FFFFF)
    exponents = np.arange(256, dtype=np.int64) << 23
    patterns = (exponents[:, None] | fractions).reshape(-1).astype(np.uint32)
    return np.concatenate([patterns, patterns | np.uint32(0x80000000)]).view(np.float32)


def random_patterns(count: int, seed: int) -> NDArray[np.float32]:
    """float32 with every bit drawn at random."""
    return np.random.default_rng(seed).integers(0, 1 << 32, count, dtype=np.uint32).view(np.float32)


def widened(values: NDArray[Any]) -> NDArray[np.float64]:
    """As float64; a signalling NaN becomes quiet without a warning."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def same(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    """Equal values, NaN beside NaN, zeros of the same sign."""
    equal = (found == expected) & (np.signbit(found) == np.signbit(expected))
    return bool((equal | (np.isnan(found) & np.isnan(expected))).all())
