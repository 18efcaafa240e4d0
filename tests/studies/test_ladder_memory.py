"""Layouts, blocks and latencies against numpy, closed forms and made-up times. No timings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.measure import Cache, Machine, Run, Timing
from engine.measure.peaks import Peaks
from engine.studies import ladder_layout
from engine.studies.ladder import STUDY, LadderResult, run
from engine.studies.ladder_layout import COLUMNS_AT_RANDOM, FEATURES, LAYOUTS, ROWS, SIZES, arranged, drawn
from engine.studies.ladder_plans import plan
from engine.studies.ladder_setup import LadderSetup
from engine.studies.ladder_traffic import SIDE, sweep
from engine.studies.ladder_walks import CHAIN, latencies


def timed(series: str, at: float, nanoseconds: float) -> Timing:
    seconds = 1e-9 * nanoseconds
    return Timing(series, at, 1.0, "element", 0.0, seconds, (seconds,) * 3)


def made(timings: list[Timing]) -> Run:
    return Run("key", "m", "2026-01-02T03:04:05+00:00", 0.0, tuple(timings))


# ---- the same examples in four layouts


@given(count=some.integers(1, 70), seed=some.integers(0, 99))
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_visits_the_same_examples(name: str, count: int, seed: int) -> None:
    features, wanted = drawn(count, seed)
    found = arranged(name, count, seed)
    assert sorted(found.order) == list(range(count))
    example, feature = found.steps
    places = found.order[:, None] * example + np.arange(FEATURES) * feature
    assert np.array_equal(found.features[places], features)
    assert np.array_equal(found.wanted[found.order], wanted)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_descent_is_numpys_and_the_same_to_the_bit(name: str) -> None:
    count, seed = 200, 3
    features, wanted = drawn(count, seed)
    exact = np.zeros(FEATURES)
    for x, y in zip(features.astype(np.float64), wanted, strict=True):
        exact -= ladder_layout.RATE * (x @ exact - y) * x
    found, first = np.zeros(FEATURES, np.float32), np.zeros(FEATURES, np.float32)
    for weights, layout in ((found, name), (first, ROWS)):
        ladder_layout.epoch(arranged(layout, count, seed), weights, ladder_layout.kernel())()
    assert np.allclose(found, exact, rtol=1e-4, atol=1e-5)
    assert found.tobytes() == first.tobytes()


def test_the_study_holds_the_answer_against_torch_and_bit_by_bit() -> None:
    checks = STUDY.check(run(LadderSetup(experiment="Data layout", seed=5)))
    assert [check.oracle.startswith("torch") for check in checks] == [True, False, False, False]
    assert all(check.passed for check in checks)


def test_another_time_is_a_claim_once_it_is_measured() -> None:
    slow = [timed(ROWS, SIZES[-1], 10), timed(COLUMNS_AT_RANDOM, SIZES[-1], 35)]
    assert ladder_layout.slowdown(made(slow)) == pytest.approx(3.5)
    assert ladder_layout.slowdown(made(slow[:1])) is None


# ---- blocks


def test_blocks_fetch_what_the_law_says() -> None:
    """A memory for a few blocks fetches exactly 2n³/b + n², if no whole row of blocks stays in it."""
    for each in sweep(2048):
        assert each.law == pytest.approx(2 * SIDE**3 / each.block + SIDE**2)
        assert each.fits == (3 * each.block**2 <= 512)
    assert [each.fetched / each.law for each in sweep(2048) if each.block in (6, 9)] == [1, 1]
    whole = sweep(2048)[-1]
    assert whole.fetched > 10 * whole.law  # the matrix as one block does not fit, and nothing is saved


def test_a_memory_for_all_fetches_everything_once() -> None:
    assert {each.fetched for each in sweep(1 << 16)} == {3 * SIDE**2}


@pytest.mark.parametrize("size", [64, 256, 512, 1024, 2048, 4096, 8192])
def test_the_study_holds_blocks_against_the_law(size: int) -> None:
    checks = STUDY.check(run(LadderSetup(experiment="Block size", l1=size, side=64)))
    blocking = [check for check in checks if check.name.startswith("blocks of")]
    assert blocking
    assert all(check.passed for check in checks)


# ---- latencies and roofs


def test_latencies_are_those_of_the_sizes_that_fit() -> None:
    machine = Machine("p", 1, (Cache(1, 1 << 14, 8, 64), Cache(2, 1 << 18, 8, 64)))
    times = {12: 1.0, 13: 2.0, 14: 50.0, 15: 4.0, 16: 6.0, 17: 8.0, 18: 60.0, 19: 100.0, 20: 120.0}
    run = made([timed(CHAIN, 1 << power, nanoseconds) for power, nanoseconds in times.items()])
    assert latencies(run, machine) == pytest.approx({"L1": 1.5, "L2": 6.0, "memory": 110.0})
    assert latencies(made([]), machine) == {}


def roofline(gigas: float) -> LadderResult:
    """Roofs of 64 GFLOP/s and 8 GB/s of memory, and a tile of so many GFLOP/s at batch 1."""
    setup = LadderSetup(experiment="Batch")

    def rate(series: str, at: float, speed: float, note: str = "") -> Timing:
        return Timing(series, at, 1e9 * speed, "", 0.0, 0.0, (1.0, 1.0, 1.0), None, note)

    timings = (
        rate("multiply-adds", 1, 64),
        rate("stream", 1 << 14, 100, "L1"),
        rate("stream", 1 << 27, 8, "memory"),
    )
    found = Run(
        plan(setup).key, "m", "2026-01-02T03:04:05+00:00", 0.0, (*timings, rate("vector tile", 1, gigas))
    )
    return LadderResult(setup, found, Peaks.of(found), (), {}, None, {})


@pytest.mark.parametrize(("gigas", "passes"), [(1.0, True), (4.0, True), (6.0, False), (70.0, False)])
def test_nothing_is_faster_than_its_roof(gigas: float, passes: bool) -> None:
    """A matrix times a vector does half an operation a byte: 4 GFLOP/s at 8 GB/s, whatever the peak is."""
    (check,) = [each for each in STUDY.check(roofline(gigas)) if "roof" in each.name]
    assert check.found == pytest.approx(gigas / 4, rel=1e-2)
    assert check.passed is passes
