"""Parallel speed-ups: plans, made-up measurements whose speed-ups are known, checks. No timings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.measure import Plan, Run, Service, Spread, Store, Timing, Work, service, this_machine
from engine.parallel import laws
from engine.studies import speedups, speedups_plans
from engine.studies.speedups import EXAMPLES, STUDY, program, run
from engine.studies.speedups_plans import (
    ALONE,
    GROWN,
    GROWN_ALONE,
    PRANGE,
    REGISTERS,
    SAME,
    STREAM,
    TOGETHER,
    Count,
    line_start,
    plan,
    tried_threads,
    works,
)  # fmt: skip
from engine.studies.speedups_scaling import Crossing, Scaling, crossing, ratio
from engine.studies.speedups_setup import SpeedupsSetup
from engine.studies.study import Check

ALL = [(experiment, name) for experiment, examples in EXAMPLES.items() for name in examples]
QUIET = [(experiment, name) for experiment, name in ALL if experiment not in ("Loops found", "SIMD")]


@pytest.fixture(autouse=True)
def _nothing_measured_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_MEASURED", str(tmp_path))
    service.cache_clear()


def made_up(setup: SpeedupsSetup, seconds: Callable[[Work], float], launch: float = 0.0) -> Run:
    """A stored run in which every call of a piece of work took so long."""
    chosen = plan(setup)
    timings = tuple(
        Timing(
            work.series, work.at, work.amount, work.unit, 0.1, 0.01, (seconds(work),) * 3,
            None if work.empty is None else launch, work.note,
        )
        for work in chosen.works()
    )  # fmt: skip
    found = Run(chosen.key, "m", "2026-01-02T03:04:05+00:00", 0.0, timings)
    service().store.keep(found)
    return found


# ---- plans


@pytest.mark.parametrize(("experiment", "name"), ALL)
def test_every_plan_names_what_it_measures_once(experiment: str, name: str) -> None:
    made = works(EXAMPLES[experiment][name])
    places = [(work.series, work.at) for work in made]
    assert len(set(places)) == len(places)
    assert all(work.amount > 0 for work in made)


def test_the_same_measurement_has_the_same_key() -> None:
    base = SpeedupsSetup()
    for irrelevant in (
        {"order": "AB"},
        {"at": 3},
        {"measure": True},
        {"counting": "atomic"},
        {"spacing": 64},
    ):
        assert plan(base).key == plan(base.model_copy(update=irrelevant)).key
    for relevant in ({"size": 1024}, {"kernel": "zip"}, {"fast": False}, {"serial": 0.5}, {"seed": 1}):
        assert plan(base).key != plan(base.model_copy(update=relevant)).key
    shared, atomic = (SpeedupsSetup(kernel="histogram", counting=bins) for bins in ("shared", "atomic"))
    assert plan(shared).key != plan(atomic).key
    assert len({plan(SpeedupsSetup(experiment=experiment)).key for experiment in EXAMPLES}) == len(EXAMPLES)


def test_threads_are_tried_up_to_the_most() -> None:
    assert tried_threads(SpeedupsSetup(threads=4)) == (2, 3, 4)
    assert tried_threads(SpeedupsSetup(threads=5)) == (2, 3, 4, 5)
    notes = {work.at: work.note for work in works(SpeedupsSetup(threads=16)) if work.series == SAME}
    assert all(
        (note == "more threads than cores") == (at > this_machine().cores) for at, note in notes.items()
    )


def test_too_large_a_product_says_so() -> None:
    with pytest.raises(ValueError, match="at most 262,144 elements"):
        run(SpeedupsSetup(kernel="matmul", size=1 << 20))


@pytest.mark.parametrize(("experiment", "name"), QUIET)
def test_nothing_is_measured_unless_it_is_asked_for(experiment: str, name: str) -> None:
    result = run(EXAMPLES[experiment][name])
    assert result.run is None
    assert service()._thread is None
    assert len({len(column) for column in result.table().values()}) == 1
    assert result.summary()["cores"] == this_machine().cores


def test_an_order_of_steps_that_cannot_be_says_so() -> None:
    with pytest.raises(ValueError, match="thread A has finished"):
        run(SpeedupsSetup(experiment="Race", order="AAAA"))


# ---- what made-up measurements say


@pytest.mark.parametrize("serial", [0.0, 0.25])
def test_laws_are_fitted_on_two_threads_and_foretell_the_others(serial: float) -> None:
    """Times as Amdahl and Gustafson would have them: the fit finds the share, and nothing is left over."""
    setup = SpeedupsSetup(threads=8, serial=serial)

    def seconds(work: Work) -> float:
        grown = serial + (1 - serial) * work.at
        times = {
            SAME: serial + (1 - serial) / work.at,
            PRANGE: serial + (1 - serial) / work.at,
            GROWN_ALONE: grown,
            GROWN: 1.0,
            STREAM: 1e-6,
            REGISTERS: 1.0,
        }
        return times.get(work.series, 1.0)

    scaling = Scaling(setup, made_up(setup, seconds), cores=8)
    assert scaling.amdahl == pytest.approx(serial)
    assert scaling.gustafson == pytest.approx(serial)
    for threads, found in scaling.same.items():
        assert found.median == pytest.approx(laws.amdahl(threads, serial))
    for threads, found in scaling.grown.items():
        assert found.median == pytest.approx(laws.gustafson(threads, serial))
    assert all(abs(ledger.rest) < 1e-5 for ledger in scaling.ledgers)


def test_where_the_time_goes_adds_up() -> None:
    """1 s on one thread, 0.9 s on each number of two and more, a launch of 0.1 s, memory of no effect."""
    setup = SpeedupsSetup(threads=4)

    def seconds(work: Work) -> float:
        if work.series == REGISTERS:  # two cores, and nobody else on them
            return 1.0 if work.at == 1 else 0.1 + work.at / 2
        return {ALONE: 1.0, STREAM: 1e-6}.get(work.series, 0.9)

    found = made_up(setup, seconds, launch=0.1)
    two, three, four = Scaling(setup, found, cores=2).ledgers
    assert [each.ideal for each in (two, three, four)] == pytest.approx([1 / 2, 1 / 3, 1 / 4])
    assert [each.cores for each in (two, three, four)] == pytest.approx([0, 1 / 6, 1 / 4])
    assert [each.launch for each in (two, three, four)] == [0.1] * 3
    assert [each.rest for each in (two, three, four)] == pytest.approx([0.3] * 3)


def test_uneven_rows_are_told_from_the_schedule() -> None:
    """Of 256 rows of a triangle, the second half is 3/4 of the products: half again the mean."""
    setup = SpeedupsSetup(kernel="triangular", size=1 << 16, threads=2)
    found = made_up(setup, lambda work: {STREAM: 1e-6, SAME: 0.75}.get(work.series, 1.0))
    (ledger,) = Scaling(setup, found, cores=2).ledgers
    assert ledger.imbalance == pytest.approx(0.25, rel=0.01)
    assert ledger.rest == pytest.approx(0, abs=0.01)
    dealt = setup.model_copy(update={"schedule": "cyclic"})
    (ledger,) = Scaling(dealt, replace(found, key=plan(dealt).key), cores=2).ledgers
    assert ledger.imbalance < 0.04


def test_memory_that_is_no_faster_for_two_is_a_roof() -> None:
    setup = SpeedupsSetup(kernel="zip", size=1 << 20, threads=2)
    found = made_up(setup, lambda _: 1.0)  # the stream, too, takes as long on two threads as on one
    (ledger,) = Scaling(setup, found, cores=2).ledgers
    assert ledger.memory == pytest.approx(0.5)
    assert ledger.rest == pytest.approx(0)


def test_quartiles_of_a_speedup_are_the_worst_of_both() -> None:
    assert ratio(Spread(2.0, 1.0, 3.0), Spread(1.0, 0.5, 2.0)) == Spread(2.0, 0.5, 6.0)


def test_threads_pay_from_where_they_save_more_than_the_launch() -> None:
    """1 ns an element, 10 µs a launch, 2 threads: as fast at 20,000 elements, so from 65,536 of the sweep."""
    setup = SpeedupsSetup(experiment="Sizes", threads=2)

    def seconds(work: Work) -> float:
        return 1e-9 * work.at if work.series == ALONE else 1e-5 + 1e-9 * work.at / 2

    found = crossing(made_up(setup, seconds, launch=1e-5), SAME, 2)
    assert isinstance(found, Crossing)
    assert found.predicted == pytest.approx(20_000)
    assert found.measured == 1 << 16
    for size, speedup in found.speedups.items():
        assert found.expected(size, 2) == pytest.approx(speedup.median)
    checks = {check.name: check for check in STUDY.check(run(setup))}
    assert checks[f"{SAME}, 256 elements, measured: at most"].passed


def test_what_was_not_measured_is_none() -> None:
    empty = Run("", "m", "2026-01-02T03:04:05+00:00", None, ())
    scaling = Scaling(SpeedupsSetup(), empty, 2)
    assert (scaling.amdahl, scaling.gustafson, scaling.ledgers) == (None, None, ())
    assert crossing(empty, SAME, 2) is None


def test_the_cache_line_is_read_off_the_step() -> None:
    setup = SpeedupsSetup(experiment="False sharing")
    made_up(setup, lambda work: 3.0 if work.series == TOGETHER and work.at < 64 else 1.0)
    (check,) = STUDY.check(run(setup))
    assert (check.found, check.passed) == (64, True)
    made_up(setup, lambda work: 1.0 + work.at / 256)  # slower and slower: nothing to read off
    (check,) = STUDY.check(run(setup))
    assert not check.passed


# ---- checks


@pytest.mark.parametrize(("experiment", "name"), [(e, n) for e, n in QUIET if e in ("Race", "False sharing")])
def test_checks_pass(experiment: str, name: str) -> None:
    assert all(check.passed for check in STUDY.check(run(EXAMPLES[experiment][name])))


def test_a_speedup_above_amdahls_is_noticed() -> None:
    setup = SpeedupsSetup(serial=0.5, threads=2)
    made_up(setup, lambda work: 1.0 if work.series == ALONE else 0.5)  # twice as fast; the law allows 4/3
    failed = [check for check in STUDY.check(run(setup)) if not check.passed]
    assert [isinstance(check, Check) and check.expected for check in failed] == [pytest.approx(4 / 3)]


def test_the_picture_has_no_more_bins_than_updates() -> None:
    setup = SpeedupsSetup(experiment="Race", updates=2, cells=256)
    assert program(setup).data == (0, 1, 2, 3)
    assert program(setup.model_copy(update={"cells": 2})).data == (0, 1, 0, 1)


# ---- measuring for real, without looking at a clock


def test_real_runs_are_counted_and_stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(speedups_plans, "TRIALS", 5)
    setup = SpeedupsSetup(experiment="Race", cells=4, measure=True)
    result = run(setup)
    assert result.run is not None
    assert result.run.complete
    assert len(result.lost("shared")) == 5
    assert all(0 <= share < 1 for share in result.lost("shared"))
    assert result.lost("atomic") == result.lost("private") == (0.0,) * 5
    assert all(check.passed for check in STUDY.check(result))
    again = Store(tmp_path, this_machine()).last(plan(setup).key)
    assert again is not None
    assert again.curves == result.run.curves


def test_a_small_scaling_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speedups, "service", service)
    result = run(SpeedupsSetup(size=256, threads=3, measure=True))
    assert result.scaling is not None
    assert set(result.scaling.same) == {2, 3}
    assert set(result.scaling.grown) == {2}
    assert all(ledger.launch > 0 for ledger in result.scaling.ledgers)


def test_a_race_that_nobody_waits_for_is_given_up(tmp_path: Path) -> None:
    """As when its tab is closed: nobody renews the request."""
    own = Service(Store(tmp_path, this_machine()), lease=0.0)
    ticket = own.submit(plan(SpeedupsSetup(experiment="Race")))
    assert ticket.wait(30)
    assert ticket.state == "stopped"


def test_counters_lie_where_they_are_meant_to() -> None:
    memory = line_start(np.zeros(100, np.int64))
    assert memory.ctypes.data % 128 == 0
    assert len(memory) >= 84


@pytest.mark.parametrize("bins", ["atomic", "private"])
def test_counting_for_real_loses_nothing_where_it_must_not(bins: str) -> None:
    count = Count(bins, 16, 0, 2, speedups_plans.counting.compiled(bins))  # type: ignore[arg-type]
    assert [count() for _ in range(3)] == [0, 0, 0]
    assert math.isclose(count.memory.sum(), speedups_plans.UPDATES)


def test_plans_are_plans() -> None:
    assert isinstance(plan(SpeedupsSetup(experiment="Race")), Plan)


def test_cores_that_others_use_are_told_from_the_rest() -> None:
    """Registers alone are 4/3 as fast on two threads: then a quarter of the time is for that."""
    setup = SpeedupsSetup(threads=2)
    times = {ALONE: 1.0, STREAM: 1e-6, SAME: 0.75}
    found = made_up(
        setup, lambda w: (1.0, 1.5)[w.at == 2] if w.series == REGISTERS else times.get(w.series, 1.0)
    )
    (ledger,) = Scaling(setup, found, cores=2).ledgers
    assert ledger.gain == pytest.approx(4 / 3)
    assert ledger.cores == pytest.approx(0.25)
    assert ledger.rest == pytest.approx(0)
