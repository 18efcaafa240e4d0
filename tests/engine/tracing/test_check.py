"""The numeric check on functions whose derivatives are known on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from engine.tracing.check import check
from engine.tracing.tape import Action, Numbers, Tape, Value
from engine.tracing.trace import NumericCheck
from engine.tracing.whole import check_whole


@dataclass
class Formula:
    """A function of one array and its derivative, elementwise."""

    values: Numbers
    function: Callable[[Numbers], Numbers]
    slope: Callable[[Numbers], Numbers]

    def outputs(self, changed: Mapping[int, Numbers]) -> list[Numbers]:
        return [self.function(changed.get(0, self.values))]

    def vjp(self, cotangents: Sequence[Numbers | None]) -> list[Numbers | None]:
        (arrived,) = cotangents
        assert arrived is not None
        return [arrived * self.slope(self.values)]


def checked(
    values: Numbers,
    function: Callable[[Numbers], Numbers],
    slope: Callable[[Numbers], Numbers],
    left: float = 1.0,
) -> tuple[NumericCheck, NumericCheck]:
    """The check of the operation, and of its operand, where backprop left `left` times what was sent."""
    arrived = np.random.default_rng(0).normal(size=values.shape)
    result = function(values)
    x = Value(
        "parameter", values.shape, "float64", True, numbers=values, gradient=left * arrived * slope(values)
    )
    y = Value("result", result.shape, "float64", True, numbers=result, gradient=arrived)
    action = Action("f", [0], [1], replay=Formula(values, function, slope))
    check(Tape(0, True, [x, y], [action]))
    (found,) = action.checks
    assert found is not None
    assert x.check is not None
    return found, x.check


DRAWN = np.random.default_rng(1).normal(size=(6, 5))


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (np.sin, np.cos),
        (np.exp, np.exp),
        (lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(float)),
        (lambda x: x**3, lambda x: 3 * x**2),
    ],
)
def test_a_right_derivative_passes(
    function: Callable[[Numbers], Numbers], slope: Callable[[Numbers], Numbers]
) -> None:
    operation, operand = checked(DRAWN, function, slope)
    assert (operation.verdict, operand.verdict) == ("passed", "passed")
    assert operation.recorded == pytest.approx(operation.numeric, rel=1e-5)


@pytest.mark.parametrize("factor", [-1.0, 0.5, 1.01, 2.0])
def test_a_wrong_derivative_fails(factor: float) -> None:
    operation, operand = checked(DRAWN, np.sin, lambda x: factor * np.cos(x))
    assert (operation.verdict, operand.verdict) == ("failed", "failed")
    assert operation.recorded == pytest.approx(factor * operation.numeric, rel=1e-4)  # type: ignore[operator]


def test_one_element_that_is_wrong_is_enough() -> None:
    def slope(x: Numbers) -> Numbers:
        found = np.cos(x)
        found[0, 0] += 0.1
        return found

    assert checked(DRAWN, np.sin, slope)[0].verdict == "failed"


def test_a_gradient_that_is_not_what_was_sent_fails() -> None:
    operation, operand = checked(DRAWN, np.sin, np.cos, left=2.0)
    assert (operation.verdict, operand.verdict) == ("passed", "failed")


def test_at_a_kink_nothing_is_claimed() -> None:
    operation, _ = checked(np.zeros(4), np.abs, np.ones_like)
    assert operation.verdict == "undecided"
    assert "kink" in operation.why


def test_zeros_are_spared_where_others_tell() -> None:
    values = DRAWN.copy()
    values[:3] = 0.0
    operation, _ = checked(values, np.abs, np.sign)
    assert operation.verdict == "passed"


def test_a_zero_bias_is_checked_like_any_other() -> None:
    operation, _ = checked(np.zeros(4), np.sin, lambda x: 2 * np.cos(x))
    assert operation.verdict == "failed"


def test_what_cannot_be_done_again_is_undecided() -> None:
    drawn = np.random.default_rng(5)

    def random(x: Numbers) -> Numbers:
        made: Numbers = x * drawn.integers(0, 2, x.shape)
        return made

    operation, operand = checked(DRAWN, random, np.ones_like)
    assert (operation.verdict, operand.verdict) == ("undecided", "undecided")
    assert operation.why == "doing it again gives other numbers"


def chain(factor: float = 1.0, **flaws: object) -> Tape:
    """L = Σ sin(x)², whose gradient is 2 sin x · cos x, here times a factor; `flaws` are of a square."""
    x = DRAWN.copy()
    inner, outer = np.sin(x), np.sin(x) ** 2
    values = [
        Value("parameter", x.shape, "float64", True, "x", x, factor * 2 * inner * np.cos(x)),
        Value("result", x.shape, "float64", True, numbers=inner, gradient=2 * inner),
        Value("result", x.shape, "float64", True, numbers=outer, gradient=np.ones_like(x)),
        Value("result", (), "float64", True, numbers=outer.sum(), gradient=np.ones(())),
    ]
    actions = [
        Action("sin", [0], [1], replay=Formula(x, np.sin, np.cos)),
        Action("square", [1], [2], replay=Formula(inner, np.square, lambda a: 2 * a)),
        Action("sum", [2], [3], replay=Formula(outer, np.sum, np.ones_like)),
    ]
    for name, value in flaws.items():
        setattr(actions[1], name, value)
    return Tape(0, True, values, actions, loss=3)


def test_the_loss_as_a_whole_is_done_again() -> None:
    found = check_whole(chain())
    assert found is not None
    assert found.verdict == "passed"
    assert found.recorded == pytest.approx(found.numeric, rel=1e-6)


@pytest.mark.parametrize("factor", [-1.0, 0.5, 1.01, 3.0])
def test_a_gradient_that_is_wrong_as_a_whole_is_seen(factor: float) -> None:
    found = check_whole(chain(factor))
    assert found is not None
    assert found.verdict == "failed"
    assert found.recorded == pytest.approx(factor * found.numeric, rel=1e-5)  # type: ignore[operator]


def test_a_whole_that_cannot_be_done_again_says_why() -> None:
    found = check_whole(chain(replay=None, why_not="complex numbers are not checked"))
    assert found is not None
    assert found.verdict == "undecided"
    assert found.why == "square: complex numbers are not checked"
    other = check_whole(chain(replay=Formula(DRAWN, lambda a: a**2 + 1, np.ones_like)))
    assert other is not None
    assert (other.verdict, other.why) == ("undecided", "doing square again gives other numbers")


def test_a_gradient_from_elsewhere_is_no_fault() -> None:
    tape = chain(2.0)
    tape.values[0].incomplete = True
    found = check_whole(tape)
    assert found is not None
    assert found.verdict == "undecided"
    assert "not recorded" in found.why


@pytest.mark.parametrize("loss", [None, 2])
def test_without_a_loss_of_one_number_there_is_no_whole(loss: int | None) -> None:
    tape = chain()
    tape.loss = loss
    assert check_whole(tape) is None
