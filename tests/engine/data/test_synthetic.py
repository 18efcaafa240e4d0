"""Points in the plane: labels follow the published rules, written out here once more, point by point."""

import math
import random

import numpy as np
import pytest

from engine.data import MINITORCH, PLAYGROUND, minitorch, playground

SQUARE_RULES = {
    "Simple": lambda x, y: x < 0.5,
    "Diag": lambda x, y: x + y < 0.5,
    "Split": lambda x, y: x < 0.2 or x > 0.8,
    "Xor": lambda x, y: (x < 0.5 and y > 0.5) or (x > 0.5 and y < 0.5),
    "Circle": lambda x, y: math.dist((x, y), (0.5, 0.5)) > math.sqrt(0.1),
}


def hills(x: float, y: float) -> float:
    heights = [
        sign * min(max(1 - math.dist((x, y), peak) / 2, 0), 1)
        for peak, sign in (
            ((-4, 2.5), 1),
            ((0, 2.5), -1),
            ((4, 2.5), 1),
            ((-4, -2.5), -1),
            ((0, -2.5), 1),
            ((4, -2.5), -1),
        )
    ]
    return max(heights, key=abs)


PLAYGROUND_RULES = {
    "circle": lambda x, y: math.hypot(x, y) < 2.5,
    "xor": lambda x, y: x * y >= 0,
    "reg-plane": lambda x, y: (x + y) / 10,
    "reg-gauss": hills,
}


@pytest.mark.parametrize("name", SQUARE_RULES)
def test_minitorch_rules(name: str) -> None:
    samples = minitorch(name, 500, seed=3)
    assert samples.inputs.shape == (500, 2)
    assert samples.inputs.dtype == np.float32
    assert samples.targets.dtype == np.int64
    assert samples.inputs.min() >= 0
    assert samples.inputs.max() < 1
    expected = [int(SQUARE_RULES[name](x, y)) for x, y in samples.inputs.tolist()]
    assert samples.targets.tolist() == expected
    assert 0 < sum(expected) < 500


def test_minitorch_spiral() -> None:
    n = 60
    samples = minitorch("Spiral", n)

    def x(t: float) -> float:
        return t * math.cos(t) / 20

    def y(t: float) -> float:
        return t * math.sin(t) / 20

    times = [10.0 * i / (n // 2) for i in range(5, 5 + n // 2)]
    first = [(x(t) + 0.5, y(t) + 0.5) for t in times]
    second = [(y(-t) + 0.5, x(-t) + 0.5) for t in times]
    np.testing.assert_allclose(samples.inputs, first + second, atol=1e-6)
    assert samples.targets.tolist() == [0] * (n // 2) + [1] * (n // 2)


@pytest.mark.parametrize("name", PLAYGROUND_RULES)
def test_playground_rules(name: str) -> None:
    samples = playground(name, 400, seed=5)
    expected = [PLAYGROUND_RULES[name](x, y) for x, y in samples.inputs.tolist()]
    np.testing.assert_allclose(samples.targets, np.asarray(expected, np.float64), atol=1e-6)
    if name.startswith("reg-"):
        assert samples.classes == ()
        assert samples.targets.dtype == np.float32
        assert np.abs(samples.inputs).max() <= 6
    else:
        assert samples.classes == ("-1", "1")


def test_playground_circle_leaves_a_gap() -> None:
    samples = playground("circle", 1000)
    radius = np.hypot(*samples.inputs.T)
    inside = samples.targets == 1
    assert inside.sum() == 500
    assert radius[inside].max() <= 2.5
    assert radius[~inside].min() >= 3.5
    assert radius.max() <= 5


def test_playground_xor_leaves_a_gap() -> None:
    assert np.abs(playground("xor", 1000).inputs).min() >= np.float32(0.3)


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.25, 2.25), (0.5, 4.0)])
def test_playground_clouds(noise: float, variance: float) -> None:
    samples = playground("gauss", 40_000, noise=noise)
    for number, centre in ((1, 2.0), (0, -2.0)):
        cloud = samples.inputs[samples.targets == number]
        assert len(cloud) == 20_000
        # five standard errors of a mean, and of a variance
        assert np.allclose(cloud.mean(axis=0), centre, atol=5 * math.sqrt(variance / 20_000))
        assert np.allclose(cloud.var(axis=0), variance, atol=5 * variance * math.sqrt(2 / 20_000))


def test_playground_spiral() -> None:
    half = 50
    samples = playground("spiral", 2 * half)
    expected = []
    for shift in (0.0, math.pi):
        for i in range(half):
            r, t = i / half * 5, 1.75 * i / half * 2 * math.pi + shift
            expected.append((r * math.sin(t), r * math.cos(t)))
    np.testing.assert_allclose(samples.inputs, expected, atol=1e-5)
    assert samples.targets.tolist() == [1] * half + [0] * half


@pytest.mark.parametrize(
    ("make", "name"), [(minitorch, n) for n in MINITORCH] + [(playground, n) for n in PLAYGROUND]
)
def test_seeds_and_noise(make, name: str) -> None:
    calm, same, other, noisy = (
        make(name, 200, seed=seed, noise=noise) for seed, noise in ((1, 0), (1, 0), (2, 0), (1, 0.5))
    )
    random.seed(0)  # neither Python's nor numpy's global state matters
    np.random.seed(0)
    again = make(name, 200, seed=1, noise=0.5)
    np.testing.assert_array_equal(calm.inputs, same.inputs)
    np.testing.assert_array_equal(calm.targets, same.targets)
    np.testing.assert_array_equal(noisy.inputs, again.inputs)
    np.testing.assert_array_equal(noisy.targets, again.targets)
    assert noisy.inputs.shape == (200, 2)
    assert noisy.targets.shape == (200,)
    moved_points = name in ("Spiral", "spiral", "gauss")
    assert (noisy.targets != calm.targets).any() != moved_points
    assert (noisy.inputs != calm.inputs).any() == moved_points
    assert (other.inputs != calm.inputs).any() != (name in ("Spiral", "spiral"))


def test_noise_moves_spirals_no_further_than_it_says() -> None:
    for make, name, limit in ((minitorch, "Spiral", 0.05), (playground, "spiral", 0.5)):
        moved = make(name, 200, noise=0.5).inputs - make(name, 200).inputs
        assert 0.8 * limit < np.abs(moved).max() <= limit + 1e-6


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of Simple, Diag"):
        minitorch("xor")
    with pytest.raises(ValueError, match="choose one of circle, xor"):
        playground("Xor")
    with pytest.raises(ValueError, match="even"):
        minitorch("Spiral", 7)
    with pytest.raises(ValueError, match="at least 1"):
        minitorch("Xor", 0)
    with pytest.raises(ValueError, match="noise"):
        playground("xor", noise=-0.1)
