"""Compressed rows against scipy and numpy; where both products are equally fast, from made-up times."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from engine.measure import Run, Timing
from engine.studies.ladder import STUDY, run
from engine.studies.ladder_kernels import TILE
from engine.studies.ladder_setup import LadderSetup
from engine.studies.ladder_sparse import (
    CSR,
    DENSITIES,
    Csr,
    measured_crossing,
    operands,
    predicted_crossing,
    product,
    sparse_works,
)

SIDE = 64


@pytest.mark.parametrize("density", [0.0, *DENSITIES])
@pytest.mark.parametrize("side", [1, 7, 64])
def test_compressed_rows_and_their_product_are_scipys(side: int, density: float) -> None:
    dense, b = operands(side, density, seed=side)
    own, theirs = Csr.of(dense), csr_array(dense)
    assert np.array_equal(own.starts, theirs.indptr)
    assert np.array_equal(own.columns, theirs.indices)
    assert np.array_equal(own.values, theirs.data)
    exact = theirs.astype(np.float64) @ b.astype(np.float64)
    assert np.allclose(product(own, b), exact, rtol=1e-5, atol=1e-5)


def test_empty_rows_and_shapes_that_are_not_square() -> None:
    dense = np.zeros((5, 3), np.float32)
    dense[1, 2], dense[4, 0] = 2.0, -1.0
    b = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert Csr.of(dense).starts.tolist() == [0, 0, 1, 1, 1, 2]
    assert np.array_equal(product(Csr.of(dense), b), dense @ b)


def test_as_many_numbers_are_kept_as_the_density_says() -> None:
    for density in DENSITIES:
        dense, _ = operands(SIDE, density, seed=0)
        assert np.count_nonzero(dense) == round(density * SIDE * SIDE)
    assert not np.array_equal(operands(SIDE, 0.1, 0)[0], operands(SIDE, 0.1, 1)[0])


def test_work_is_that_of_the_numbers_kept() -> None:
    works = sparse_works(SIDE, seed=0)
    assert [work.series for work in works] == [CSR, TILE] * len(DENSITIES)
    for work in works:
        share = work.at if work.series == CSR else 1.0
        assert work.amount == 2 * round(share * SIDE * SIDE) * SIDE


def made_up(rate: float, dense_rate: float) -> Run:
    """Both at one rate, in GFLOP/s."""
    timings = []
    for work in sparse_works(SIDE, seed=0):
        seconds = 1e-9 * work.amount / (rate if work.series == CSR else dense_rate)
        timings.append(Timing(work.series, work.at, work.amount, "flop", 0.0, 0.0, (seconds,) * 3))
    return Run("sparse", "m", "2026-01-02T03:04:05+00:00", None, tuple(timings))


@pytest.mark.parametrize("share", [0.011, 0.1, 0.3, 0.9])
def test_they_are_equal_where_the_rates_say(share: float) -> None:
    found = made_up(100 * share, 100)
    assert predicted_crossing(found) == pytest.approx(share)
    assert measured_crossing(found) == pytest.approx(share, rel=0.01)  # numbers kept are whole


def test_no_crossing_is_made_up() -> None:
    assert measured_crossing(made_up(1000, 100)) is None  # compressed rows win everywhere
    assert measured_crossing(made_up(0.1, 100)) is None
    assert predicted_crossing(Run("empty", "m", "", None, ())) is None


def test_the_page_checks_against_scipy() -> None:
    checks = STUDY.check(run(LadderSetup(experiment="Sparse")))
    assert len(checks) == 2 * len(DENSITIES)
    assert all(check.passed for check in checks)
    assert all(check.oracle.startswith("scipy ") for check in checks)
