"""The outcomes of the stability study as tables in words: what each formula gives, and where it breaks."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from engine.agreement import difference
from engine.studies.stability import TOLERANCE, Formula, Outcome

DIGITS = 8


def by_function(outcomes: Sequence[Outcome]) -> Mapping[str, Mapping[Formula, Sequence[Outcome]]]:
    """function -> formula -> its outcomes, in the order of the study."""
    grouped: dict[str, dict[Formula, list[Outcome]]] = {}
    for outcome in outcomes:
        formulas = grouped.setdefault(outcome.formula.function, {})
        formulas.setdefault(outcome.formula, []).append(outcome)
    return grouped


def outcome_table(outcomes: Sequence[Outcome]) -> str:
    """Markdown: value and gradient of one formula at each x, right or wrong by mark and colour."""
    rows = "\n".join(
        f"| **{figure(o.x)}** | {_judged(o.value, o.right_value)} | {_judged(o.gradient, o.right_gradient)} |"
        for o in outcomes
    )
    return f"| x | value | gradient |\n|--:|--:|--:|\n{rows}"


def right_figures(outcomes: Sequence[Outcome]) -> str:
    """Markdown: what a function really is at each x, from decimal arithmetic."""
    return " · ".join(
        f"at {figure(o.x)}: value **{figure(o.right_value)}**, gradient **{figure(o.right_gradient)}**"
        for o in outcomes
    )


def verdict(outcomes: Sequence[Outcome]) -> str:
    """Markdown: the first operator that went wrong at each x; or that none did."""
    wrong = [o for o in outcomes if not o.right]
    if not wrong:
        return ":green[✓ right on both sides]"
    return "  \n".join(f":red[✗ at {figure(o.x)}: {_signs(o.culprit) or 'inaccurate'}]" for o in wrong)


def graph_query(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """The Graph page's link to this formula, at the x where it goes wrong if there is one."""
    chosen = next((o for o in outcomes if not o.right), outcomes[-1])
    return {"program": chosen.formula.program, "values": json.dumps({"x": chosen.x})}


def figure(number: float) -> str:
    """A number as the page prints it: NaN and ∞ by name, a true minus sign, never −0."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    return f"{number + 0.0:.{DIGITS}g}".replace("-", "−")


def _judged(found: float, right: float) -> str:
    good = difference(found, right) <= TOLERANCE
    return f":{'green' if good else 'red'}[{figure(found)} {'✓' if good else '✗'}]"


def _signs(text: str) -> str:
    return text.replace("-", "−").replace("inf", "∞").replace("nan", "NaN")
