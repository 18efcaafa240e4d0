"""The history stays bounded however long a run is, and its figures are numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from engine.tracing.history import LOSSES, MOMENTS, HistoryWriter, measured
from engine.tracing.trace import BINS


@pytest.mark.parametrize("steps", [1, 63, 64, 65, 1000, 12_345])
def test_a_run_of_any_length_leaves_as_much(steps: int) -> None:
    writer = HistoryWriter()
    numbers = np.arange(6.0)
    for step in range(steps):
        writer.loss(step, 1.0 / (step + 1))
        if writer.due(step):
            writer.begin(step, 0.1)
            writer.tensor(step, "parameter", "w", numbers + step)
    history = writer.written()
    gaps = set(np.diff(history.moments).tolist())
    assert len(gaps) <= 1
    assert history.moments[0] == 0
    assert min(steps, MOMENTS // 2) <= len(history.moments) <= MOMENTS + 1
    assert len(history.losses) <= LOSSES + 1
    assert all(loss == 1.0 / (step + 1) for step, loss in history.losses)
    assert list(history.series[0].low) == [float(step) for step in history.moments]


def test_figures_are_numpys() -> None:
    numbers = np.random.default_rng(0).normal(size=(40, 30))
    found = measured(numbers, 2 * numbers)
    assert found.norm == pytest.approx(np.sqrt((numbers**2).sum()))
    assert found.gradient == pytest.approx(2 * found.norm)  # type: ignore[operator]
    counts, _ = np.histogram(numbers, BINS)
    shares = np.frombuffer(bytes.fromhex(found.shares), np.uint8)
    assert np.abs(shares - 255 * counts / counts.max()).max() <= 1


def test_what_is_not_finite_is_counted_out() -> None:
    found = measured(np.array([1.0, np.nan, np.inf, 3.0]), None)
    assert (found.low, found.high, found.bad, found.gradient) == (1.0, 3.0, True, None)
    nothing = measured(np.array([np.nan]), None)
    assert (nothing.norm, nothing.bad, nothing.shares) == (None, True, "")


def test_constant_and_empty_tensors_have_a_place() -> None:
    assert measured(np.full(5, 2.0), None).shares.count("ff") == 1
    assert measured(np.zeros((0, 3)), None).norm is None


def test_more_tensors_than_there_is_room_for_are_counted() -> None:
    writer = HistoryWriter()
    writer.begin(0, None)
    for number in range(100):
        writer.tensor(0, "parameter", f"w{number}", np.ones(3))
    history = writer.written()
    assert len(history.series) + history.left_out == 100
