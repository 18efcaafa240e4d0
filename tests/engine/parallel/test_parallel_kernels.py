"""Kernels on threads against numpy, schedules against counting, laws against fractions. No timings."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

from engine.parallel import laws
from engine.parallel.problems import NAMES, KernelName, compiled, expected, problem
from engine.parallel.schedules import SCHEDULES, Schedule, chunk_length, imbalance, shares
from engine.parallel.team import Team, prange_threads
from engine.parallel.workers import Workers

SIZE = 33 * 33


def off(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.abs(found - exact).max() / np.abs(exact).max())


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_kernels_agree_with_numpy_however_they_are_split(name: KernelName, fast: bool) -> None:
    for threads, schedule, grown in ((1, "static", 1), (2, "static", 2), (3, "cyclic", 1), (4, "dynamic", 1)):
        task = problem(name, SIZE, seed=threads, grown=grown)
        for cut in (0, task.units // 3):
            team = Team(compiled(name, fast), task, threads, schedule, cut)
            team()
            team()  # again: nothing is left of the time before
            assert off(task.combine(), expected(task)) < 1e-5


@pytest.mark.parametrize("fast", [True, False])
def test_atomic_updates_of_shared_bins_lose_nothing(fast: bool) -> None:
    task = problem("histogram", 4096, bins="atomic")
    Team(compiled("histogram", fast, "atomic"), task, 4, "dynamic")()
    assert np.array_equal(task.combine(), expected(task))


def test_numbas_parallel_loop_does_the_same() -> None:
    if prange_threads() < 2:
        pytest.skip("no TBB, or one core")
    task = problem("reduce", SIZE, seed=5)
    Team(compiled("reduce", True), task, 2, start="prange")()
    assert off(task.combine(), expected(task)) < 1e-5
    with pytest.raises(ValueError, match="threads here, not"):
        Team(compiled("reduce", True), task, prange_threads() + 1, start="prange")


def test_a_kernels_numbers_are_counted() -> None:
    matmul, half = problem("matmul", 64 * 64), problem("triangular", 64 * 64)
    assert matmul.amount == 2 * 64**3
    assert half.costs.sum() == 64 * 65 / 2
    assert problem("zip", 1000).bytes == 12_000
    assert problem("map", 1000, grown=3).units == 3000


# ---- who does what


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("units", "threads"), [(1, 4), (7, 3), (240, 4), (1000, 7)])
def test_every_turn_is_done_once(schedule: Schedule, units: int, threads: int) -> None:
    assert sum(shares(np.ones(units), threads, schedule)) == units


def test_dealing_evens_out_what_grows() -> None:
    """Rows 1 to n: of two halves, the second has 3n² + n of n² + n in all halves."""
    costs = np.arange(1, 1025, dtype=np.float64)
    second = 512 * 512 + costs[:512].sum()
    assert imbalance(costs, 2, "static") == pytest.approx(second / (costs.sum() / 2))
    assert imbalance(costs, 2, "cyclic") < 1.07
    assert imbalance(costs, 2, "dynamic") < 1.07
    assert imbalance(np.ones(1024), 4, "static") == 1


def test_there_are_chunks_for_everybody() -> None:
    assert chunk_length(1000, 4) == 31
    assert chunk_length(3, 4) == 1


# ---- laws


@pytest.mark.parametrize("threads", [2, 3, 8, 100])
@pytest.mark.parametrize("serial", [Fraction(0), Fraction(1, 10), Fraction(1, 3), Fraction(1)])
def test_laws_are_ratios_of_times(threads: int, serial: Fraction) -> None:
    """Amdahl: a whole over its serial part and a share of the rest; Gustafson: a grown whole over one."""
    assert laws.amdahl(threads, float(serial)) == pytest.approx(float(1 / (serial + (1 - serial) / threads)))
    assert laws.gustafson(threads, float(serial)) == pytest.approx(float(serial + (1 - serial) * threads))
    if serial:
        assert laws.amdahl(1e12, float(serial)) == pytest.approx(float(1 / serial))


@pytest.mark.parametrize("serial", [0.0, 0.07, 0.5, 1.0])
def test_a_fit_finds_the_share_again(serial: float) -> None:
    points = (2, 3, 4)
    assert laws.fitted_amdahl({p: laws.amdahl(p, serial) for p in points}) == pytest.approx(serial)
    assert laws.fitted_gustafson({p: laws.gustafson(p, serial) for p in points}) == pytest.approx(serial)


def test_a_fit_stays_a_share() -> None:
    assert laws.fitted_amdahl({2: 2.3}) == 0
    assert laws.fitted_amdahl({2: 0.6}) == 1
    with pytest.raises(ValueError, match="more than one thread"):
        laws.fitted_amdahl({1: 1.0})


def test_at_break_even_threads_are_as_fast() -> None:
    for threads in (2, 4, 16):
        seconds = laws.break_even(20e-6, threads)
        assert laws.with_launch(seconds, 20e-6, threads) == pytest.approx(1)
    assert laws.break_even(20e-6, 2) == pytest.approx(40e-6)


# ---- threads


def test_workers_hand_on_what_went_wrong_and_go_on() -> None:
    workers, done = Workers(3), []

    def fails() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        workers.run([lambda: done.append(1), fails, lambda: done.append(2)])
    workers.run([lambda place=place: done.append(place) for place in (3, 4, 5)])
    assert sorted(done) == [1, 2, 3, 4, 5]


def test_eight_visitors_at_once_run_parallel_kernels() -> None:
    """Through both ways to start threads: what numba's own thread pool aborts the process over."""
    starts = ("threads", "prange") if prange_threads() > 1 else ("threads",)

    def visit(seed: int) -> float:
        task = problem("reduce", 1 << 14, seed)
        worst = 0.0
        for turn in range(40):
            team = Team(
                compiled("reduce", True), task, 2, SCHEDULES[turn % 3], start=starts[turn % len(starts)]
            )
            for _ in range(10):
                team()
                worst = max(worst, off(task.combine(), expected(task)))
        return worst

    with ThreadPoolExecutor(8) as visitors:
        assert max(visitors.map(visit, range(8))) < 1e-5


def test_threads_end_when_nobody_needs_them() -> None:
    before = threading.active_count()
    workers = Workers(3)
    workers.run([lambda: None] * 3)
    assert threading.active_count() == before + 3
    waiting = [thread for thread in threading.enumerate() if thread.daemon][-3:]
    del workers
    for thread in waiting:
        thread.join(10)
    assert threading.active_count() == before
