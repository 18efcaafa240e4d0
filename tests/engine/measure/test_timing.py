"""What is called how often, with a clock of our own; and the peaks' kernels against numpy."""

import numpy as np
import pytest

from engine.measure import Cache, Machine, Run, Timing, Work, timing
from engine.measure.peaks import ARITHMETIC, MEMORY, STREAM, Peaks, peak_works, triad
from engine.measure.timing import FEWEST, REPETITIONS, Stopped, time_work


class Clock:
    """Time that passes only where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        for name in ("perf_counter", "monotonic"):
            monkeypatch.setattr(timing.time, name, lambda: self.now)

    def spend(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_getting_ready_launching_and_running_are_told_apart(clock: Clock) -> None:
    first = [0.5]  # the first call takes longer

    def run() -> None:
        clock.spend(0.01 + (first.pop() if first else 0.0))

    work = Work(
        "a", 3.0, 1e9, "flop", lambda: clock.spend(2.0), lambda _: run, lambda _: lambda: clock.spend(1e-3)
    )
    found = time_work(work)
    assert found.compiling == pytest.approx(2.0)
    assert found.first == pytest.approx(0.51)
    assert found.samples == pytest.approx((0.01,) * REPETITIONS)
    assert found.launch == pytest.approx(1e-3)
    assert found.rate.median == pytest.approx(100.0)


def test_fast_work_is_called_many_times_in_a_repetition(clock: Clock) -> None:
    calls = 0

    def run() -> None:
        nonlocal calls
        calls += 1
        clock.spend(1e-5)

    found = time_work(Work("a", 0, 1.0, "flop", lambda: None, lambda _: run))
    assert found.samples == pytest.approx((1e-5,) * REPETITIONS)
    assert calls > 400 * REPETITIONS
    assert found.launch is None


def test_slow_work_is_repeated_less_often(clock: Clock) -> None:
    found = time_work(Work("a", 0, 1.0, "flop", lambda: None, lambda _: lambda: clock.spend(10.0)))
    assert len(found.samples) == FEWEST


def test_nothing_is_begun_for_nobody() -> None:
    def never() -> None:
        raise AssertionError

    with pytest.raises(Stopped):
        time_work(Work("a", 0, 1.0, "flop", never, lambda _: never), lambda: True)


# ---- peaks


def test_the_stream_is_a_triad() -> None:
    draw = np.random.default_rng(2)
    a, b, c = (draw.normal(size=1000).astype(np.float32) for _ in range(3))
    triad()(a, b, c, 2)
    assert np.allclose(a, b + 4 * c, rtol=1e-5, atol=1e-5)  # the factor is 3, then 4


def test_there_is_a_stream_for_every_level() -> None:
    machine = Machine("m", 2, (Cache(1, 32 << 10, 8, 64), Cache(2, 1 << 20, 8, 64)))
    streams = [work for work in peak_works(machine) if work.series == STREAM]
    assert [work.note for work in streams] == ["L1", "L2", MEMORY]
    assert [work.at for work in streams] == [16 << 10, 1 << 19, 4 << 20]
    assert all(work.amount >= 0.99 * (1 << 22) for work in streams)


def test_the_roof_is_the_lower_of_the_two() -> None:
    def measured(series: str, at: float, rate: float, note: str = "") -> Timing:
        return Timing(series, at, rate * 1e9, "", 0, 0, (2.0, 1.0, 1.5), None, note)  # the fastest takes 1 s

    timings = (
        measured(ARITHMETIC, 1, 100.0),
        measured(STREAM, 1 << 14, 200.0, "L1"),
        measured(STREAM, 1 << 26, 10.0, MEMORY),
    )
    peaks = Peaks.of(Run("key", "m", "now", None, timings))
    assert peaks is not None
    assert peaks.attainable(1.0) == pytest.approx(10.0)
    assert peaks.attainable(10.0) == pytest.approx(100.0)
    assert peaks.attainable(1e3) == pytest.approx(100.0)
    assert peaks.attainable(1.0, threads=64) is None
    assert Peaks.of(Run("key", "m", "now", None, timings[:2])) is None
    assert Peaks.of(None) is None
