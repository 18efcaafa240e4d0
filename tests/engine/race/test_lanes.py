"""Every lane against torch in float64, a closed-form gradient, and what a task promises. No timings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.backends import is_available
from engine.race import lanes
from engine.race.lanes import CUDA, MAKERS, NAMES, OBJECTS, REFERENCE, REPLAY, why_not
from engine.race.scalars import Net
from engine.race.task import Precision, Task, start, task
from engine.tape import Tape

EPOCHS = 4


def small(hidden: int = 3, precision: Precision = "float64", data: str = "Xor", seed: int = 0) -> Task:
    return task(data, points=12, batch=4, hidden=hidden, rate=0.3, precision=precision, seed=seed)


def losses(name: str, given: Task) -> list[float]:
    lane = MAKERS[name](given)
    lane.prepare()
    count = len(given.batches)
    return [float(lane.step(batch)) for _ in range(EPOCHS) for batch in range(count)]


def by_torch(given: Task) -> list[float]:
    """Plain torch in float64, written out without this project's loss or optimiser."""
    parameters = [torch.tensor(values, dtype=torch.float64, requires_grad=True) for values in given.start]
    w1, b1, w2, b2, w3, b3 = parameters
    found = []
    for _ in range(EPOCHS):
        for inputs, targets in given.batches:
            x, y = torch.tensor(inputs), torch.tensor(targets)
            z = ((x @ w1.T + b1).clamp(min=0) @ w2.T + b2).clamp(min=0) @ w3.T + b3
            p = torch.sigmoid(z)
            loss = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter -= given.rate * gradient
            found.append(loss.item())
    return found


@pytest.mark.parametrize("name", [name for name in NAMES if name != CUDA])
@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-12), ("float32", 2e-6)])
def test_every_lane_trains_as_torch_does(name: str, precision: Precision, tolerance: float) -> None:
    for seed, data in enumerate(("Xor", "Circle")):
        given = small(precision=precision, data=data, seed=seed)
        assert losses(name, given) == pytest.approx(by_torch(given), rel=tolerance)


def test_a_gpu_lane_trains_as_torch_does() -> None:
    if not is_available("cuda"):
        assert why_not(CUDA, small()) == "no GPU here"
        return
    given = small(precision="float32")
    assert losses(CUDA, given) == pytest.approx(by_torch(given), rel=1e-5)


def test_preparing_leaves_the_start() -> None:
    """The first loss is that of the first parameters, however much was run to warm up."""
    given = small()
    expected = by_torch(given)[0]
    for name in (each for each in NAMES if each != CUDA):
        lane = MAKERS[name](given)
        lane.prepare()
        assert float(lane.step(0)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("hidden", "batch"), [(2, 1), (3, 4), (8, 2)])
def test_numbers_of_a_step_are_counted(hidden: int, batch: int) -> None:
    """The operations in the graph of a batch: those of the loss, and a few that average it, come on top."""
    given = task("Xor", 4, batch, hidden, 0.1, "float64", 0)
    inputs, targets = given.batches[0]
    tape = Tape(Net(given).loss(inputs.tolist(), targets.tolist()))
    recorded = int((tape.operators >= 0).sum())
    assert abs(recorded - given.nodes) <= batch + 1


def test_too_many_numbers_are_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    given = small()
    assert not [name for name in NAMES if name != CUDA and why_not(name, given)]
    monkeypatch.setattr(lanes, "MOST_NODES", given.nodes - 1)
    refused = [name for name in NAMES if name != CUDA and why_not(name, given)]
    assert refused == [OBJECTS, REFERENCE, REPLAY]


def test_a_task_is_the_same_for_the_same_seed() -> None:
    one, other = small(seed=7), small(seed=7)
    for mine, theirs in zip(one.batches, other.batches, strict=True):
        assert np.array_equal(mine[0], theirs[0])
        assert np.array_equal(mine[1], theirs[1])
    assert not np.array_equal(one.start[0], small(seed=8).start[0])


def test_all_points_are_in_the_batches_once() -> None:
    given = task("Split", 50, 10, 4, 0.1, "float32", 3)
    points = np.concatenate([inputs for inputs, _ in given.batches])
    assert points.shape == (50, 2)
    assert len(np.unique(points, axis=0)) == 50
    for inputs, targets in given.batches:
        x1 = inputs[:, :1]
        assert np.array_equal(targets, (x1 < 0.2) | (x1 > 0.8))  # MiniTorch's rule


def test_first_parameters_fit_float32_and_their_bounds() -> None:
    for values, fan_in in zip(start(9, seed=1), (2, 2, 9, 9, 9, 9), strict=True):
        assert np.array_equal(values, values.astype(np.float32))
        assert np.abs(values).max() <= 1 / np.sqrt(fan_in)


def test_a_batch_that_does_not_divide_the_points_says_which_do() -> None:
    with pytest.raises(ValueError, match="batches of 7 cannot be made of 50 points; these fit: 1, 2, 5, 10"):
        task("Xor", 50, 7, 4, 0.1, "float32", 0)
