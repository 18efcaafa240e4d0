"""What the experiments found, in words: the question to predict, a sentence, what to look at."""

from __future__ import annotations

import math
from typing import Any

from engine.studies.bit_text import binary, brief
from engine.studies.error_growth import ErrorGrowthResult
from engine.studies.error_growth_cancellation import CancellationFound, text_of
from engine.studies.error_growth_epsilon import EpsilonFound
from engine.studies.error_growth_order import MOST_THREADS, OrderFound
from engine.studies.error_growth_rounding import RoundingFound
from engine.studies.error_growth_stagnation import StagnationFound
from engine.studies.error_growth_sums import SumsFound

Question = tuple[str, float]


def question(result: ErrorGrowthResult) -> Question | None:
    """What is to be predicted, and the answer; None where there is nothing to ask."""
    found, name = result.found, result.setup.format
    match found:
        case EpsilonFound() if found.chosen.stops:
            asked = f"How often must 1 be halved until adding it to 1 changes nothing in {name}?"
            return asked, float(len(found.chosen.halvings) - 1)
        case SumsFound() if (slope := found.named("naive").slope) is not None:
            return "The naive sum’s error grows like n to which power?", slope
        case StagnationFound() if found.chosen.stopped is not None:
            return f"At which value does the sum stop in {name}?", found.chosen.stopped
        case CancellationFound():
            lost = found.forms[0].root.lost
            return f"How many of the {found.format.precision} bits does the first form lose?", lost
        case OrderFound():
            return f"How many different sums do 1 to {MOST_THREADS} threads give?", float(found.different)
        case RoundingFound():
            expected = float(found.probability) * found.draws
            return f"Of {found.draws} roundings, how many will become {float(found.above):.6g}?", expected
        case _:
            return None


def said(found: Any) -> str:
    """The finding in a sentence: for screen readers, and under the chart."""
    match found:
        case EpsilonFound():
            shown = found.shown
            verdict = "still above 1" if shown.counts else "1 again"
            added = binary(shown.added).replace("-", "−")
            return f"1 + {added} is {brief(shown.total, 17)} in {found.chosen.format.name}: {verdict}."
        case SumsFound():
            return f"The bound was exceeded in {found.violations} of {found.runs} runs."
        case StagnationFound():
            stops = [each for each in found.all if each.stopped is not None]
            listed = ", ".join(f"{each.format.name} at {each.stopped:g}" for each in stops)
            return f"After {int(found.counts[-1]):,} additions of {found.term:g}: stopped {listed or 'none'}."
        case CancellationFound():
            worst = found.forms[0].guilty
            if worst is None:
                return "No operator of the first form loses more than its own rounding here."
            return f"{text_of(found.program, worst)} loses {worst.lost_here:.1f} bits by itself."
        case OrderFound():
            return f"{found.different} different sums with 1 to {MOST_THREADS} threads."
        case RoundingFound():
            return f"Mean {float(found.mean):.9g} of {found.draws} roundings of {float(found.number):.9g}."
    return ""


def notes(result: ErrorGrowthResult) -> list[str]:
    """What to look at, in Markdown; where an idea loses, that too."""
    found = result.found
    match found:
        case EpsilonFound():
            return _epsilon_notes(found)
        case SumsFound():
            return _sums_notes(found, result.setup.data)
        case StagnationFound():
            return _stagnation_notes(found)
        case CancellationFound():
            return []
        case OrderFound():
            return _order_notes(found)
        case RoundingFound():
            return _rounding_notes(found)


def _epsilon_notes(found: EpsilonFound) -> list[str]:
    chosen = found.chosen
    if not chosen.stops and chosen.epsilon != chosen.defined:
        return [
            "Rounded up, 1 plus anything positive is more than 1: **the experiment has no end** of its own."
        ]
    notes = []
    if chosen.epsilon != chosen.defined:
        notes.append(
            f"The experiment says {float(chosen.epsilon or 0):.6g}, "
            f"the definition {float(chosen.defined):.6g}: a tie goes up here, "
            "so **the last halving counts that should not**."
        )
    odd = [each.format.name for each in found.measurements if each.ends and each.epsilon != each.defined]
    if odd and chosen.format.name not in odd:
        notes.append(
            f"It finds another number in {', '.join(odd)}: 1 + ε/2 is a tie, and its even neighbour is not 1."
        )
    return notes


def _sums_notes(found: SumsFound, data: str) -> list[str]:
    last, condition = found.lengths[-1], float(found.condition[-1])
    names = {growth.name: growth for growth in found.growths}
    notes = [
        f"The bounds held in **{found.runs - found.violations:,} of {found.runs:,}** runs. "
        f"The sum’s relative error is Σ|x| / |Σx| times the error drawn here: "
        f"**{condition:,.3g}** times at n = {last:,}."
    ]
    if found.overflown:
        notes.append(
            f"**{found.overflown:,} sums overflowed** {found.target}, or may have: "
            "no bound excludes that, and they are not drawn."
        )
    kahan, neumaier = (medians(names[name]) for name in ("Kahan", "Neumaier"))
    if data == "a large pair that cancels" and kahan > 4 * neumaier:
        notes.append(
            "**Kahan is defeated**: while the large number is in the sum, the small ones are only in the "
            "correction, and taking the large one out again loses that. "
            f"At n = {last:,} Kahan is off by {kahan * condition:.1e} of the sum, "
            f"Neumaier, who sums the errors apart, by {neumaier * condition:.1e}."
        )
    naive, pairwise = (float(names[name].quartiles()[1][0]) for name in ("naive", "pairwise"))
    if naive and pairwise > 0.4 * naive:
        notes.append(
            f"For n = {found.lengths[0]} pairwise gains next to nothing: {pairwise:.1e} against {naive:.1e}."
        )
    if names["naive"].theory is not None and names["naive"].slope is None:
        notes.append(
            "Nothing is fitted where n·u > 1/8: roundings are no longer as good as random, the sum stagnates."
        )
    return notes


def medians(growth: Any) -> float:
    """The median error at the largest length."""
    return float(growth.quartiles()[1][-1])


def _stagnation_notes(found: StagnationFound) -> list[str]:
    going = [each.format.name for each in found.all if each.stopped is None]
    notes = []
    if going:
        notes.append(
            f"{', '.join(going)} did not stop in {int(found.counts[-1]):,} additions; "
            "where the law puts its stop is in the table."
        )
    lost = found.remedies.get("Kahan")
    exact = found.term * int(found.counts[-1])
    if lost is not None and math.isfinite(lost[0, -1]) and abs(lost[0, -1] / exact - 1) > 0.05:
        notes.append(
            f"**Kahan stagnates too**: its correction is a number of {found.chosen.format.name} as well."
        )
    if lost is not None and not math.isfinite(lost[0, -1]):
        notes.append(f"No remedy helps where the sum itself is beyond {found.chosen.format.name}.")
    return notes


def _order_notes(found: OrderFound) -> list[str]:
    arrivals = len(set(found.arrivals[found.threads - 1].tolist()))
    notes = [
        f"With **{found.threads} threads** and their shares added as they arrive, "
        f"{found.arrivals.shape[1]} runs of the same program gave **{arrivals}** different "
        f"{'sum' if arrivals == 1 else 'sums'}."
    ]
    notes.append(
        "For the same bits every time, fix the number of threads and the order of their shares, "
        "or round once, at the end."
    )
    return notes


def _rounding_notes(found: RoundingFound) -> list[str]:
    notes = [
        f"{found.draws:,} roundings have the mean **{float(found.mean):.9g}**, "
        f"{abs(float((found.mean - found.number) / found.gap)):.2g} spacings off; "
        f"to nearest it is always {float(found.nearest):.9g}, {abs(found.nearest_error):.2g} spacings off."
    ]
    expected, nearest = float(found.expected()[0]), abs(found.nearest_error)
    if nearest < expected:
        needed = math.ceil(expected**2 / nearest**2)
        notes.append(
            f"**A single stochastic rounding is worse**: about {needed} of them beat rounding to nearest."
        )
    return notes
