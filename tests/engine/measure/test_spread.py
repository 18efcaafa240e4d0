"""Medians, quartiles and rates, against numpy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.measure import Spread, Timing

POSITIVE = st.floats(1e-9, 1e9)


@given(st.lists(POSITIVE, min_size=1, max_size=50))
def test_quartiles_are_numpys(samples: list[float]) -> None:
    spread = Spread.of(samples)
    expected = np.percentile(samples, [50, 25, 75])
    assert np.allclose([spread.median, spread.lower, spread.upper], expected, rtol=1e-12)


@given(st.lists(POSITIVE, min_size=1, max_size=50), POSITIVE)
def test_a_rate_has_its_quartiles_in_order(samples: list[float], amount: float) -> None:
    rate = Spread.of(samples).inverse(amount)
    assert rate.lower <= rate.median <= rate.upper
    assert np.isclose(rate.median, amount / np.median(samples), rtol=1e-12)


def test_no_samples_have_no_median() -> None:
    with pytest.raises(ValueError, match="no samples"):
        Spread.of([])


def test_rates_are_per_nanosecond() -> None:
    timing = Timing("a", 1, 8e6, "flop", 0.1, 0.1, (2e-3, 1e-3, 4e-3))
    assert timing.rate.median == pytest.approx(4.0)  # 8 million in 2 ms
    assert timing.best == pytest.approx(8.0)
