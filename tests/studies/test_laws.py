"""The study of laws: verdicts that are known, figures held against torch, mpmath, fractions and counting."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from engine.expression import ExpressionError
from engine.numbers import NumberError
from engine.studies import laws
from engine.studies.laws import EXAMPLES, Job, LawsResult, LawsSetup, begin, check, run
from engine.studies.laws_found import Chance
from engine.studies.laws_picture import paint
from engine.studies.laws_setup import read_law, trial_of, uses_operator, variables_of

FEW: dict[str, Any] = {"examples": 100}
HOLDING = [
    ("Algebra", "commutativity"), ("Algebra", "identity"), ("Algebra", "idempotence"),
    ("Algebra", "x − x = 0"),
    ("Algebra", "−(−x) = x"), ("Algebra", "Sterbenz"), ("Functions", "even"), ("Functions", "odd"),
    ("Functions", "relu splits"), ("Functions", "relu is idempotent"), ("Derivatives", "product rule"),
]  # fmt: skip
BROKEN = [
    ("Algebra", "distributivity"), ("Algebra", "cancellation"), ("Algebra", "0.1 + 0.2 = 0.3"),
    ("Inverses", "exp and log"), ("Inverses", "log and exp"), ("Inverses", "reciprocal"),
    ("Inverses", "square root"), ("Functions", "sigmoid(−x) = 1 − sigmoid(x)"),
    ("Functions", "exp of a sum"),
    ("Vectors", "softmax sums to 1"), ("Derivatives", "quotient rule"),
]  # fmt: skip


def result(law: str, **fields: Any) -> LawsResult:
    return run(LawsSetup(law=law, **{**FEW, **fields}))


@pytest.mark.parametrize(("section", "name"), HOLDING)
def test_laws_of_ieee_arithmetic_are_not_refuted(section: str, name: str) -> None:
    found = run(EXAMPLES[section][name].model_copy(update=FEW))
    assert found.summary()["verdict"] == "not refuted"
    assert found.found.chance.broken == 0
    assert all(each.passed for each in check(found))


@pytest.mark.parametrize(("section", "name"), BROKEN)
def test_what_is_no_law_is_refuted_and_torch_agrees(section: str, name: str) -> None:
    found = run(EXAMPLES[section][name].model_copy(update=FEW))
    assert found.summary()["verdict"] == "refuted"
    checks = check(found)
    assert checks
    assert all(each.passed for each in checks)
    assert {each.oracle.split()[0] for each in checks} >= {"torch"}


def test_every_law_of_the_gallery_can_be_read_and_is_distinct() -> None:
    setups = [setup for section in EXAMPLES.values() for setup in section.values()]
    assert all(read_law(setup).statement(3).left for setup in setups)
    assert len({setup.model_dump_json() for setup in setups}) == len(setups)


def test_associativity_fails_at_the_end_of_the_whole_numbers() -> None:
    """2^24 is where float32 stops telling whole numbers apart."""
    found = run(LawsSetup())
    given = {name: float(value) for name, value in found.path[-1].given.items()}
    a, b, c = (np.float32(given[name]) for name in "abc")
    assert float((a + b) + c) == found.path[-1].left
    assert float(a + (b + c)) == found.path[-1].right
    assert found.path[-1].left != found.path[-1].right
    assert found.found.reals.example is None
    exact = sum(map(Fraction, given.values()))
    assert found.shown is not None
    assert found.shown.exact_left == found.shown.exact_right == exact


def test_steps_are_torchs_and_say_where_rounding_entered() -> None:
    found = result("(a + b)*(a - b) == a**2 - b**2", domain="|x| ≤ 1000")
    shown = found.shown
    assert shown is not None
    a, b = (torch.tensor(float(shown.given[name]), dtype=torch.float32) for name in "ab")
    expected = [a + b, a - b, (a + b) * (a - b), a**2, b**2, a**2 - b**2]
    steps = [*shown.left_steps, *shown.right_steps]
    assert [step.value for step in steps] == [float(each) for each in expected]
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    exact_a, exact_b = Fraction(float(a)), Fraction(float(b))
    assert steps[2].exact == (exact_a + exact_b) * (exact_a - exact_b)
    added = exact_a + exact_b
    ulp = Fraction(float(torch.nextafter(abs(a + b), torch.tensor(math.inf)) - abs(a + b)))
    assert steps[0].rounding == pytest.approx(float((Fraction(steps[0].value) - added) / ulp), abs=1e-9)  # type: ignore[arg-type]
    assert all(step.rounding is None or abs(step.rounding) <= 0.5 for step in steps[:3])
    assert steps[2].text == "(a + b)*(a - b)"


def test_constants_that_are_held_with_an_error_are_steps() -> None:
    shown = result("0.1 + 0.2 == 0.3", format="float64").shown
    assert shown is not None
    assert shown.left == 0.1 + 0.2
    assert shown.right == 0.3
    assert shown.apart == 1.0
    assert [step.text for step in (*shown.left_steps, *shown.right_steps)] == [
        "0.1",
        "0.2",
        "0.1 + 0.2",
        "0.3",
    ]
    assert shown.exact_left == shown.exact_right == Fraction(3, 10)


def test_shares_are_counted_again_by_numpy() -> None:
    setup = LawsSetup(law="(a + b) - b == a", domain="|x| ≤ 1000", **FEW)
    found = run(setup)
    trial = trial_of(setup, read_law(setup))
    _, inputs = trial.sample(setup.seed, found.found.chance.drawn)
    a, b = (inputs[name].astype(np.float32) for name in "ab")
    broken = int((((a + b) - b) != a).sum())
    chance = found.found.chance
    assert chance.broken == broken > 0
    assert chance.share == broken / 2000
    assert chance.standard_error == pytest.approx(math.sqrt(chance.share * (1 - chance.share) / 2000))
    assert chance.beyond(0) == pytest.approx(chance.share)
    assert found.found.largest >= chance.apart.max()


def test_shares_by_closed_form() -> None:
    """Of two digits from −10 to 10 one in 21 pairs is equal."""
    chance = result("a != b", domain="small integers").found.chance
    assert abs(chance.share - 1 / 21) < 5 * chance.standard_error
    assert math.isnan(Chance(10, 0, 0, np.empty(0)).share)


def test_a_near_law_is_the_largest_difference_of_all() -> None:
    exact = result("sqrt(x)**2 == x", domain="positive")
    assert exact.found.hunt.path
    assert 1 <= exact.found.largest < math.inf
    loose = result("sqrt(x)**2 == x", domain="0 to 1", closeness="within ulps", ulps=1000)
    assert not loose.found.hunt.path
    overflow = result("(a*b)/b == a", domain="positive")
    assert overflow.found.largest == math.inf


def test_the_picture_is_numpys_over_the_same_grid() -> None:
    setup = LawsSetup(law="(a + b) - b == a", domain="finite", **FEW)
    picture = run(setup).picture
    assert picture is not None
    a, b = np.meshgrid(picture.xs.astype(np.float32), picture.ys.astype(np.float32))
    assert (picture.across, picture.down) == ("a", "b")
    with np.errstate(all="ignore"):
        left = (a + b) - b
    np.testing.assert_array_equal(picture.broken, left != a)
    np.testing.assert_array_equal(picture.apart == 0, left == a)
    middle = [picture.middle["a"], picture.middle["b"]]
    assert middle[0] in picture.xs
    assert middle[1] in picture.ys


def test_a_picture_is_empty_where_the_law_says_nothing() -> None:
    setup = LawsSetup(law="when a < b\na + b != 3", domain="small integers", **FEW)
    trial = trial_of(setup, read_law(setup))
    picture = paint(trial, {"a": 1.0, "b": 2.0}, 2)
    assert picture is not None
    a, b = np.meshgrid(picture.xs, picture.ys)
    np.testing.assert_array_equal(np.isnan(picture.apart), ~(a < b))
    assert set(picture.xs.tolist()) <= set(range(-10, 11))
    line = result("exp(log(x)) == x", domain="positive").picture
    assert line is not None
    assert line.down == ""
    assert line.apart.shape[0] == 1


def test_exact_arithmetic_and_what_it_cannot() -> None:
    assert not result("(a + b) + c == a + (b + c)", format="exact", domain="|x| ≤ 1000").found.hunt.path
    found = result("(a + b)**2 == a**2 + b**2", format="exact", domain="small integers")
    assert found.found.hunt.path
    assert found.shown is not None
    a, b = found.shown.given["a"], found.shown.given["b"]
    assert found.shown.left == (a + b) ** 2 != a**2 + b**2
    assert all(each.passed for each in check(found))
    with pytest.raises(NumberError, match="erf has no exact value"):
        result("erf(x) == x", format="exact")
    unknown = result("erf(-x) == -erf(x)", domain="finite")
    assert "erf" in unknown.found.reals.problem
    assert unknown.summary()["without rounding"] == "not tried"


def test_what_is_false_of_numbers_is_told_from_what_rounding_breaks() -> None:
    assert result("sin(x) == x", domain="0 to 1").summary()["without rounding"] == "fails too"
    assert result("(a + b) - b == a").summary()["without rounding"] == "holds too"


def test_an_operator_of_ones_own() -> None:
    midpoint = result("f(f(a, b), c) == f(a, f(b, c))", operator="(a + b)/2", domain="small integers")
    assert midpoint.found.hunt.path
    assert midpoint.summary()["without rounding"] == "fails too"
    largest = result("f(f(a, b), c) == f(a, f(b, c))", operator="max", domain="small integers")
    assert not largest.found.hunt.path
    assert uses_operator("f(a) == a")
    assert not uses_operator("f(p) = p\nf(a) == a")
    assert variables_of(LawsSetup(law="a +")) == {}


@pytest.mark.parametrize("law", ["", "a + b", "softmax(x) == 1", "a == b == c"])
def test_bad_laws_are_refused(law: str) -> None:
    with pytest.raises(ExpressionError):
        result(law)


def test_results_repeat_and_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = LawsSetup(law="(a/b)*b == a", domain="positive", **FEW)
    first = run(setup)
    assert run(setup.model_copy(update={"back": 1, "zoom": 2})).found is first.found
    monkeypatch.setattr(laws, "_results", laws._Kept())
    again = run(setup)
    assert again.found is not first.found
    assert again.summary() == first.summary()
    assert again.table() == first.table()


def test_the_example_that_is_shown_is_one_of_the_path() -> None:
    setup = LawsSetup(law="(a/b)*b == a", domain="positive", **FEW)
    found = run(setup)
    last = len(found.found.hunt.path) - 1
    first = run(setup.model_copy(update={"back": 1000}))
    assert (found.place, first.place) == (last, 0)
    assert first.example == found.found.hunt.path[0].example
    assert all(each.passed for each in check(first))
    assert len(found.table()["example"]) == last + 1


def test_jobs_run_beside_each_other_and_stop() -> None:
    setups = [LawsSetup(law="a + b == b + a", seed=seed, **FEW) for seed in range(900, 908)]
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(begin, setups))
        results = list(pool.map(lambda job: (job.wait(60), job.result(job.setup)), jobs))
    assert all(over and not found.found.hunt.path for over, found in results)
    long = Job(LawsSetup(law="vector x\nsum(softmax(x)) <= 2", domain="|x| ≤ 1000", examples=2000, seed=901))
    long.stop()
    assert long.wait(60)
    assert long.result(long.setup).found.hunt.end == "stopped"
    assert long.is_cut_short
    bad = Job(LawsSetup(law="a +"))
    assert bad.wait(60)
    assert not bad.is_cut_short
    with pytest.raises(ExpressionError):
        bad.result(bad.setup)
