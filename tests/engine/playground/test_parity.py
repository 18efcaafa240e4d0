"""Our runs learn as TensorFlow Playground's engine does. Over 200 seeds: `tests/benchmarks/playground.py`."""

import numpy as np
import pytest
import torch

from engine.training.position import Position
from tests.engine.playground.original import Original
from tests.engine.playground.parity import ours, setup_of, theirs
from tests.engine.playground.runs import begun, parameters


@pytest.mark.parametrize(
    ("name", "epochs", "seeds"), [("circle", 40, 15), ("gauss", 5, 40), ("reg-plane", 3, 30)]
)
def test_our_median_lies_within_their_quartiles(name: str, epochs: int, seeds: int) -> None:
    setup = setup_of(name, epochs)
    begun(setup)
    lower, upper = np.quantile(theirs(setup, range(seeds)), [0.25, 0.75])
    assert lower <= np.median(ours(setup, range(seeds))) <= upper


def test_from_the_same_weights_in_the_same_order_every_step_is_theirs() -> None:
    setup = setup_of("xor", 0)
    run = begun(setup)
    original = Original(run._inputs[None], run._targets[None, :, 0], [4, 2], regression=False)
    original.inputs, original.targets = (
        run._inputs[None].astype(float),
        run._targets[None, :, 0].astype(float),
    )
    first = parameters(run)
    original.weights = [weight.T[None].astype(float) for weight in first[::2]]
    original.biases = [bias[None, None].astype(float) for bias in first[1::2]]
    for epoch in range(5):
        original.epoch(setup.rate, setup.batch)
        run.go_to(Position(epoch + 1))
        found = parameters(run)
        for weight, expected in zip(found[::2], original.weights, strict=True):
            np.testing.assert_allclose(weight, expected[0].T, rtol=1e-4, atol=1e-6)
        for bias, expected in zip(found[1::2], original.biases, strict=True):
            np.testing.assert_allclose(bias, expected[0, 0], rtol=1e-4, atol=1e-6)


def test_what_is_left_over_is_carried_into_the_next_epoch() -> None:
    draw = np.random.default_rng(0)
    inputs, targets = draw.normal(size=(1, 25, 2)), draw.choice([-1.0, 1.0], (1, 25))
    original = Original(inputs, targets, [3], regression=False)
    weight, bias, last, last_bias = (
        torch.tensor(array[0], requires_grad=True)
        for pair in zip(original.weights, original.biases, strict=True)
        for array in pair
    )
    points, labels = torch.tensor(original.inputs[0]), torch.tensor(original.targets[0])
    order = [*range(10), *range(10, 20), *range(20, 25), *range(10), *range(10, 20)]
    for group in (order[:10], order[10:20], order[20:35], order[35:45]):  # 5 left over and 10 new ones
        out = torch.tanh(torch.tanh(points[group] @ weight + bias) @ last + last_bias)[:, 0]
        gradients = torch.autograd.grad(
            ((out - labels[group]) ** 2).mean() / 2, [weight, bias, last, last_bias]
        )
        with torch.no_grad():
            for parameter, gradient in zip([weight, bias, last, last_bias], gradients, strict=True):
                parameter -= 0.3 * gradient
    original.epoch(0.3, 10)
    original.epoch(0.3, 10)
    np.testing.assert_allclose(original.weights[0][0], weight.detach(), rtol=1e-10)
    np.testing.assert_allclose(original.biases[1][0], last_bias.detach(), rtol=1e-10)
    assert original.count == 5
