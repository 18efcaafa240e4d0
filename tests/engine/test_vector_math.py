"""The vectorised functions against numpy's in twice the precision, and in float64 against mpmath."""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from numba import njit
from numba.core.errors import TypingError
from numpy.typing import NDArray

from engine.backends.cpu import vector_math
from engine.compiler import modules
from engine.primitives import TABLE

Floats = NDArray[Any]

# the largest error in ulp, as the docstrings promise it: of float32, of float64
BOUNDS = {
    "exp": (1.03, 1.0),
    "expm1": (1.6, 1.9),
    "log": (1.0, 1.3),
    "log1p": (1.6, 1.9),
    "tanh": (1.9, 2.1),
    "sigmoid": (1.7, 1.8),
    "erf": (1.3, 1.3),
    "sin": (2.0, math.inf),
    "cos": (2.0, math.inf),
}
FLOAT32 = {name: bounds[0] for name, bounds in BOUNDS.items()}
FLOAT64 = {name: bounds[1] for name, bounds in BOUNDS.items() if math.isfinite(bounds[1])}
POW = 1.2
WIDER: dict[str, Callable[[Floats], Floats]] = {
    "sigmoid": lambda x: np.exp(np.minimum(x, 0.0)) / (1.0 + np.exp(-np.abs(x))),
    "erf": lambda x: torch.erf(torch.from_numpy(x)).numpy(),
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "tanh", "sin", "cos")},
}
EXACT: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    **{name: getattr(mpmath, name) for name in ("exp", "expm1", "log", "log1p", "tanh", "erf")},
}
REMARKABLE = [
    *(
        0.0,
        1e-45,
        1.1754944e-38,
        1e-20,
        1e-5,
        0.34657359,
        0.35,
        0.5,
        0.55,
        0.70710678,
        0.95,
        1.0,
        1.41421356,
        1.5,
    ),
    *(2.0, 3.0, 9.01, 17.3, 19.06, 20.0, 87.3, 87.336548, 88.72, 88.722839, 88.7229, 103.9, 103.97208, 104.1),
    *(708.3, 709.78, 709.79, 745.1, 745.2, 8388607.5, 16777215.0, 16777216.0, 2.0**50, 2.0**76, 2.0**102),
    *(3.4028235e38, math.inf, math.nan),
]


@cache
def loop(name: str, operands: int = 1, fastmath: frozenset[str] = frozenset()) -> Callable[..., None]:
    """A compiled loop over one of the functions, as a generated kernel has it."""
    function = getattr(vector_math, name)
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": set(fastmath) or False}
    element = "f4" if name.endswith("float32") else "f8"
    signature = f"void({', '.join([f'{element}[::1]'] * (1 + operands))})"
    if operands == 2:

        @njit(signature, **options)
        def binary(out: Floats, a: Floats, b: Floats) -> None:
            for i in range(out.size):
                out[i] = function(a[i], b[i])

        return binary

    @njit(signature, **options)
    def unary(out: Floats, a: Floats) -> None:
        for i in range(out.size):
            out[i] = function(a[i])

    return unary


def applied(name: str, *operands: Floats, fastmath: frozenset[str] = frozenset()) -> Floats:
    out = np.empty_like(operands[0])
    loop(name, len(operands), fastmath)(out, *operands)
    return out


def remarkable(dtype: type) -> Floats:
    """Places where something changes, their neighbours, and all of it negated."""
    with np.errstate(all="ignore"):
        numbers = np.array(REMARKABLE).astype(dtype)
        beside = [np.nextafter(numbers, dtype(0)), np.nextafter(numbers, dtype(np.inf))]
    around = np.concatenate([numbers, *beside])
    return np.concatenate([around, -around])


def everywhere(step: int, phase: int = 0) -> Floats:
    """Every `step`-th float32 of all there are, NaNs too."""
    return np.arange(phase, 2**32, step, np.uint64).astype(np.uint32).view(np.float32)


def assert_close(found: Floats, expected: Floats, operands: tuple[Floats, ...], bound: float) -> None:
    """Within `bound` ulp of a float64 result; the same infinities, NaNs and signs of zero."""
    with np.errstate(all="ignore"):
        nearest = expected.astype(np.float32)
        ulp = np.ldexp(1.0, np.maximum(np.frexp(expected)[1] - 1, -126) - 23)
        errors = np.abs(found - expected) / ulp
    finite = np.isfinite(nearest)
    same = (found == nearest) | (np.isnan(found) & np.isnan(nearest))
    signs = np.isnan(found) | (np.signbit(found) == np.signbit(nearest))
    vanished = (
        (np.abs(expected) >= 2.0**-151) | (found == 0.0) | ~finite
    )  # a tenth of an ulp is 0, not an ulp
    bad = ~np.where(finite, errors <= bound, same) | ~signs | ~vanished
    at = int(np.argmax(bad))
    place = [float(operand[at]) for operand in operands]
    assert not bad.any(), f"at {place}: {found[at]!r}, not {expected[at]!r}; {errors[at]} ulp"


@pytest.mark.parametrize("name", FLOAT32)
def test_float32_functions_at_every_exponent(name: str) -> None:
    x = np.concatenate([everywhere(step=2039), remarkable(np.float32)])
    with np.errstate(all="ignore"):
        expected = WIDER[name](x.astype(np.float64))
    assert_close(applied(f"{name}_float32", x), expected, (x,), FLOAT32[name])


@pytest.mark.parametrize("name", FLOAT32)
def test_float32_functions_where_they_bend(name: str) -> None:
    x = np.linspace(-20.0, 20.0, 1_000_003).astype(np.float32)
    with np.errstate(all="ignore"):
        expected = WIDER[name](x.astype(np.float64))
    assert_close(applied(f"{name}_float32", x), expected, (x,), FLOAT32[name])


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "erf", "sin", "cos"])
def test_no_result_leaves_the_range_of_the_function(name: str) -> None:
    x = everywhere(step=2039, phase=7)
    found = applied(f"{name}_float32", x[np.isfinite(x)])
    assert np.abs(found).max() == 1.0
    assert found.min() >= (0.0 if name == "sigmoid" else -1.0)


@pytest.mark.parametrize("name", FLOAT64)
def test_float64_functions(name: str) -> None:
    random = np.random.default_rng(0)
    ranges = [random.uniform(-width, width, 1000) for width in (1.0, 3.0, 40.0, 750.0)]
    tiny = random.uniform(-1.0, 1.0, 1000) * 2.0 ** random.uniform(-60.0, 0.0, 1000)
    any_bits = random.integers(0, 2**64, 2000, np.uint64).view(np.float64)
    x = np.concatenate([remarkable(np.float64), any_bits, tiny, *ranges])
    found = applied(f"{name}_float64", x)
    with np.errstate(all="ignore"):
        by_c = WIDER[name](x)
    finite = np.isfinite(by_c)
    np.testing.assert_array_equal(found[~finite], by_c[~finite])
    for argument, result in zip(x[finite].tolist(), found[finite].tolist(), strict=True):
        with mpmath.workprec(120):
            expected = EXACT[name](mpmath.mpf(argument))
            _, exponent = mpmath.frexp(expected)
            ulp = mpmath.ldexp(1, max(int(exponent) - 1, -1022) - 52)
            error = abs(result - expected) / ulp
        vanished = abs(expected) >= mpmath.ldexp(1, -1076) or result == 0.0
        assert vanished, argument
        assert error <= FLOAT64[name], f"at {argument!r}: {result!r}, {float(error)} ulp"


@pytest.mark.parametrize("name", ["expm1", "log1p", "tanh", "erf"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_odd_at_zero(name: str, dtype: str) -> None:
    assert np.signbit(applied(f"{name}_{dtype}", np.array([-0.0, 0.0], dtype))).tolist() == [True, False]


def test_pow_over_all_its_results() -> None:
    random = np.random.default_rng(0)
    count = 300_000
    bases = [
        everywhere(step=2**32 // count),
        np.exp(random.uniform(-88.0, 88.0, count)),
        np.exp(random.uniform(-1.0, 1.0, count)),
        1.0 + random.uniform(-1.0, 1.0, count) * 2.0 ** random.uniform(-23.0, -3.0, count),
    ]
    for numbers in bases:
        x = np.asarray(numbers, np.float32)
        with np.errstate(all="ignore"):
            to_overflow = 105.0 / np.abs(np.log(np.abs(x.astype(np.float64))))
            y = (random.uniform(-1.0, 1.0, x.size) * to_overflow).astype(np.float32)
            expected = np.power(x.astype(np.float64), y.astype(np.float64))
        assert_close(applied("pow_float32", x, y), expected, (x, y), POW)


def test_pow_of_negative_numbers() -> None:
    random = np.random.default_rng(0)
    x = -np.exp(random.uniform(-3.0, 3.0, 100_000)).astype(np.float32)
    y = (random.integers(-20, 20, x.size) / random.choice([1, 2], x.size)).astype(np.float32)
    with np.errstate(all="ignore"):
        expected = np.power(x.astype(np.float64), y.astype(np.float64))
    assert_close(applied("pow_float32", x, y), expected, (x, y), POW)


def test_the_special_cases_of_pow() -> None:
    x, y = (grid.ravel() for grid in np.meshgrid(remarkable(np.float32), remarkable(np.float32)))
    with np.errstate(all="ignore"):
        expected = np.power(x.astype(np.float64), y.astype(np.float64))
    assert_close(applied("pow_float32", x, y), expected, (x, y), POW)


@pytest.mark.parametrize("name", sorted(vector_math.FUNCTIONS.values()))
def test_the_bits_depend_neither_on_the_kernel_nor_on_the_place_in_the_array(name: str) -> None:
    dtype = np.float32 if name.endswith("float32") else np.float64
    x = np.concatenate([np.random.default_rng(0).normal(0.0, 4.0, 2000).astype(dtype), remarkable(dtype)])
    operands = (x, x[::-1].copy()) if name.startswith("pow") else (x,)
    expected = applied(name, *operands)
    found = applied(name, *operands, fastmath=frozenset({"contract", "reassoc", "arcp"}))
    np.testing.assert_array_equal(found, expected)
    for length in range(40):
        parts = [np.ascontiguousarray(operand[3 : 3 + length]) for operand in operands]
        np.testing.assert_array_equal(applied(name, *parts), expected[3 : 3 + length])


def test_operands_of_another_type_are_refused() -> None:
    function = vector_math.exp_float32
    with pytest.raises(TypingError, match=r"exp takes float32, not float64"):
        njit("f4(f4)")(lambda x: function(2.0 * x))


def test_a_kernel_with_a_vector_function_comes_from_disk_the_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path))
    text = (
        "from numba import njit\n"
        "from engine.backends.cpu.vector_math import tanh_float32\n\n\n"
        '@njit("f4(f4)", nogil=True, error_model="numpy", cache=True)\n'
        "def kernel(x):\n    return tanh_float32(x)\n"
    )
    for hits in (0, 1):
        module = modules.load(text, "test")
        assert module.kernel(np.float32(0.5)) == np.float32(math.tanh(0.5))
        assert sum(module.kernel.stats.cache_hits.values()) == hits
        monkeypatch.delitem(modules.sys.modules, module.__name__)


def test_every_function_is_of_a_row_of_the_table() -> None:
    assert {name for name, _ in vector_math.FUNCTIONS} <= set(TABLE)
    assert all(hasattr(vector_math, function) for function in vector_math.FUNCTIONS.values())
