"""The history of a run: in order of time, one frame a moment, bounded, and told in full to whoever asks."""

from dataclasses import astuple

import numpy as np
import pytest

from engine.playground.frames import FIGURES
from engine.playground.run import Run
from engine.training import history as frames
from engine.training.history import Frame, History
from engine.training.position import Position
from tests.engine.playground.runs import parameters, setup_of


def recorded(epochs: int, **fields: object) -> tuple[Run, History]:
    run, history = Run(setup_of(**fields)), History()
    history.record(run)
    for _ in range(epochs):
        run.step_epoch()
        history.record(run)
    return run, history


def epochs(found: list[Frame]) -> list[int]:
    return [frame.position.epoch for frame in found]


def test_a_row_holds_the_figures_and_then_all_parameters() -> None:
    run, history = recorded(2, hidden="3 tanh", penalty="L2")
    row = history.frames[-1].row
    assert row.dtype == np.float32
    figures = dict(zip(FIGURES, row.tolist(), strict=False))
    assert (figures["epoch"], figures["used"]) == (2, 0)
    expected = np.array(astuple(run.figures()), np.float32)
    np.testing.assert_array_equal(row[2 : len(FIGURES)], expected)
    flat = np.concatenate([values.ravel() for values in parameters(run)])
    np.testing.assert_array_equal(row[len(FIGURES) :], flat)


def test_a_norm_is_drawn_as_the_factor_and_summand_that_it_is_when_nothing_is_trained() -> None:
    run, _ = recorded(2, hidden="3 tanh", batch_norm=True)
    net = run.model.net
    drawn = run.model.drawn()
    weight, bias, factor, summand, last, last_bias = np.split(drawn, np.cumsum([6, 3, 3, 3, 3]))
    before = run.test.inputs @ weight.reshape(3, 2).T + bias
    out = np.tanh(before * factor + summand) @ last + last_bias
    net.eval()
    from engine import from_numpy

    np.testing.assert_allclose(out, net(from_numpy(run.test.inputs)).detach().numpy()[:, 0], atol=1e-5)


def test_frames_are_in_order_and_a_moment_that_comes_again_takes_its_place() -> None:
    run, history = recorded(5)
    run.go_to(Position(2))
    history.record(run)
    assert epochs(history.frames) == [0, 1, 2, 3, 4, 5]
    assert history.recorded == 7
    run.step()
    history.record(run)
    assert [frame.position for frame in history.frames][2:5] == [Position(2), Position(2, 7), Position(3)]


def test_since_gives_what_was_recorded_since_then() -> None:
    run, history = recorded(3)
    assert epochs(history.since(0)) == [0, 1, 2, 3]
    assert epochs(history.since(2)) == [2, 3]
    assert history.since(history.recorded) == []
    run.go_to(Position(1))
    history.record(run)
    assert epochs(history.since(4)) == [1]


def test_whoever_comes_late_gets_all_frames() -> None:
    _, history = recorded(frames.LATEST + 20, samples=20, hidden="", batch=16)
    assert len(history.since(0)) == frames.LATEST + 21
    assert len(history.since(5)) == frames.LATEST + 21
    assert len(history.since(history.recorded - 3)) == 3


def test_what_is_no_longer_true_is_forgotten_and_said_to_be() -> None:
    run, history = recorded(5)
    run.go_to(Position(2))
    history.forget_after(run.position)
    assert history.forgotten == [Position(2)]
    assert epochs(history.frames) == [0, 1, 2]
    assert epochs(history.since(0)) == [0, 1, 2]
    run.edit("bias.0.0", 3.0)
    run.step_epoch()
    history.record(run)
    assert epochs(history.since(6)) == [3]
    history.clear()
    assert history.frames == []
    assert history.since(0) == []


def test_a_shape_is_told_once_however_often_it_comes_back() -> None:
    run, history = recorded(1, hidden="4 tanh")
    for hidden in ("5 tanh", "4 tanh", "5 relu"):
        run.change(run.controls.model_copy(update={"hidden": hidden}))
        run.step_epoch()
        history.record(run)
    assert [shape["layers"][0]["units"] for shape in history.shapes] == [4, 5, 5]
    assert [frame.shape for frame in history.frames] == [0, 0, 1, 0, 2]


def test_memory_is_bounded_and_both_ends_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_BYTES", 20_000)
    run, history = recorded(600, samples=20, hidden="4 tanh", batch=16)
    assert sum(frame.row.nbytes for frame in history.frames) <= 20_000
    kept = epochs(history.frames)
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    assert kept[-1] == run.position.epoch
    assert max(np.diff(kept)) < 600 / 4  # all of its time is there, not only its end
