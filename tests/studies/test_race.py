"""The study of the race: figures from made-up times, laws in closed form, plans. Nothing is timed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from engine.measure import Run, Service, Store, Ticket, Timing, service, this_machine
from engine.measure.timing import Stopped
from engine.race import cold
from engine.race.lanes import COMPILED, CUDA, MAKERS, NAMES, OBJECTS, REPLAY, TORCH
from engine.studies import race_plans
from engine.studies.race import CHECKED, EXAMPLES, STUDY, RaceResult, result_of, run
from engine.studies.race_plans import cold_plan, race_plan, task_of, widths_plan
from engine.studies.race_setup import RaceSetup
from engine.studies.race_widths import Law, law, measured_crossing, predicted_crossing, weights

SMALL = RaceSetup(points=10, batch=5, hidden=2, epochs=4)


@pytest.fixture(autouse=True)
def _nothing_measured_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_MEASURED", str(tmp_path))
    service.cache_clear()


def timing(name: str, seconds: tuple[float, ...], at: float = 0.0, note: str = "finished") -> Timing:
    return Timing(name, at, 1.0, "epoch", 0.5, seconds[0] if seconds else 0.0, seconds, None, note)


def made_up(
    seconds: dict[str, tuple[float, ...]],
    losses: dict[str, tuple[float, ...]] | None = None,
    starts: dict[str, float] | None = None,
    setup: RaceSetup = SMALL,
) -> RaceResult:
    """A result with these times, two epochs a turn, and losses of 1 unless others are given."""
    curves = {f"{name}: turns": (2.0,) * (len(each) // 2) for name, each in seconds.items()}
    curves |= {
        f"{name}: loss": (losses or {}).get(name, (1.0,) * len(each)) for name, each in seconds.items()
    }
    timings = tuple(timing(name, each) for name, each in seconds.items())
    raced = Run("race", "m", "2026-01-02T03:04:05+00:00", None, timings, True, curves)
    cold_run = None
    if starts:
        cold_timings = tuple(
            Timing(name, 0.0, 1.0, "start", wait, 0.0, (wait,)) for name, wait in starts.items()
        )
        cold_run = Run("cold", "m", "2026-01-02T03:04:05+00:00", None, cold_timings)
    return result_of(setup, raced, cold_run, None)


# ---- figures


def test_times_are_averaged_within_turns_and_compared_turn_by_turn() -> None:
    result = made_up({TORCH: (1.0, 3.0, 8.0, 8.0), COMPILED: (0.5, 0.5, 1.0, 3.0)})
    assert result.lane(TORCH).by_turn == (2.0, 8.0)
    ratio = result.ratio(TORCH, COMPILED)
    assert ratio is not None
    assert (ratio.lower, ratio.median, ratio.upper) == (4.0, 4.0, 4.0)
    assert result.lane(TORCH).clock.tolist() == [1.0, 4.0, 12.0, 20.0]
    assert result.ratio(OBJECTS, TORCH) is None
    assert result.lane(CUDA).note == "not measured"


def test_compiling_has_paid_where_both_clocks_meet() -> None:
    """Started 6 s later and 2 s an epoch faster: after 3 epochs."""
    seconds = {TORCH: (3.0,) * 4, COMPILED: (1.0,) * 4, OBJECTS: (5.0,) * 4}
    result = made_up(seconds, starts={TORCH: 2.0, COMPILED: 8.0})
    assert result.lead(COMPILED, TORCH) == (pytest.approx(3.0), math.inf)
    assert result.lead(TORCH, COMPILED) == (0.0, pytest.approx(3.0))
    assert result.lead(OBJECTS, TORCH) == (0.0, pytest.approx(1.0))  # it waits for nothing, torch for 2 s
    assert made_up(seconds).lead(COMPILED, TORCH) is None
    slower = made_up({TORCH: (1.0,) * 4, COMPILED: (2.0,) * 4}, starts={TORCH: 2.0, COMPILED: 8.0})
    assert slower.lead(COMPILED, TORCH) == (math.inf, math.inf)
    sooner = made_up({TORCH: (2.0,) * 4, COMPILED: (1.0,) * 4}, starts={TORCH: 2.0, COMPILED: 1.0})
    assert sooner.lead(COMPILED, TORCH) == (0.0, math.inf)


def test_compiling_counts_only_where_all_of_it_is_known() -> None:
    seconds = {TORCH: (1.0, 1.0), COMPILED: (1.0, 1.0), OBJECTS: (1.0, 1.0)}
    counting = SMALL.model_copy(update={"compiling": True})
    known = made_up(seconds, starts={TORCH: 2.0, COMPILED: 8.0}, setup=counting)
    assert (known.late[TORCH], known.late[COMPILED], known.late[OBJECTS]) == (2.0, 8.0, 0.0)
    partly = made_up(seconds, starts={COMPILED: 8.0}, setup=counting)
    assert set(partly.late.values()) == {0.0}
    assert set(made_up(seconds, starts={TORCH: 2.0, COMPILED: 8.0}).late.values()) == {0.0}


def test_disagreement_is_of_the_lanes_that_got_so_far() -> None:
    seconds = {TORCH: (1.0,) * 4, COMPILED: (1.0,) * 4, OBJECTS: (1.0,) * 2}
    losses = {TORCH: (2.0, 2.0, 2.0, 2.0), COMPILED: (2.0, 2.0, 2.5, 2.0), OBJECTS: (3.0, 2.0)}
    assert made_up(seconds, losses).disagreement() == pytest.approx([0.5, 0.0, 0.25, 0.0])
    assert len(made_up({TORCH: (1.0, 1.0)}).disagreement()) == 0


def test_the_table_has_every_epoch() -> None:
    table = made_up({TORCH: (1.0, 3.0), COMPILED: (0.5, 0.5)}).table()
    assert table["lane"] == [TORCH, TORCH, COMPILED, COMPILED]
    assert table["clock"] == [1.0, 4.0, 0.5, 1.0]
    assert all(column == [] for column in run(SMALL).table().values())


# ---- widths


def test_the_law_goes_through_both_ends() -> None:
    exact = Law(1e-3, 2e-8)
    swept = Run("w", "m", "", None, tuple(timing(TORCH, (exact.seconds(h),), h) for h in (2, 16, 512)))
    found = law(swept, TORCH)
    assert found is not None
    assert (found.calling, found.each) == (pytest.approx(1e-3), pytest.approx(2e-8))
    assert law(swept, COMPILED) is None
    assert weights(16) == 2 * 16 + 16 * 16 + 16


def test_a_crossing_is_found_where_the_laws_meet() -> None:
    """0.1 ms + 4 ns a weight meets 1 ms + 1 ns a weight at 300,000 weights."""
    laws = {COMPILED: Law(1e-4, 4e-9), TORCH: Law(1e-3, 1e-9)}
    sides = [2.0**k for k in range(1, 11)]
    timings = [timing(name, (each.seconds(h),), h) for name, each in laws.items() for h in sides]
    swept = Run("w", "m", "", None, tuple(timings))
    expected = predicted_crossing(swept, COMPILED, TORCH)
    assert expected is not None
    assert weights(expected) == pytest.approx(300_000)
    found = measured_crossing(swept, COMPILED, TORCH)
    assert found == pytest.approx(expected, rel=0.05)  # straight lines between 512 and 1024
    assert predicted_crossing(swept, TORCH, COMPILED) is None
    assert measured_crossing(swept, TORCH, COMPILED) is None


# ---- plans


def test_what_is_measured_alike_has_one_key() -> None:
    base = RaceSetup()
    shown = base.model_copy(update={"moment": 0.5, "compiling": True, "measure": "race"})
    assert race_plan(base).key == race_plan(shown).key
    longer = base.model_copy(update={"epochs": 500})
    assert race_plan(base).key != race_plan(longer).key
    assert widths_plan(base).key == widths_plan(longer.model_copy(update={"hidden": 64})).key
    assert cold_plan(base).key == cold_plan(longer).key
    assert len({plan(base).key for plan in (race_plan, widths_plan, cold_plan)}) == 3


class Still:
    """A lane that takes no time to speak of."""

    def __init__(self, *_: Any) -> None:
        self.losses = iter(np.linspace(1.0, 0.5, 10_000))

    def prepare(self) -> None:
        pass

    def step(self, batch: int) -> float:  # noqa: ARG002
        return float(next(self.losses))


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setitem(MAKERS, name, Still)
    monkeypatch.setattr(race_plans, "SWEPT_WIDTHS", (2, 4))
    monkeypatch.setattr(cold, "measured", lambda name, *_: float(len(name)))


@pytest.mark.usefixtures("_quick")
def test_a_race_is_stored_and_found_again() -> None:
    measured = run(SMALL.model_copy(update={"measure": "race"}))
    service.cache_clear()  # as in another process: from disk
    again = run(SMALL)
    assert measured.run is not None
    assert again.run == measured.run
    assert {lane.name for lane in again.raced} == set(NAMES) - {CUDA}
    assert again.lane(TORCH).losses == measured.lane(TORCH).losses
    assert [lane.reached for lane in again.raced] == [4] * 7
    assert "torch: seconds an epoch" in measured.summary()
    assert "torch: seconds an epoch" not in again.summary()


@pytest.mark.usefixtures("_quick")
def test_widths_and_compiling_are_stored_too() -> None:
    swept = run(SMALL.model_copy(update={"measure": "widths"})).widths
    assert swept is not None
    assert [timing.at for timing in swept.of(REPLAY)] == [2.0, 4.0]
    found = run(SMALL.model_copy(update={"measure": "compiling"}))
    assert found.lane(COMPILED).cold == len(COMPILED)
    assert found.lane(OBJECTS).cold is None


@pytest.mark.usefixtures("_quick")
def test_a_stopped_race_keeps_what_was_reached(tmp_path: Path) -> None:
    plan = race_plan(SMALL)
    ticket = Ticket(plan, Service(Store(tmp_path, this_machine())), math.inf)

    def is_over() -> bool:
        return any(timing.samples for timing in ticket.timings)

    with pytest.raises(Stopped):
        plan.carry_out(ticket, is_over)
    result = result_of(SMALL, ticket, None, None)
    assert 0 < sum(lane.reached for lane in result.lanes) < 4 * len(NAMES)


def test_a_failing_new_process_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold, "measured", lambda *_: None)
    with pytest.raises(ValueError, match="a new process could not get compiled step ready"):
        run(SMALL.model_copy(update={"measure": "compiling"}))


# ---- setups and the check


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_measured_unless_it_is_asked_for(name: str) -> None:
    result = run(EXAMPLES[name])
    assert not result.raced
    assert task_of(result.setup).hidden == result.setup.hidden
    assert all(check.passed for check in STUDY.check(result))
    assert service()._thread is None


def test_a_wrong_loss_fails_the_check() -> None:
    right = STUDY.check(run(SMALL))[0]
    result = made_up({TORCH: (1.0,) * 4}, {TORCH: (right.expected * 1.01,) * 4})
    assert [check.passed for check in STUDY.check(result)] == [False]


def test_real_lanes_pass_the_check_as_far_as_it_goes() -> None:
    lane = MAKERS[REPLAY](task_of(SMALL))
    lane.prepare()
    losses = tuple((lane.step(0) + lane.step(1)) / 2 for _ in range(CHECKED + 2))
    result = made_up({REPLAY: (1.0,) * len(losses)}, {REPLAY: losses})
    (check,) = STUDY.check(result)
    assert check.passed
    assert check.found == losses[CHECKED - 1]
    assert check.error < 1e-12


def test_a_batch_that_does_not_fit_is_refused_when_it_is_run() -> None:
    with pytest.raises(ValueError, match="these fit: 1, 2, 5, 10"):
        run(SMALL.model_copy(update={"batch": 4}))


@pytest.mark.parametrize(
    "field", [{"hidden": 1}, {"hidden": 513}, {"points": 11}, {"data": "xor"}, {"rate": 0}]
)
def test_bounds(field: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RaceSetup(**field)
