"""Initialisers: their moments against the formulas, within sampling error, and their bounds."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import init as torch_init

import engine
from engine.errors import ShapeError
from engine.nn import Parameter, init

SHAPE = (60, 50, 2, 3)  # fan_in 300, fan_out 360
FAN_IN, FAN_OUT = 300, 360


def check_moments(values: Any, mean: float, deviation: float, kurtosis: float) -> None:
    """Mean and standard deviation within five standard errors; kurtosis is 3 for a normal distribution, 9/5
    for a uniform one, and sets the error of the deviation: Var(s²) ≈ σ⁴(kurtosis - 1)/n."""
    n = values.size
    assert abs(values.mean() - mean) < 5.0 * deviation / math.sqrt(n)
    assert abs(values.std() - deviation) < 5.0 * deviation * math.sqrt((kurtosis - 1.0) / n) / 2.0


@pytest.fixture(autouse=True)
def _seed() -> None:
    engine.manual_seed(2024)


def made(name: str, *arguments: Any, **options: Any) -> Any:
    tensor = Parameter(engine.zeros(*SHAPE))
    assert getattr(init, name)(tensor, *arguments, **options) is tensor
    assert tensor.is_leaf
    assert tensor.requires_grad
    assert tensor.dtype is engine.float32
    return tensor.numpy().astype(np.float64)


def test_uniform() -> None:
    values = made("uniform_", -2.0, 4.0)
    check_moments(values, 1.0, 6.0 / math.sqrt(12.0), 1.8)
    assert values.min() >= -2.0
    assert values.max() <= 4.0


def test_normal() -> None:
    check_moments(made("normal_", 3.0, 0.5), 3.0, 0.5, 3.0)


@pytest.mark.parametrize("bounds", [(-2.0, 2.0), (-0.5, 1.0), (0.3, 3.0)])
@pytest.mark.parametrize("std", [1.0, 0.4])
def test_truncated_normal(bounds: tuple[float, float], std: float) -> None:
    values = made("trunc_normal_", 0.1, std, *bounds)
    assert values.min() >= bounds[0] - 1e-6
    assert values.max() <= bounds[1] + 1e-6
    # the moments by numerical integration of the density
    x = np.linspace(*bounds, 20_001)
    density = np.exp(-0.5 * ((x - 0.1) / std) ** 2)
    density /= density.sum()
    mean = (x * density).sum()
    deviation = math.sqrt(((x - mean) ** 2 * density).sum())
    check_moments(values, mean, deviation, 3.0)


def test_truncated_to_next_to_nothing() -> None:
    with pytest.raises(ValueError, match="hardly ever"):
        init.trunc_normal_(engine.zeros(3), 0.0, 1.0, 8.0, 9.0)


@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_xavier(gain: float) -> None:
    deviation = gain * math.sqrt(2.0 / (FAN_IN + FAN_OUT))
    check_moments(made("xavier_normal_", gain), 0.0, deviation, 3.0)
    values = made("xavier_uniform_", gain)
    check_moments(values, 0.0, deviation, 1.8)
    assert np.abs(values).max() <= deviation * math.sqrt(3.0) * (1.0 + 1e-6)


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", FAN_IN), ("fan_out", FAN_OUT)])
@pytest.mark.parametrize(
    ("a", "nonlinearity", "gain"),
    [
        (0.0, "leaky_relu", math.sqrt(2.0)),
        (0.5, "leaky_relu", math.sqrt(1.6)),
        (0.0, "relu", math.sqrt(2.0)),
        (0.0, "linear", 1.0),
    ],
)
def test_kaiming(mode: str, fan: int, a: float, nonlinearity: str, gain: float) -> None:
    deviation = gain / math.sqrt(fan)
    check_moments(made("kaiming_normal_", a, mode, nonlinearity), 0.0, deviation, 3.0)
    values = made("kaiming_uniform_", a, mode, nonlinearity)
    check_moments(values, 0.0, deviation, 1.8)
    assert np.abs(values).max() <= deviation * math.sqrt(3.0) * (1.0 + 1e-6)


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3)])
@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_orthogonal(shape: tuple[int, ...], gain: float) -> None:
    matrix = init.orthogonal_(engine.zeros(*shape, dtype=engine.float64), gain).numpy().reshape(shape[0], -1)
    rows, columns = matrix.shape
    product = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    np.testing.assert_allclose(product, gain**2 * np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_matrices_are_uniform() -> None:
    """Each element of a uniform n × n orthogonal matrix has mean 0 and variance 1/n, the diagonal too."""
    n, count = 3, 2000
    diagonals = np.concatenate([np.diag(init.orthogonal_(engine.zeros(n, n)).numpy()) for _ in range(count)])
    assert abs(diagonals.mean()) < 5.0 / math.sqrt(n * count * n)
    assert abs((diagonals**2).mean() - 1.0 / n) < 5.0 / math.sqrt(n * count) / n


def test_constants() -> None:
    assert (made("constant_", 0.3) == np.float32(0.3)).all()
    assert (made("zeros_") == 0.0).all()
    assert (made("ones_") == 1.0).all()
    for shape in ((3, 3), (2, 4)):
        expected = torch_init.eye_(torch.empty(*shape))
        assert init.eye_(Parameter(engine.ones(*shape))).tolist() == expected.tolist()


@pytest.mark.parametrize(
    "nonlinearity", ["linear", "conv1d", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"]
)
def test_gain(nonlinearity: str) -> None:
    assert init.calculate_gain(nonlinearity) == pytest.approx(
        torch_init.calculate_gain(nonlinearity), rel=1e-15
    )
    if nonlinearity == "leaky_relu":
        found = init.calculate_gain(nonlinearity, 0.7)
        assert found == pytest.approx(torch_init.calculate_gain(nonlinearity, 0.7), rel=1e-15)


@pytest.mark.parametrize(
    "name",
    [
        "uniform_",
        "normal_",
        "trunc_normal_",
        "xavier_uniform_",
        "xavier_normal_",
        "kaiming_uniform_",
        "kaiming_normal_",
        "orthogonal_",
    ],
)
def test_seeds(name: str) -> None:
    def draw(generator: Any = None) -> Any:
        return getattr(init, name)(engine.zeros(4, 5), generator=generator).tolist()

    engine.manual_seed(1)
    first = draw()
    engine.manual_seed(1)
    assert draw() == first == draw(engine.Generator(1))
    assert draw() != first


def test_errors() -> None:
    vector = engine.zeros(3)
    for name in ("eye_", "orthogonal_", "xavier_uniform_", "kaiming_normal_"):
        with pytest.raises(ShapeError, match=r"\(3,\)"):
            getattr(init, name)(vector)
    with pytest.raises(ValueError, match="'fan_sum'"):
        init.kaiming_normal_(engine.zeros(2, 2), mode="fan_sum")
    with pytest.raises(ValueError, match=r"'softsign'.*leaky_relu"):
        init.calculate_gain("softsign")
