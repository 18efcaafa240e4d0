"""Stochastic rounding is unbiased: two hundred numbers, a million roundings of each, by chi-square."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chi2

from engine.numbers import named
from engine.numbers.arrays import round_array
from engine.numbers.exact import Rounding
from engine.numbers.floating import FloatFormat

DRAWS = 1_000_000
TARGETS = [named.fp16, named.bf16, named.fp8_e4m3fn, named.fp8_e5m2]
EACH = 50  # numbers of each format
CHANCE = 1e-6  # of failing although nothing is wrong; the seeds are fixed


def numbers(target: FloatFormat) -> list[float]:
    """Of both signs: subnormal ones, below the smallest, and normal ones; all with bits to be dropped."""
    random = np.random.default_rng(target.bits)
    unit, normal = float(target.ulp(0)), float(target.smallest_normal)
    subnormal = random.uniform(0, normal, 20)
    tiny = random.uniform(0, unit, 5)
    ordinary = np.exp(random.uniform(np.log(normal), np.log(float(target.largest) / 2), EACH - 25))
    drawn = np.concatenate([subnormal, tiny, ordinary]) * random.choice([-1, 1], EACH)
    return [float(x) for x in drawn.astype(np.float32)]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_million_roundings_of_each_number_go_up_as_often_as_it_is_near(target: FloatFormat) -> None:
    statistic = 0.0
    for seed, value in enumerate(numbers(target)):
        around = target.around(value)
        assert around is not None
        below, above = (Fraction(target.decode(code)) for code in around)
        chance = float((Fraction(value) - below) / (above - below))
        drawn = round_array(np.full(DRAWS, value, np.float32), target, Rounding.STOCHASTIC, seed=seed)
        ups = np.count_nonzero(drawn == np.float32(above))
        assert ups + np.count_nonzero(drawn == np.float32(below)) == DRAWS
        statistic += (ups - DRAWS * chance) ** 2 / (DRAWS * chance * (1 - chance))
    assert chi2.ppf(CHANCE, EACH) < statistic < chi2.ppf(1 - CHANCE, EACH)
