"""What is measured of a loop, held against torch, numpy and closed forms."""

import numpy as np
import pytest
import torch

from engine.doctor import examinations
from engine.doctor.loop import BATCH, SIZES, Loop, digits
from engine.doctor.operators import check_operators
from engine.doctor.oracle import torch_losses
from engine.doctor.planted import PLANTED, NaN, TrainEvalMixUp, ViewBug
from engine.doctor.record import BINS, DECADES, MOMENTS, Record, observe, spread


@pytest.fixture(scope="module")
def record() -> Record:
    return observe(Loop(0), 20)


@pytest.mark.parametrize("name", list(PLANTED))
def test_every_loop_loses_as_its_copy_in_torch_does(name: str) -> None:
    found = observe(PLANTED[name](7), 5).losses
    np.testing.assert_allclose(found, torch_losses(name, 7, 5), rtol=1e-3)


def test_a_run_is_the_same_however_it_is_watched(record: Record) -> None:
    loop, losses = Loop(0), []
    for _, batch in zip(range(20), loop.batches(), strict=False):
        loss = loop.batch_loss(batch)
        loop.clear()
        loss.backward()
        loop.optimiser.step()
        losses.append(loss.item())
    np.testing.assert_array_equal(record.losses, losses)
    mixed = observe(TrainEvalMixUp(0), 20)
    np.testing.assert_array_equal(mixed.losses, record.losses)  # it differs in its tests alone
    assert mixed.moments[-1].test != record.moments[-1].test


def test_the_step_of_plain_descent(record: Record) -> None:
    """The update is −rate · gradient: so is its length, and it points straight downhill."""
    assert record.rate == pytest.approx(0.1, rel=1e-4)
    np.testing.assert_allclose(record.direction, -1.0, atol=1e-4)
    np.testing.assert_array_equal(record.left, 0.0)
    assert record.bad is None
    assert record.ratios.shape == record.norms.shape == (20, len(SIZES) - 1)
    assert [moment.step for moment in record.moments] == [step for step in (*MOMENTS, 20) if step <= 20][:-1]


def test_the_spread_of_numbers() -> None:
    values = np.array([0.0, 0.0, 1.5, -1.5, 20.0, 1e-30, 1e30, np.nan], np.float32)
    found = spread(values)
    assert (found.zeros, found.unknown) == (0.25, 0.125)
    expected, _ = np.histogram(np.log10([1.5, 1.5, 20.0]), BINS, DECADES)
    expected[[0, -1]] += 1  # what lies beyond the ends
    np.testing.assert_allclose(found.bins * 8, expected)
    assert np.isnan(found.mean)
    normal = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    assert spread(normal).std == pytest.approx(normal.std())


def test_dependence_is_torchs_jacobian() -> None:
    for make, view in ((Loop, lambda x: x.reshape(8, 64)), (ViewBug, lambda x: x.reshape(64, 8).t())):
        loop = make(1)
        layers = [
            (torch.tensor(linear.weight.numpy()), torch.tensor(linear.bias.numpy()))
            for linear in loop.net.layers
        ]

        def scores(x: torch.Tensor, layers: list = layers, view: object = view) -> torch.Tensor:
            h = view(x)
            for weight, bias in layers[:-1]:
                h = torch.relu(h @ weight.T + bias)
            return (h @ layers[-1][0].T + layers[-1][1]).sum(dim=1)

        jacobian = torch.autograd.functional.jacobian(scores, torch.tensor(loop.images[:8]))
        expected = jacobian.square().sum(dim=(2, 3)).sqrt().numpy()
        np.testing.assert_allclose(examinations.dependence(loop), expected, rtol=1e-4, atol=1e-6)


def test_neighbours_are_those_of_scikit_learn() -> None:
    from sklearn.neighbors import NearestNeighbors

    loop = Loop(0)
    points = loop.images[:500].reshape(500, 64).astype(np.float64)
    near = NearestNeighbors(n_neighbors=2).fit(points).kneighbors(points, return_distance=False)[:, 1]
    expected = (loop.labels[near] == loop.labels[:500]).mean()
    assert examinations.neighbours(loop) == pytest.approx(expected, abs=0.004)  # ties


def test_the_first_signal_of_he() -> None:
    signal = examinations.signal(Loop(0))
    assert (signal.mean, signal.std) == pytest.approx((0.0, 1.0), abs=0.05)
    np.testing.assert_allclose(signal.gains, 1.0, atol=0.45)  # 10 outputs only


def test_one_batch_is_learnt_by_heart() -> None:
    losses = examinations.drill(Loop(0))
    assert losses[0] > 2.0
    assert losses[-1] < 0.05


def test_operators_agree_with_differences_but_for_the_root_of_0() -> None:
    assert all(check.error < 1e-6 for check in check_operators(Loop(0)))
    wrong = [check.operator for check in check_operators(NaN(0)) if not check.error < 1e-6]
    assert wrong == ["sqrt"]


def test_every_epoch_has_every_sample_once() -> None:
    loop = Loop(3)
    each = len(loop.labels) // BATCH
    epoch = np.concatenate([batch for _, batch in zip(range(each), loop.batches(), strict=False)])
    assert len(set(epoch.tolist())) == len(epoch) == each * BATCH


def test_training_and_test_samples_do_not_overlap() -> None:
    (train, _), (test, _) = digits()
    assert len(train) + len(test) == 1797
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}
