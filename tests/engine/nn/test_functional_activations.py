"""Activation functions against torch."""

import numpy as np
import pytest
import torch.nn.functional as torch_functional

import engine
import engine.nn.functional as F  # noqa: N812
from tests.engine.nn.against_torch import check, numbers

CASES = [
    ("relu", {}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("silu", {}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("softplus", {}),
    ("softplus", {"beta": 0.5, "threshold": 3.0}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {}),
    ("elu", {"alpha": 1.7}),
]
# kinks, thresholds, and numbers beyond which exp overflows
SPECIAL = np.array([0.0, 1e-8, -1e-8, 5.9, 6.1, 19.9, 20.1, -30.0, 30.0, 400.0, -400.0, 800.0, -800.0])


@pytest.mark.parametrize(("name", "options"), CASES)
def test_activation(name: str, options: dict[str, float]) -> None:
    ours, theirs = getattr(F, name), getattr(torch_functional, name)
    for x in (3.0 * numbers(3, 4), SPECIAL):
        check(lambda t: ours(t, **options), lambda t: theirs(t, **options), x)
    check(lambda t: ours(t, **options), lambda t: theirs(t, **options), numbers(5).astype(np.float32))


@pytest.mark.parametrize(("name", "options"), CASES)
def test_second_derivative(name: str, options: dict[str, float]) -> None:
    ours, theirs = getattr(F, name), getattr(torch_functional, name)
    check(lambda t: ours(t, **options), lambda t: theirs(t, **options), 2.0 * numbers(9), second=True)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax(name: str, dim: int) -> None:
    ours, theirs = getattr(F, name), getattr(torch_functional, name)
    check(lambda t: ours(t, dim), lambda t: theirs(t, dim), numbers(3, 4, 5), second=True)
    check(lambda t: ours(t, dim), lambda t: theirs(t, dim), 500.0 * numbers(3, 4, 5))
    check(lambda t: ours(t, dim), lambda t: theirs(t, dim), numbers(3, 4, 5).astype(np.float32))


def test_gelu_has_two_kinds() -> None:
    with pytest.raises(ValueError, match="'tanh'"):
        F.gelu(engine.zeros(2), approximate="sigmoid")
