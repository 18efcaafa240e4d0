"""What the symmetry net should find: by counting, and from weights that are written down."""

from itertools import combinations, product

import numpy as np
import pytest

from engine.historic.patterns import exclusive_or, rows_of_bits, symmetry
from engine.historic.symmetry import FORMS, asymmetry, form, half_sums, ratios


def test_patterns_are_all_there_once() -> None:
    patterns = symmetry()
    assert len({tuple(row) for row in patterns.inputs.tolist()}) == 64
    for row, (target,) in zip(patterns.inputs.tolist(), patterns.targets, strict=True):
        assert target == (row == row[::-1])
    assert patterns.targets.sum() == 8
    assert exclusive_or().targets[:, 0].tolist() == [0, 1, 1, 0]


def test_only_two_forms_up_to_4_give_every_half_its_own_sum() -> None:
    found = [
        sizes
        for sizes in combinations(range(1, 5), 3)
        if len(
            {sum(x * bit for x, bit in zip(sizes, half, strict=True)) for half in product((0, 1), repeat=3)}
        )
        == 8
    ]
    assert found == [(1, 2, 4), (2, 3, 4)]
    expected = {f"{a} : {b} : {c}": (b / a, c / a) for a, b, c in found}
    assert expected == FORMS


@pytest.mark.parametrize("sizes", [(1, 2, 4), (4, -1, 2), (2, 3, 4)])
def test_a_unit_of_such_weights_gets_0_from_symmetric_rows_alone(sizes: tuple[int, ...]) -> None:
    weights = np.array([[*sizes, *(-x for x in reversed(sizes))]], np.float32)
    rows = rows_of_bits(6)
    zero = (rows @ weights[0]) == 0
    np.testing.assert_array_equal(zero, (rows == rows[:, ::-1]).all(1))
    assert asymmetry(weights).tolist() == [0.0]
    assert form(ratios(weights)[0]) == " : ".join(str(x) for x in sorted(map(abs, sizes)))


def test_measures_of_other_weights() -> None:
    weights = np.array([[1, 2, 4, -4, -2, -0.5], [0] * 6, [1, 1, 1, 1, 1, 1]], np.float32)
    found = asymmetry(weights)
    assert found[0] == 0.125
    assert np.isnan(found[1])
    assert found[2] == 2.0
    assert np.isnan(ratios(weights)[1:]).all()
    assert form(ratios(weights)[0]) == ""
    assert form(ratios(weights)[1]) == ""


def test_the_sums_of_halves_make_the_sum_of_a_row() -> None:
    weights = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    sums = half_sums(weights)
    for row in rows_of_bits(6):
        left = int("".join(str(int(bit)) for bit in row[:3]), 2)
        right = int("".join(str(int(bit)) for bit in row[:2:-1]), 2)
        np.testing.assert_allclose(sums[:, 0, left] + sums[:, 1, right], weights @ row, atol=1e-6)
