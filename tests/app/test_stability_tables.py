"""The stability study in words: numbers by name, right and wrong told apart, links that open."""

import math

import pytest

from app import permalink
from app.figures import stability
from engine import studies
from engine.studies.stability import FORMULAS, Outcome, StabilitySetup, run


def found(program: str, x: float = 1000.0) -> list[Outcome]:
    return [o for o in run(StabilitySetup(x=x)).outcomes if o.formula.program == program]


@pytest.mark.parametrize(
    ("number", "text"),
    [(math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "−∞"), (-0.0, "0"), (-1000.0, "−1000"), (1e-9, "1e−09")],
)
def test_numbers_as_the_page_prints_them(number: float, text: str) -> None:
    assert stability.figure(number) == text


def test_a_formula_that_breaks_on_one_side() -> None:
    outcomes = found("1 / (1 + exp(-x))")
    assert stability.outcome_table(outcomes).splitlines()[2:] == [
        "| **−1000** | :green[0 ✓] | :red[NaN ✗] |",
        "| **1000** | :green[1 ✓] | :green[0 ✓] |",
    ]
    assert stability.verdict(outcomes) == ":red[✗ at −1000: exp gives ∞]"


def test_a_formula_that_holds() -> None:
    outcomes = found("sigmoid(x)")
    assert "✗" not in stability.outcome_table(outcomes)
    assert stability.verdict(outcomes).startswith(":green[✓")


def test_right_figures_have_their_digits() -> None:
    # ln(2·exp(1000)) = 1000 + ln 2
    assert f"**{1000 + math.log(2):.8g}**" in stability.right_figures(found("log(exp(x) + exp(x))"))


def test_every_function_has_all_of_its_formulas() -> None:
    grouped = stability.by_function(run(StabilitySetup()).outcomes)
    assert [formula for formulas in grouped.values() for formula in formulas] == list(FORMULAS)
    assert all(len(outcomes) == 2 for formulas in grouped.values() for outcomes in formulas.values())


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.program)
def test_the_link_opens_the_graph_page_where_the_formula_breaks(formula: object) -> None:
    outcomes = [o for o in run(StabilitySetup()).outcomes if o.formula is formula]
    decoded = permalink.decode(studies.load("graph"), stability.graph_query(outcomes))
    assert decoded.problems == ()
    broken = [o.x for o in outcomes if not o.right]
    assert decoded.setup.model_dump()["values"]["x"] == (broken or [1000.0])[0]
