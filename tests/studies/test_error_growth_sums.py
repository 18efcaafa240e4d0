"""Sums, dots and their bounds: ten thousand runs, slopes beside theory, orders against numpy's own sums."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from engine.numbers import Algorithm, Arithmetic, NumberError, Rounding, bf16, fp8_e4m3fn, fp16, fp32, fp64
from engine.studies.error_growth import EXAMPLES, STUDY, ErrorGrowthSetup
from engine.studies.error_growth_order import MOST_THREADS, reorder
from engine.studies.error_growth_stagnation import predicted_stop, stagnate
from engine.studies.error_growth_sums import (
    POSITIVE,
    SIGNED,
    SumsFound,
    exact_products,
    exact_sums,
    measure_growth,
)

NEAREST, TOWARD_ZERO = Rounding.NEAREST_EVEN, Rounding.TOWARD_ZERO
PAIR = "a large pair that cancels"


@cache
def grown(mode: Rounding = NEAREST, data: Any = POSITIVE, target: Any = fp32, **more: Any) -> SumsFound:
    settings = {"operation": "sum", "longest": 12, "runs": 160, "seed": 1, **more}
    return measure_growth(Arithmetic(target, mode), data=data, **settings)


# ---- bounds and slopes


@pytest.mark.parametrize("operation", ["sum", "dot product"])
def test_bounds_are_never_violated(operation: Any) -> None:
    """Over ten thousand runs in all formats, orders and kinds of data; overflow is excluded."""
    runs = 0
    for target in (fp32, fp16, bf16, fp8_e4m3fn):
        for mode in (NEAREST, TOWARD_ZERO, Rounding.UP):
            for data in (POSITIVE, SIGNED, PAIR):
                found = grown(mode, data, target, operation=operation, longest=10, runs=16)
                assert found.violations == 0, (target, mode, data)
                runs += found.runs
    assert runs > 10_000


@pytest.mark.parametrize(
    ("mode", "name", "theory"),
    [
        (NEAREST, "naive", 0.5),
        (NEAREST, "stochastic", 0.5),
        (NEAREST, "pairwise", 0.0),
        (NEAREST, "Kahan", 0.0),
        (TOWARD_ZERO, "naive", 1.0),
        (TOWARD_ZERO, "pairwise", 1.0),
        (TOWARD_ZERO, "Kahan", 0.0),
    ],
)
def test_slopes_are_within_a_tenth_of_theory(mode: Rounding, name: str, theory: float) -> None:
    """Of log₂ n for pairwise sums toward zero; absolutely where theory says that errors do not grow."""
    growth = grown(mode).named(name)
    assert growth.of_log == (name == "pairwise" and mode is TOWARD_ZERO)
    assert growth.slope == pytest.approx(theory, rel=0.1, abs=0.0 if theory else 0.1)
    assert growth.theory == theory


def test_slopes_of_signed_sums() -> None:
    found = grown(data=SIGNED)
    assert found.named("naive").slope == pytest.approx(0.0, abs=0.1)
    assert found.named("Kahan").slope == pytest.approx(-0.5, abs=0.1)


def test_nothing_is_fitted_where_sums_stagnate() -> None:
    assert grown(target=bf16, runs=8).named("naive").slope is None


def test_kahan_is_defeated_by_large_terms_that_cancel_and_neumaier_is_not() -> None:
    found = grown(data=PAIR)
    kahan, neumaier = (found.named(name).quartiles()[1] for name in ("Kahan", "Neumaier"))
    assert (kahan > 100 * neumaier).all()


def test_pairwise_gains_nothing_where_n_is_tiny() -> None:
    found = grown(runs=200)
    naive, pairwise = (found.named(name).quartiles()[1] for name in ("naive", "pairwise"))
    assert pairwise[0] > 0.4 * naive[0]
    assert pairwise[-1] < 0.1 * naive[-1]


# ---- errors against exact rationals


@pytest.mark.parametrize("target", [fp64, fp32])
def test_errors_are_those_of_exact_rationals(target: Any) -> None:
    arithmetic = Arithmetic(target)
    x = arithmetic.round(np.random.default_rng(2).uniform(-1, 1, (4, 64)))
    y = arithmetic.round(np.random.default_rng(3).uniform(-1, 1, (4, 64)))
    high, low = exact_sums(*exact_products(x, y))
    for row in range(4):
        exact = sum(Fraction(a) * Fraction(b) for a, b in zip(x[row].tolist(), y[row].tolist(), strict=True))
        assert abs(Fraction(float(high[row])) + Fraction(float(low[row])) - exact) < Fraction(1, 2**90)


def test_fp64_sums_are_pythons() -> None:
    found = grown(target=fp64, runs=8)
    assert {growth.name for growth in found.growths} == {
        "naive",
        "pairwise",
        "blocked",
        "Kahan",
        "Neumaier",
        "exact",
    }
    assert found.checked is not None
    assert found.checked[0] == found.checked[1]


def test_overflow_is_counted_and_excluded() -> None:
    found = grown(target=fp8_e4m3fn, longest=12, runs=8)
    assert found.overflown > 0
    assert found.violations == 0


# ---- stagnation


@pytest.mark.parametrize(
    ("target", "term", "stop"),
    [(fp16, 1.0, 2048), (bf16, 1.0, 256), (fp16, 0.1, 256), (bf16, 0.1, 32), (fp8_e4m3fn, 1.0, 16)],
)
def test_sums_stop_where_the_scalar_types_do(target: Any, term: float, stop: float) -> None:
    kind = {fp16: np.float16, bf16: ml_dtypes.bfloat16, fp8_e4m3fn: ml_dtypes.float8_e4m3fn}[target]
    total = kind(0)
    for _ in range(20_000):
        total = kind(total + kind(term))
    found = stagnate(term, 20_000, target, NEAREST, 0)
    assert found.chosen.stopped == float(total) == stop
    assert found.chosen.predicted == stop


@pytest.mark.parametrize("mode", [NEAREST, TOWARD_ZERO])
def test_the_law_says_where_sums_stop(mode: Rounding) -> None:
    random = np.random.default_rng(4)
    for target in (bf16, fp8_e4m3fn):
        for term in [*(2.0 ** random.uniform(-3, 3, 12)).tolist(), 1.0, 2.0, 0.5]:
            rounded = float(target.round(term, mode))
            found = stagnate(term, 2000, target, mode, 0)
            assert found.chosen.stopped == predicted_stop(target, rounded, mode)


def test_remedies_do_not_stagnate() -> None:
    found = stagnate(1.0, 20_000, fp16, NEAREST, 0)
    assert found.remedies["Kahan"][0, -1] == found.remedies["pairwise"][0, -1] == 20_000
    assert found.remedies["stochastic"][:, -1].mean() == pytest.approx(20_000, rel=0.05)


def test_formats_that_cannot_hold_the_term_are_left_out() -> None:
    found = stagnate(1000.0, 100, fp16, NEAREST, 0)
    assert "fp8_e4m3fn" not in [each.format.name for each in found.all]
    with pytest.raises(NumberError, match="has no number near 1000"):
        stagnate(1000.0, 100, fp8_e4m3fn, NEAREST, 0)


# ---- orders


@pytest.mark.parametrize(("target", "kind"), [(fp16, np.float16), (fp32, np.float32), (fp64, np.float64)])
def test_threads_add_as_numpy_does(target: Any, kind: type) -> None:
    found = reorder(Arithmetic(target), POSITIVE, 500, 4, 3)
    values = np.random.default_rng(3).uniform(0, 1, (1, 500))[0].astype(kind)
    for threads in range(1, MOST_THREADS + 1):
        shares = [np.cumsum(share, dtype=kind)[-1] for share in np.array_split(values, threads)]
        assert found.in_order[threads - 1] == np.cumsum(np.array(shares), dtype=kind)[-1]
    exact = sum(map(Fraction, values.astype(float).tolist()))
    assert found.exact == exact
    assert found.others["exact"] == float(kind(float(exact)))
    assert found.others["smallest first"] == np.cumsum(np.sort(values), dtype=kind)[-1]


def test_the_number_of_threads_changes_the_last_bits() -> None:
    found = reorder(Arithmetic(fp32), POSITIVE, 10_000, 4, 0)
    assert found.different > 3
    assert len(set(found.arrivals[0].tolist())) == 1  # one thread's share arrives in one order only
    assert len(set(found.arrivals[MOST_THREADS - 1].tolist())) > 1
    off = (np.array(found.in_order) - float(found.exact)) / np.spacing(np.float32(float(found.exact)))
    assert found.in_ulps(found.in_order) == pytest.approx(off, abs=1e-6)


def test_exact_sums_do_not_depend_on_the_order() -> None:
    arithmetic = Arithmetic(fp32)
    values = arithmetic.round(np.random.default_rng(5).uniform(-1, 1, 1000))
    sums = {
        float(arithmetic.add_up(np.random.default_rng(s).permutation(values), Algorithm.EXACT))
        for s in range(20)
    }
    assert sums == {float(np.float32(math.fsum(values)))}


@pytest.mark.parametrize("experiment", ["Sums and dots", "Stagnation", "Order and threads"])
def test_a_format_beyond_float64_says_what_to_choose(experiment: Any) -> None:
    setup = ErrorGrowthSetup(experiment=experiment, format="fp64", rounding="toward zero")
    with pytest.raises(NumberError, match="fp64 to nearest even"):
        STUDY.run(setup)


@pytest.mark.parametrize("experiment", ["Sums and dots", "Stagnation", "Order and threads"])
def test_examples_pass_their_checks(experiment: str) -> None:
    for setup in EXAMPLES[experiment].values():
        result = STUDY.run(setup)
        checks = STUDY.check(result)
        assert checks
        assert all(check.passed for check in checks), [check for check in checks if not check.passed]
        assert len({len(column) for column in result.table().values()}) == 1
