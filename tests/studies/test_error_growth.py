"""Epsilon against the libraries, cancellation against mpmath and numpy, stochastic rounding by its law."""

from __future__ import annotations

import math
import random
import re
from fractions import Fraction
from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest
import torch

from engine.expression import ExpressionError, parse
from engine.jsonable import encode
from engine.numbers import NAMED, NumberError, Rounding, bf16, fp8_e4m3fn, fp16, fp32, fp64
from engine.numbers.exact_operators import DIGITWISE, RATIONAL, apply, as_float
from engine.studies.error_growth import EXAMPLES, STUDY, ErrorGrowthSetup
from engine.studies.error_growth_cancellation import CLASSICS, CancellationFound, carried_over, dissect
from engine.studies.error_growth_epsilon import EpsilonFound, measure
from engine.studies.error_growth_oracle import mpmath_outputs
from engine.studies.error_growth_rounding import round_often
from engine.studies.error_growth_tree import bits_lost, evaluate_tree

NEAREST = Rounding.NEAREST_EVEN


# ---- epsilon


@pytest.mark.parametrize(
    ("name", "epsilon"),
    [
        ("fp64", np.finfo(np.float64).eps),
        ("fp32", np.finfo(np.float32).eps),
        ("fp16", np.finfo(np.float16).eps),
        ("bf16", torch.finfo(torch.bfloat16).eps),
        ("fp8_e4m3fn", torch.finfo(torch.float8_e4m3fn).eps),
        ("fp8_e5m2", torch.finfo(torch.float8_e5m2).eps),
        ("fp8_e5m2fnuz", ml_dtypes.finfo(ml_dtypes.float8_e5m2fnuz).eps),
        ("fp8_e3m4", ml_dtypes.finfo(ml_dtypes.float8_e3m4).eps),
        ("fp6_e2m3", ml_dtypes.finfo(ml_dtypes.float6_e2m3fn).eps),
        ("fp4_e2m1", ml_dtypes.finfo(ml_dtypes.float4_e2m1fn).eps),
        ("int8", 1.0),
    ],
)
def test_epsilon_is_measured_as_the_libraries_define_it(name: str, epsilon: float) -> None:
    found = measure(NAMED[name], NEAREST)
    assert found.epsilon == found.defined == Fraction(float(epsilon))


def test_the_halvings_are_those_of_numpys_half() -> None:
    for halving in measure(fp16, NEAREST).halvings:
        assert float(halving.total) == float(np.float16(1) + np.float16(float(halving.added)))
        assert halving.counts == (np.float16(1) + np.float16(float(halving.added)) > 1)


def test_the_experiment_fails_in_other_modes() -> None:
    away = measure(fp16, Rounding.NEAREST_AWAY)
    assert away.epsilon == away.defined / 2
    up = measure(fp32, Rounding.UP)
    assert not up.ends
    assert up.epsilon is None
    assert measure(fp16, Rounding.TOWARD_ZERO).epsilon == Fraction(1, 1024)


def test_torch_is_wrong_about_e5m2fnuz_as_we_say_it_is() -> None:
    assert torch.finfo(torch.float8_e5m2fnuz).eps == 0.125
    assert ml_dtypes.finfo(ml_dtypes.float8_e5m2fnuz).eps == 0.25


def test_the_step_shows_one_halving() -> None:
    found = STUDY.run(ErrorGrowthSetup(format="fp16", step=10)).found
    assert isinstance(found, EpsilonFound)
    assert found.shown.total == Fraction(1025, 1024)
    last = STUDY.run(ErrorGrowthSetup(format="fp16", step=60)).found
    assert isinstance(last, EpsilonFound)
    assert last.shown.total == 1


# ---- exact values


def mpmath_of(primitive: str) -> Any:
    special = {
        "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
        "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
        "pow": lambda x, y: x**y,
    }
    return special.get(primitive) or getattr(mpmath, primitive)


@pytest.mark.parametrize("primitive", sorted(DIGITWISE))
def test_functions_have_far_more_digits_than_float64(primitive: str) -> None:
    generator = random.Random(primitive)
    with mpmath.workdps(200):
        for _ in range(40):
            x = generator.choice([1, -1]) * 10 ** generator.uniform(-12, 2.5)
            positive = primitive in ("log", "sqrt", "pow") or (primitive == "log1p" and x < -1)
            arguments = [
                abs(x) if positive else x,
                *([generator.uniform(-3, 3)] if primitive == "pow" else []),
            ]
            found = apply(primitive, [Fraction(a) for a in arguments])
            expected = mpmath_of(primitive)(*map(mpmath.mpf, arguments))
            error = (
                abs(mpmath.mpf(str(found)) - expected)
                if not isinstance(found, Fraction)
                else abs(mpmath.mpf(found.numerator) / found.denominator - expected)
            )
            assert error <= abs(expected) * mpmath.mpf(10) ** -100, (arguments, found)


@pytest.mark.parametrize("primitive", sorted(RATIONAL))
def test_rational_operators_are_exact(primitive: str) -> None:
    generator = random.Random(primitive)
    arity = {"where": 3, "neg": 1, "abs": 1, "sign": 1, "relu": 1, "square": 1, "inverse": 1}.get(
        primitive, 2
    )
    from engine.primitives import TABLE

    for _ in range(50):
        arguments = [generator.uniform(-5, 5) for _ in range(arity)]
        found = apply(primitive, [Fraction(a) for a in arguments])
        assert isinstance(found, Fraction)
        assert float(found) == pytest.approx(float(TABLE[primitive](*arguments)), rel=1e-12)


@pytest.mark.parametrize(
    ("primitive", "arguments", "value"),
    [
        ("div", (1, 0), math.inf),
        ("log", (0,), -math.inf),
        ("sub", (math.inf, math.inf), math.nan),
        ("sqrt", (-1,), math.nan),
        ("exp", (-math.inf,), 0.0),
        ("maximum", (math.inf, 2), math.inf),
    ],
)
def test_infinities_and_nan_are_those_of_ieee(primitive: str, arguments: Any, value: float) -> None:
    exact = [a if isinstance(a, float) else Fraction(a) for a in arguments]
    assert as_float(apply(primitive, exact)) == pytest.approx(value, nan_ok=True)


def test_every_operator_is_rounded_as_numpy_rounds_it() -> None:
    """float64's own + − × ÷ √ are correctly rounded; so are float16's, through float32."""
    program = parse("x = 1\ny = 2\n(x + y) * (x - y) / sqrt(x*x + y)")
    generator = random.Random(4)
    for target, kind in ((fp64, np.float64), (fp32, np.float32), (fp16, np.float16)):
        for _ in range(60):
            x, y = kind(generator.uniform(0.1, 9)), kind(generator.uniform(0.1, 9))
            nodes = evaluate_tree(program, {"x": float(x), "y": float(y)}, target, NEAREST)
            with np.errstate(all="ignore"):
                expected = (x + y) * (x - y) / np.sqrt(x * x + y)
            assert float(nodes[-1].found) == float(expected)


# ---- cancellation


def cancelled(name: str, **more: Any) -> CancellationFound:
    classic = CLASSICS[name]
    settings = {"values": {}, "target": fp32, "mode": NEAREST, **more}
    return dissect(classic.program, swept=classic.swept, **settings)


@pytest.mark.parametrize(
    ("name", "culprit"),
    [
        ("quadratic formula", "-b + root"),
        ("√(x+1) − √x", "sqrt(x + 1) - sqrt(x)"),
        ("(1 − cos x)/x²", "1 - cos(x)"),
        ("variance", "(x1**2 + x2**2 + x3**2 + x4**2)/4 - m**2"),
        ("softmax", "exp(x)"),
        ("log-sum-exp", "exp(x)"),
        ("eˣ − 1", "exp(x) - 1"),
    ],
)
def test_the_guilty_operator_is_found_and_the_rewritten_form_has_none(name: str, culprit: str) -> None:
    found = cancelled(name)
    plain, *rewritten = found.forms
    assert STUDY.run(EXAMPLES["Cancellation"][name]).summary()["form 1, lost at"] == culprit
    assert plain.root.lost > 7
    for form in rewritten:
        assert form.guilty is None
        assert form.root.lost < 2


def test_the_polynomial_loses_its_digits_in_the_last_subtraction() -> None:
    found = cancelled("(x − 2)⁹", target=fp64)
    worst = found.forms[0].guilty
    assert worst is found.forms[0].root
    x = 2.01
    horner = 1.0
    for coefficient in (-18, 144, -672, 2016, -4032, 5376, -4608, 2304, -512):
        horner = horner * x + coefficient
    assert float(found.forms[0].root.found) == horner
    assert float(found.forms[1].root.exact) == float((Fraction(x) - 2) ** 9)


@pytest.mark.parametrize("name", CLASSICS)
@pytest.mark.parametrize("target", [fp64, fp32, bf16])
def test_exact_values_agree_with_mpmath(name: str, target: Any) -> None:
    checks = cancelled(name, target=target).checks()
    assert checks
    assert all(check.passed for check in checks), checks


def test_own_expressions_agree_with_mpmath_and_their_local_error_is_herbies() -> None:
    """A node's local error: the operator on exact arguments rounded once, by mpmath and numpy."""
    text = "x = 0.3\ny = 1e8\nsin(x*y) - tanh(y/(y + x)), (y + x) - y"
    found = dissect(text, {"x": 0.7}, "x", fp64, NEAREST)
    expected = mpmath_outputs(found.program, {"x": 0.7, "y": 1e8})
    assert [as_float(form.root.exact) for form in found.forms] == pytest.approx(expected, rel=1e-15)
    root = found.forms[1].root
    with mpmath.workdps(60):
        exact = (mpmath.mpf(1e8) + mpmath.mpf(0.7)) - mpmath.mpf(1e8)
        local = float(mpmath.mpf(1e8) + mpmath.mpf(0.7)) - 1e8
        lost = mpmath.log(1 + abs(local - exact) / mpmath.mpf(np.spacing(0.7)), 2)
    assert root.lost_here == pytest.approx(float(lost), abs=1e-9)
    assert found.forms[1].guilty is root


def test_bits_lost_count_units_of_the_last_place() -> None:
    one = Fraction(1)
    assert bits_lost(one, one, fp32) == 0
    assert bits_lost(one + Fraction(1, 2**23), one, fp32) == 1
    assert bits_lost(one + Fraction(7, 2**23), one, fp32) == 3
    assert bits_lost(math.inf, one, fp32) == 24
    assert bits_lost(math.nan, math.nan, fp32) == 0


def test_the_sweep_runs_over_the_input_and_shows_where_a_form_fails() -> None:
    found = cancelled("√(x+1) − √x", target=fp64)
    assert (found.exponents[0], found.exponents[-1]) == (2, 10)
    for exponent, lost in list(zip(found.exponents, found.forms[0].swept, strict=True))[::8]:
        x = np.float64(10.0**exponent)
        with mpmath.workdps(60):
            exact = mpmath.sqrt(mpmath.mpf(float(x)) + 1) - mpmath.sqrt(mpmath.mpf(float(x)))
            units = abs(mpmath.mpf(float(np.sqrt(x + 1) - np.sqrt(x))) - exact) / float(
                np.spacing(float(exact))
            )
        assert lost == pytest.approx(float(mpmath.log(1 + units, 2)), abs=1e-6)
    assert found.forms[1].swept.max() < 2.5


def test_what_is_out_of_reach_is_a_gap_and_not_a_number() -> None:
    found = dissect("x = 1e17\nexp(x) - 1 - exp(x)", {"x": 1.0}, "x", fp64, NEAREST)
    assert np.isnan(found.forms[0].swept[-1])
    with pytest.raises(NumberError, match="too large to be known"):
        dissect("x = 1e20\nexp(x)", {}, "x", fp64, NEAREST)


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"expression": ""}, ExpressionError, "no expression yet"),
        ({"expression": "1 +"}, ExpressionError, "a value is missing"),
        ({"expression": "f(x)"}, ExpressionError, "there is no function"),
        ({"expression": "x, x, x, x"}, NumberError, "may have 3 forms"),
        ({"expression": "+".join(["x"] * 200)}, NumberError, "at most 120 operations"),
        ({"expression": "erf(x)", "swept": ""}, NumberError, "erf has no exact value"),
        ({"swept": "z"}, NumberError, "“z” cannot be varied"),
        ({"swept": "b - "}, NumberError, "cannot be varied"),
    ],
)
def test_bad_expressions_say_what_is_wrong(fields: dict[str, str], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=re.escape(said)):
        STUDY.run(ErrorGrowthSetup(experiment="Cancellation", **fields))


# ---- stochastic rounding


def test_a_third_in_bf16_is_one_of_two_neighbours() -> None:
    """StochasticRounding.jl: 0.33398438 with probability 2/3, 0.33203125 with 1/3."""
    found = round_often(Fraction(1, 3), bf16, 1000, 0)
    third = float(ml_dtypes.bfloat16(1 / 3))
    assert {float(found.below), float(found.above)} == {0.33203125, 0.333984375}
    assert float(found.nearest) == third
    assert float(found.probability) == pytest.approx(2 / 3)
    assert abs(found.count - 2000 / 3) < 5 * math.sqrt(1000 * 2 / 9)
    assert float(found.mean) == pytest.approx(1 / 3, abs=5 * float(found.gap) * math.sqrt(2 / 9 / 1000))


@pytest.mark.parametrize(
    ("number", "target"), [("1e-7", fp16), ("0.1", fp8_e4m3fn), ("-2.3", bf16), ("2049", fp16)]
)
def test_means_close_in_as_the_law_says(number: str, target: Any) -> None:
    found = round_often(Fraction(number), target, 10_000, 1)
    size = np.sqrt(np.mean(found.errors() ** 2, axis=0))
    assert size[-1] == pytest.approx(found.expected()[-1], rel=0.5)
    assert found.checks()[0].passed


@pytest.mark.parametrize(
    ("number", "name", "said"),
    [
        ("0.5", "bf16", "is a number of bf16"),
        ("1/3", "fp64", "a format below fp64"),
        ("1e9", "fp16", "beyond fp16"),
        ("nan", "fp16", "beyond fp16"),
        ("a third", "fp16", "is not a number"),
    ],
)
def test_numbers_that_are_not_rounded_say_so(number: str, name: Any, said: str) -> None:
    with pytest.raises(NumberError, match=said):
        STUDY.run(ErrorGrowthSetup(experiment="Stochastic rounding", number=number, format=name))


# ---- all of it


@pytest.mark.parametrize("experiment", ["Epsilon", "Cancellation", "Stochastic rounding"])
def test_examples_pass_their_checks(experiment: str) -> None:
    for setup in EXAMPLES[experiment].values():
        result = STUDY.run(setup)
        checks = STUDY.check(result)
        assert checks
        assert all(check.passed for check in checks), [check for check in checks if not check.passed]
        assert len({len(column) for column in result.table().values()}) == 1


def test_a_setup_gives_the_same_figures_again() -> None:
    for experiment in EXAMPLES:
        setup = list(EXAMPLES[experiment].values())[-1]
        assert encode(dict(STUDY.run(setup).summary())) == encode(dict(STUDY.run(setup).summary()))


def test_an_edited_expression_keeps_what_still_has_a_meaning() -> None:
    old, values = "x = 1\ny = 2\nx + y", {"x": 5.0, "y": 6.0}
    assert carried_over(old, "x = 1\ny = 3\nx - y", "x - 2", values) == {
        "swept": "x - 2",
        "values": {"x": 5.0},
    }
    assert carried_over(old, "z = 1\nz*z", "y", values) == {"swept": "", "values": {}}
    assert carried_over(old, "1 +", "y", values) == {}
    assert carried_over("1 +", old, "y", values) == {"swept": "y", "values": {}}
