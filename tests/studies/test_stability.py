"""The study of stability: naive formulas break as they do in numpy and torch, stable ones do not."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from engine.studies.stability import FORMULAS, STUDY, Outcome, StabilitySetup
from tests.engine.reference import gradients, leaf

MAGNITUDES = [0.0, 1.0, 20.0, 36.0, 700.0, 710.0, 1000.0, 10000.0]

# Each formula as torch code, written by hand from its name.
BY_TORCH: dict[str, Callable[[Tensor], Tensor]] = {
    "1 / (1 + exp(−x))": lambda x: 1 / (1 + torch.exp(-x)),
    "exp(x) / (1 + exp(x))": lambda x: torch.exp(x) / (1 + torch.exp(x)),
    "sigmoid(x) of the table": torch.sigmoid,
    "log(exp(x) + exp(x))": lambda x: torch.log(torch.exp(x) + torch.exp(x)),
    "m + log(exp(x − m) + exp(x − m)), m = max(x, x)": lambda x: torch.logsumexp(torch.stack([x, x]), 0),
}
STABLE: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "log-sum-exp": lambda x: torch.logaddexp(x, x),
}


def outcomes(x: float) -> tuple[Outcome, ...]:
    return STUDY.run(StabilitySetup(x=x)).outcomes


def outcome(name: str, x: float) -> Outcome:
    (found,) = [o for o in outcomes(abs(x)) if o.formula.name == name and o.x == x]
    return found


@pytest.mark.parametrize("magnitude", MAGNITUDES)
def test_every_formula_does_what_it_does_in_torch(magnitude: float) -> None:
    for found in outcomes(magnitude):
        x = leaf(found.x)
        output = BY_TORCH[found.formula.name](x)
        # torch's sigmoid gives 0 below −709.78, where ours still has a denormal number
        expected = pytest.approx(float(output.detach()), rel=1e-12, abs=1e-300, nan_ok=True)
        assert found.value == expected, found
        (slope,) = gradients(output, [x])
        assert found.gradient == pytest.approx(float(slope), rel=1e-9, abs=1e-15, nan_ok=True), found


@pytest.mark.parametrize("magnitude", MAGNITUDES)
def test_what_is_right_is_what_stable_functions_give(magnitude: float) -> None:
    for found in outcomes(magnitude):
        x = leaf(found.x)
        output = STABLE[found.formula.function](x)
        (slope,) = gradients(output, [x])
        assert found.right_value == pytest.approx(float(output.detach()), rel=1e-12, abs=1e-300)
        assert found.right_gradient == pytest.approx(float(slope), rel=1e-6, abs=1e-15)
        if found.formula.function == "log-sum-exp":
            assert found.right_value == pytest.approx(float(np.logaddexp(found.x, found.x)), rel=1e-14)
        else:
            assert found.right_value == pytest.approx(0.5 + 0.5 * math.tanh(found.x / 2.0), abs=1e-15)


@pytest.mark.parametrize("magnitude", MAGNITUDES)
def test_stable_formulas_pass_their_checks(magnitude: float) -> None:
    checks = STUDY.check(STUDY.run(StabilitySetup(x=magnitude)))
    assert len(checks) == 2 * 2 * sum(formula.stable for formula in FORMULAS)
    for check in checks:
        assert check.passed, check
        assert "decimal" in check.oracle
    assert all(o.right for o in outcomes(magnitude) if o.formula.stable)


def test_where_naive_formulas_break_and_what_breaks_them() -> None:
    """exp overflows above 709.78. 1/(1 + ∞) is still right; its gradient is 0 · ∞."""
    first = outcome("1 / (1 + exp(−x))", -1000.0)
    assert first.value == first.right_value == 0.0
    assert math.isnan(first.gradient)
    assert first.culprit == "exp gives inf"
    assert not first.right

    second = outcome("exp(x) / (1 + exp(x))", 1000.0)
    assert math.isnan(second.value)
    assert second.culprit == "exp gives inf"

    assert outcome("log(exp(x) + exp(x))", 1000.0).value == math.inf
    below = outcome("log(exp(x) + exp(x))", -1000.0)
    assert below.value == -math.inf
    assert below.culprit == "log gives -inf"


def test_naive_formulas_are_right_where_nothing_overflows() -> None:
    assert all(found.right for found in outcomes(1.0))
    assert {found.culprit for found in outcomes(1.0)} == {""}


def test_stable_formulas_have_no_culprit() -> None:
    assert {found.culprit for found in outcomes(1000.0) if found.formula.stable} == {""}


def test_both_signs_of_every_formula() -> None:
    found = outcomes(5.0)
    assert [(o.formula, o.x) for o in found] == [(f, x) for f in FORMULAS for x in (-5.0, 5.0)]


def test_summary_and_table() -> None:
    result = STUDY.run(StabilitySetup(x=1000.0))
    table = result.table()
    assert {len(column) for column in table.values()} == {2 * len(FORMULAS)}
    assert table["x"] == [-1000.0, 1000.0] * len(FORMULAS)
    summary = result.summary()
    assert len(summary) == 2 * len(FORMULAS)
    assert summary["sigmoid(x) of the table at 1000"] == "1, gradient 0"
    assert summary["log(exp(x) + exp(x)) at 1000"] == "inf, gradient nan"


@pytest.mark.parametrize(
    "fields", [{"x": -1.0}, {"x": 10001.0}, {"x": math.inf}, {"x": "big"}, {"y": 1.0}], ids=str
)
def test_setups_out_of_bounds_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StabilitySetup(**fields)
