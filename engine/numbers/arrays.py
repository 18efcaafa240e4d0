"""Whole arrays to a format and back: the fast counterpart of a format's own exact, one-by-one methods.

Arrays are float32 or float64. Where a format is finer or wider than what the fast kernels can tell apart
(an exponent range beyond float64's, codes with more fraction bits), and for posits, elements are rounded one
by one instead, about a thousand times slower and just as exact.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.numbers import constants
from engine.numbers import rounding_kernels as loops
from engine.numbers.compiled import entry
from engine.numbers.constants import FLOAT32, FLOAT64, FORMATS_KEPT, Source, is_leading
from engine.numbers.exact import NumberError, Rounding
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat, Lowest
from engine.numbers.format import Format
from engine.numbers.posit import PositFormat

Floats = NDArray[Any]  # float32 or float64
Codes = NDArray[Any]  # uint8, uint16, uint32 or uint64

TABLES_KEPT = 32  # of up to half a megabyte each


def round_array(
    values: Floats, target: Format, mode: Rounding = Rounding.NEAREST_EVEN, seed: int | None = None
) -> Floats:
    """Every element as the number of `target` that it is rounded to; same shape and type.

    values  float32 or float64
    seed    of stochastic rounding, needed there: the same seed gives the same numbers

    NaN stays NaN. Results that the array's own type cannot hold become infinite in it.
    """
    _check(values, mode, seed)
    if isinstance(target, FixedFormat) and not target.saturate:
        return _wrapped(values, target, mode, seed)
    source = None if isinstance(target, PositFormat) else _source_of_values(values.dtype, target)
    if source is None:
        return _one_by_one(values, target, mode, seed)
    c = _values_row(target, mode, source)
    rounded = _run("values", values, target, source, c, mode, seed).view(source.floating)
    if isinstance(target, FloatFormat) and not target.signed:
        nan = float(target.decode(target.code_of_nan(False)))
        np.copyto(rounded, nan, where=_has_no_number(values, target))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(rounded, values.dtype)


def encode_array(
    values: Floats, target: Format, mode: Rounding = Rounding.NEAREST_EVEN, seed: int | None = None
) -> Codes:
    """The code of every element, in the smallest unsigned type that holds the format's bits.

    values  float32 or float64
    seed    of stochastic rounding, as in `round_array`
    """
    _check(values, mode, seed)
    if isinstance(target, FixedFormat):
        return _fixed_codes(values, target, mode, seed)
    source = _source_of_codes(values.dtype, target) if isinstance(target, FloatFormat) else None
    if source is None:
        return _encode_one_by_one(values, target, mode, seed)
    assert isinstance(target, FloatFormat)
    codes = _run("codes", values, target, source, _codes_row(target, mode, source), mode, seed)
    if not target.signed:
        np.copyto(
            codes, code_type(target).type(target.code_of_nan(False)), where=_has_no_number(values, target)
        )
    elif not target.has_nan and (unknown := np.isnan(values)).any():
        codes[unknown] = np.where(
            np.signbit(values[unknown]), target.code_of_nan(True), target.code_of_nan(False)
        )
    return np.asarray(codes)


def decode_array(codes: Codes, target: Format) -> NDArray[np.float64]:
    """The value of every code, as float64; NumberError for a format that float64 cannot hold exactly."""
    if not _fits_float64(target):
        raise NumberError(f"float64 cannot hold every number of {target.name}; decode codes one by one")
    integers = np.asarray(codes).astype(np.uint64)
    if integers.size and int(integers.max()) >> target.bits:
        raise NumberError(
            f"{target.name} has {target.bits} bits, and the code {int(integers.max())} has more"
        )
    if isinstance(target, FixedFormat):
        wide = integers.astype(np.int64)
        ordinals = np.where(wide > target.ordinals[1], wide - (1 << target.word), wide)
        return np.asarray(np.ldexp(ordinals.astype(np.float64), -target.places))
    if target.bits <= 16:
        return _table(target)[integers.astype(np.int64)]
    if isinstance(target, FloatFormat):
        return _assembled(integers, target)
    return np.array([float(target.decode(code)) for code in integers.reshape(-1).tolist()]).reshape(
        integers.shape
    )


def code_type(target: Format) -> np.dtype[Any]:
    """The smallest unsigned integer type for codes of this format."""
    return np.dtype(f"u{next(size for size in (1, 2, 4, 8) if 8 * size >= target.bits)}")


# ---- the fast way


def _run(
    result: str, values: Floats, target: Format, source: Source, c: Any, mode: Rounding, seed: int | None
) -> Any:
    """Codes, or the bits of values."""
    with np.errstate(invalid="ignore"):  # widening a signalling NaN, which is no fault
        bits = np.ascontiguousarray(values, source.floating).reshape(-1).view(source.integer)
    out = np.empty(bits.size, source.integer if result == "values" else code_type(target))
    integers, results = source.integer.str[1:], out.dtype.str[1:]
    signature = f"{integers}[::1], {results}[::1], {integers}[::1]"
    if mode is Rounding.STOCHASTIC:
        entry(LOOPS[result, "stochastic"], f"void({signature}, u8[::1])")(bits, out, c, stream(seed))
    else:
        way = "directed" if not mode.is_nearest else "leading" if is_leading(target, source) else "nearest"
        entry(LOOPS[result, way], f"void({signature})")(bits, out, c)
    return out.reshape(values.shape)


LOOPS = {
    ("values", "leading"): loops.leading_values,
    ("values", "nearest"): loops.nearest_values,
    ("values", "directed"): loops.directed_values,
    ("values", "stochastic"): loops.stochastic_values,
    ("codes", "leading"): loops.leading_codes,
    ("codes", "nearest"): loops.nearest_codes,
    ("codes", "directed"): loops.directed_codes,
    ("codes", "stochastic"): loops.stochastic_codes,
}


def stream(seed: int | None) -> NDArray[np.uint64]:
    """Where the random numbers of a seed start: neighbouring seeds lie far apart."""
    return np.random.SeedSequence(seed).generate_state(1, np.uint64).astype(np.uint64)


@lru_cache(FORMATS_KEPT)
def _values_row(target: Format, mode: Rounding, source: Source) -> NDArray[Any]:
    return constants.for_values(target, mode, source)


@lru_cache(FORMATS_KEPT)
def _codes_row(target: FloatFormat, mode: Rounding, source: Source) -> NDArray[Any]:
    return constants.for_codes(target, mode, source)


@lru_cache(FORMATS_KEPT)
def _source_of_values(dtype: np.dtype[Any], target: Format) -> Source | None:
    """The type to round in: the array's own, or a wider one in which the format's exponents are ordinary."""
    for source in (FLOAT32, FLOAT64):
        if source.floating.itemsize >= dtype.itemsize and _exponents_fit(target, source):
            return source
    return None


@lru_cache(FORMATS_KEPT)
def _source_of_codes(dtype: np.dtype[Any], target: FloatFormat) -> Source | None:
    for source in (FLOAT32, FLOAT64):
        fits = (
            target.fraction <= source.fraction and target.bits - target.signed < 8 * source.integer.itemsize
        )
        if fits and source.floating.itemsize >= dtype.itemsize and _exponents_fit(target, source):
            return source
    return None


def _exponents_fit(target: Format, source: Source) -> bool:
    _, smallest = constants.grid(target)
    if isinstance(target, FloatFormat) and target.lowest_exponent is Lowest.NORMAL:
        return smallest > source.smallest_exponent
    return smallest >= source.smallest_exponent


def _has_no_number(values: Floats, target: FloatFormat) -> NDArray[np.bool_]:
    """Which elements an unsigned format has nothing for: what is negative, and zero where there is none."""
    negative = np.signbit(values)
    return np.asarray(negative & (values != 0) if target.has_zero else negative | (values == 0))


# ---- fixed point


def _fixed_codes(values: Floats, target: FixedFormat, mode: Rounding, seed: int | None) -> Codes:
    if target.word > FLOAT64.fraction:
        return _encode_one_by_one(values, target, mode, seed)
    if target.word > FLOAT32.fraction or -target.lowest > FLOAT32.largest:
        values = values.astype(np.float64)  # has room for the largest number
    rounded = round_array(values, target, mode, seed).astype(np.float64)
    ordinals = np.ldexp(np.nan_to_num(rounded, nan=0.0), target.places).astype(np.int64)
    return np.asarray(ordinals & ((1 << target.word) - 1), code_type(target))


def _wrapped(values: Floats, target: FixedFormat, mode: Rounding, seed: int | None) -> Floats:
    """Rounded without a limit, then the low bits of the integer; what is infinite saturates."""
    source = _source_of_values(values.dtype, target)
    if source is None or target.word > FLOAT64.fraction:
        return _one_by_one(values, target, mode, seed)
    unlimited = _values_row(target, mode, source).copy()
    unlimited[constants.LIMITS] = source.bits(source.largest)
    rounded = _run("values", values, target, source, unlimited, mode, seed).view(source.floating)
    lowest, _ = target.ordinals
    integers = np.ldexp(rounded.astype(np.float64), target.places)
    with np.errstate(invalid="ignore"):
        wrapped = np.mod(integers - lowest, 2.0**target.word) + lowest
    result = np.ldexp(wrapped, -target.places)
    result = np.where(
        np.isinf(values), np.where(values > 0, float(target.largest), float(target.lowest)), result
    )
    return result.astype(values.dtype)


# ---- the exact way


def _one_by_one(values: Floats, target: Format, mode: Rounding, seed: int | None) -> Floats:
    random = np.random.default_rng(seed) if mode is Rounding.STOCHASTIC else None
    rounded = [_as_float(target.round(x, mode, random)) for x in values.reshape(-1).tolist()]
    with np.errstate(over="ignore"):
        return np.array(rounded, np.float64).astype(values.dtype).reshape(values.shape)


def _encode_one_by_one(values: Floats, target: Format, mode: Rounding, seed: int | None) -> Codes:
    random = np.random.default_rng(seed) if mode is Rounding.STOCHASTIC else None
    found = [target.encode(x, mode, random) for x in values.reshape(-1).tolist()]
    return np.array(found, code_type(target)).reshape(values.shape)


def _as_float(value: Fraction | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


# ---- decoding


def _fits_float64(target: Format) -> bool:
    if isinstance(target, PositFormat):
        return True
    fraction, smallest = constants.grid(target)
    if isinstance(target, FixedFormat):
        return target.word - target.signed <= FLOAT64.fraction + 1
    return (
        fraction <= FLOAT64.fraction
        and smallest - fraction >= FLOAT64.smallest_exponent - FLOAT64.fraction
        and target.largest <= FLOAT64.largest
    )


@lru_cache(TABLES_KEPT)
def _table(target: Format) -> NDArray[np.float64]:
    if isinstance(target, FloatFormat):
        table = _assembled(np.arange(1 << target.bits, dtype=np.uint64), target)
    else:
        table = np.array([float(target.decode(code)) for code in target.codes()])
    table.flags.writeable = False
    return table


def _assembled(codes: NDArray[np.uint64], target: FloatFormat) -> NDArray[np.float64]:
    magnitudes = (codes & np.uint64((1 << (target.bits - target.signed)) - 1)).astype(np.int64)
    fields, fractions = magnitudes >> target.fraction, magnitudes & ((1 << target.fraction) - 1)
    normal = (fields > 0) | (not target.has_zero)
    exponents = np.maximum(fields, int(target.has_zero)) - target.exponent_bias - target.fraction
    values = np.ldexp(
        (fractions + (normal.astype(np.int64) << target.fraction)).astype(np.float64), exponents
    )
    if target.lowest_exponent is Lowest.FLUSH:
        values[~normal] = 0.0
    values[magnitudes > target.largest_code] = math.nan
    if target.infinity_code is not None:
        values[magnitudes == target.infinity_code] = math.inf
    negative = (codes & np.uint64(target.sign_bit)) != 0
    values = np.where(negative, -values, values)
    if target.specials.name == "FNUZ":
        values[codes == target.sign_bit] = math.nan
    return np.asarray(values)


def _check(values: Floats, mode: Rounding, seed: int | None) -> None:
    if not isinstance(values, np.ndarray) or values.dtype not in (np.float32, np.float64):
        found = getattr(values, "dtype", type(values).__name__)
        raise NumberError(f"rounding takes float32 or float64 arrays, not {found}: convert it first")
    if mode is Rounding.STOCHASTIC and seed is None:
        raise NumberError("stochastic rounding needs a seed, so that it can be repeated: pass seed=")
