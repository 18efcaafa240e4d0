"""Rounding of whole arrays to the nearest number, bit by bit against ml_dtypes and numpy.

UNROLL_ROUNDINGS=50000000 raises the number of random patterns.
"""

import threading
from dataclasses import replace
from itertools import product

import ml_dtypes
import numpy as np
import pytest
import torch

from engine.numbers import named
from engine.numbers.arrays import decode_array, encode_array, round_array
from engine.numbers.exact import NumberError
from engine.numbers.floating import FloatFormat, Specials
from tests.engine.numbers.oracles import (
    FP8,
    ORACLES,
    RANDOM_PATTERNS,
    boundary_patterns,
    decoded,
    encoded,
    random_patterns,
    same,
    widened,
)

CHUNK = 1_000_000


def assert_equal_codes(values: np.ndarray, target: FloatFormat) -> None:
    found, expected = encode_array(values, target), encoded(values, target)
    different = found != expected
    if target is named.fp16:  # numpy keeps the payload of NaN; ours is the one quiet NaN
        different &= ~np.isnan(values)
    if target is named.fp8_e8m0:  # see test_what_ml_dtypes_does_with_the_smallest_scales
        different &= ~((values > 2.0**-127) & (values < 1.5 * 2.0**-127))
    assert not different.any(), (values[different][:5], found[different][:5], expected[different][:5])


@pytest.mark.parametrize("target", ORACLES, ids=lambda target: target.name)
def test_every_exponent_with_boundary_fractions(target: FloatFormat) -> None:
    assert_equal_codes(boundary_patterns(), target)


@pytest.mark.parametrize("target", ORACLES, ids=lambda target: target.name)
def test_random_patterns(target: FloatFormat) -> None:
    for seed, start in enumerate(range(0, RANDOM_PATTERNS, CHUNK)):
        assert_equal_codes(random_patterns(min(CHUNK, RANDOM_PATTERNS - start), seed), target)


@pytest.mark.parametrize("target", ORACLES, ids=lambda target: target.name)
def test_numbers_and_the_middles_between_them(target: FloatFormat) -> None:
    """From float64, which has room for the middles and for what lies just beside them."""
    numbers = np.unique(decoded(target)[np.isfinite(decoded(target))])
    middles = (numbers[1:] + numbers[:-1]) / 2
    values = np.concatenate([numbers, middles, np.nextafter(middles, np.inf), np.nextafter(middles, -np.inf)])
    expected = np.array([target.encode(x) for x in values[:2000].tolist()])
    assert (encode_array(values, target)[:2000] == expected).all()
    below, above = numbers[:-1], numbers[1:]
    rounded = round_array(values, target)
    count = len(numbers), len(middles)
    assert same(rounded[: count[0]] + 0.0, numbers + 0.0)
    assert (rounded[sum(count) : sum(count) + count[1]] == above).all()
    assert (rounded[sum(count) + count[1] :] == below).all()


@pytest.mark.parametrize("target", ORACLES, ids=lambda target: target.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_are_what_the_codes_mean(target: FloatFormat, dtype: type) -> None:
    values = widened(boundary_patterns()[::7]) if dtype is np.float64 else boundary_patterns()[::7]
    with np.errstate(invalid="ignore"):
        by_codes = decode_array(encode_array(values, target), target)
    if not target.has_nan:
        by_codes[np.isnan(values)] = np.nan  # no code stands for it, and the value must not hide it
    found = round_array(values, target)
    assert found.dtype == dtype
    assert same(widened(found), by_codes)


@pytest.mark.parametrize("target", ORACLES, ids=lambda target: target.name)
def test_decoding_of_all_codes(target: FloatFormat) -> None:
    assert same(decode_array(np.arange(1 << target.bits), target), decoded(target))


def test_wide_formats_are_decoded_and_encoded() -> None:
    patterns = random_patterns(20_000, 1)
    assert same(decode_array(patterns.view(np.uint32), named.fp32), widened(patterns))
    finite = patterns[~np.isnan(patterns)]
    assert (encode_array(finite, named.fp32) == finite.view(np.uint32)).all()
    doubles = np.random.default_rng(2).integers(0, 1 << 64, 20_000, dtype=np.uint64).view(np.float64)
    doubles = doubles[~np.isnan(doubles)]
    assert same(decode_array(doubles.view(np.uint64), named.fp64), doubles)
    assert (encode_array(doubles, named.fp64) == doubles.view(np.uint64)).all()
    with np.errstate(over="ignore"):
        single = doubles.astype(np.float32)
    assert (encode_array(doubles, named.fp32) == single.view(np.uint32)).all()


def test_what_ml_dtypes_does_with_the_smallest_scales() -> None:
    """ml_dtypes 0.6.0 rounds everything above 2^-127 up to 2^-126; nearest is 2^-127 for the lower half."""
    values = np.array([1.0, 1.1, 1.4, 1.6, 2.0]) * 2.0**-127
    assert encoded(values, named.fp8_e8m0).tolist() == [0, 1, 1, 1, 1]
    assert encode_array(values, named.fp8_e8m0).tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(("target", "operation"), list(product(FP8, ("add", "multiply"))))
def test_sums_and_products_of_all_pairs(target: FloatFormat, operation: str) -> None:
    """65,536 pairs; float64 holds each exact result, so ours is rounded once."""
    operands = np.arange(256, dtype=np.uint8).view(ORACLES[target])
    function = getattr(np, operation)
    with np.errstate(all="ignore"):
        expected = function(operands[:, None], operands[None, :])
        numbers = decoded(target)
        exact = function(numbers[:, None], numbers[None, :])
        expected_values = expected.astype(np.float64)
    assert same(round_array(exact, target), expected_values)


TORCH = {
    named.fp16: torch.float16,
    named.bf16: torch.bfloat16,
    named.fp8_e5m2: torch.float8_e5m2,
    named.fp8_e5m2fnuz: torch.float8_e5m2fnuz,
    named.fp8_e4m3fn: torch.float8_e4m3fn,
    named.fp8_e4m3fnuz: torch.float8_e4m3fnuz,
}


@pytest.mark.parametrize("target", TORCH, ids=lambda target: target.name)
def test_torch_agrees_where_a_number_is_in_range(target: FloatFormat) -> None:
    values = boundary_patterns()
    values = values[np.abs(values) <= float(target.largest)]
    theirs = torch.from_numpy(values).to(TORCH[target]).to(torch.float64).numpy()
    assert same(round_array(values, target).astype(np.float64), theirs)


@pytest.mark.parametrize("target", TORCH, ids=lambda target: target.name)
def test_torch_beyond_the_range(target: FloatFormat) -> None:
    """torch 2.13.0 on a CPU saturates e4m3fn, infinity too (pytorch #178817), and gives what ml_dtypes gives
    in the other formats."""
    with np.errstate(over="ignore"):
        values = (np.array([1.01, 1.05, 2.0, 1e6, np.inf, -np.inf]) * float(target.largest)).astype(
            np.float32
        )
    theirs = torch.from_numpy(values).to(TORCH[target]).to(torch.float32).numpy()
    like_torch = replace(target, saturate=target is named.fp8_e4m3fn)
    assert same(round_array(values, like_torch), theirs)


def test_saturation() -> None:
    saturating = FloatFormat("", 4, 3, specials=Specials.FN, saturate=True)
    values = np.array([464, 465, 1e30, np.inf, -np.inf, np.nan], np.float32)
    assert same(round_array(values, saturating), np.array([448, 448, 448, 448, -448, np.nan], np.float32))
    clipped = np.clip(values, -448, 448).astype(ml_dtypes.float8_e4m3fn).view(np.uint8)
    assert (encode_array(values, saturating) == clipped).all()


def test_any_shape_and_layout() -> None:
    values = np.random.default_rng(0).normal(size=(6, 5, 4))
    turned = values.transpose(2, 0, 1)[::-1]
    expected = turned.astype(np.float16).astype(np.float64)
    assert (round_array(turned, named.fp16) == expected).all()
    assert round_array(np.zeros((0, 3)), named.fp16).shape == (0, 3)
    assert round_array(np.array(0.1), named.fp16) == np.float16(0.1)


def test_other_types_are_refused() -> None:
    with pytest.raises(NumberError, match="int64"):
        round_array(np.arange(3), named.fp16)
    with pytest.raises(NumberError, match="list"):
        encode_array([1.0], named.fp16)
    with pytest.raises(NumberError, match="more"):
        decode_array(np.array([16]), named.fp4_e2m1)


def test_any_number_of_threads_at_once() -> None:
    values = random_patterns(50_000, 9)
    targets = list(ORACLES)
    failures = []

    def work(start: int) -> None:
        for target in targets[start:] + targets[:start]:
            try:
                assert_equal_codes(values, target)
            except AssertionError as error:  # a thread's own failure would go unnoticed
                failures.append(error)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
