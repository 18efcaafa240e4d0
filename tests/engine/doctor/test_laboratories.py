"""Sizes by depth beside closed forms and torch; sums on threads beside exact ones."""

import math

import numpy as np
import pytest
import torch

from engine.doctor import bits, depth
from engine.doctor.depth import WIDTH, Scheme


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize(("activation", "passed"), [("relu", 0.5), ("linear", 1.0)])
def test_the_law_in_closed_form(activation: str, passed: float, residual: bool) -> None:
    deviation, layers = 0.11, 12
    factor = deviation**2 * WIDTH * passed + residual
    signal, gradient = depth.law(3.0, deviation, layers, activation, residual)
    powers = np.arange(layers + 1)
    np.testing.assert_allclose(signal, np.sqrt(3.0 * factor**powers), rtol=1e-6)
    np.testing.assert_allclose(gradient, np.sqrt(factor ** powers[::-1]), rtol=1e-6)


def test_the_law_of_tanh_by_drawing_numbers() -> None:
    drawn = np.random.default_rng(0).standard_normal(4_000_000)
    signal, gradient = depth.law(2.0, 0.2, 1, "tanh", False)
    power = 0.2**2 * WIDTH
    inner = np.tanh(math.sqrt(2.0) * drawn)
    assert signal[1] == pytest.approx(math.sqrt(power * np.square(inner).mean()), rel=2e-3)
    assert gradient[0] == pytest.approx(math.sqrt(power * np.square(1 - inner**2).mean()), rel=2e-3)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
def test_sizes_are_torchs(activation: str, residual: bool) -> None:
    scheme = Scheme("He", math.sqrt(2 / WIDTH))
    found = depth.measure(scheme, 6, activation, residual, 1, 4)
    h = torch.tensor(depth.inputs(), requires_grad=True)
    signals = [h]
    for weight in depth.weights(scheme, 6, 4):
        inner = h if activation == "linear" else getattr(torch, activation)(h)
        h = residual * h + inner @ torch.tensor(weight).T
        signals.append(h)
    pull = np.random.default_rng([4, 1]).standard_normal(h.shape).astype(np.float32)
    gradients = torch.autograd.grad((h * torch.tensor(pull)).sum(), signals)
    sizes = [
        [float(part.detach().double().square().mean().sqrt()) for part in parts]
        for parts in (signals, gradients)
    ]
    np.testing.assert_allclose(found.signal[0], sizes[0], rtol=1e-5)
    np.testing.assert_allclose(found.gradient[0], np.array(sizes[1]) / sizes[1][-1], rtol=1e-5)


def test_glorot_loses_what_the_law_says() -> None:
    glorot = depth.schemes(1.0)[1]
    found = depth.measure(glorot, 20, "relu", False, 5, 0)
    lost = np.median(np.log2(found.signal[:, -1] / found.signal[:, 0]))
    assert lost == pytest.approx(-10.0, abs=2.0)  # half of the mean square a layer, in a net of 64 units


def test_threads_change_the_last_bits_and_nothing_else() -> None:
    found = bits.reproduce(seed=1, threads=4)
    values = bits.numbers(1).astype(np.float64)
    assert found.exact == np.float32(math.fsum(values.tolist()))
    bound = bits.LENGTH * 2.0**-24 * np.abs(values).sum()
    assert all(abs(one.total - found.exact) <= bound for one in found.sums)
    assert len({one.word for one in found.sums}) > 1
    assert found.again
    a, b, c = (np.float32(value) for value in found.triple)
    assert (a + b) + c != a + (b + c)
    for training in found.trainings:
        assert training.differing[0] == 0.0
        assert 0.0 < training.differing[-1] < 1.0
        np.testing.assert_allclose(training.loss, found.trainings[0].loss, rtol=1e-3)


@pytest.mark.parametrize("threads", [1, 3, 16])
def test_a_sum_is_that_of_its_shares(threads: int) -> None:
    values = bits.numbers(2)[:3000]

    def from_left(numbers: list[float]) -> float:
        total = np.float32(0.0)
        for number in numbers:
            total = np.float32(total + np.float32(number))
        return float(total)

    shares = [from_left(share.tolist()) for share in np.array_split(values, threads)]
    assert bits.added(values, threads) == from_left(shares)
