"""What was found of a law, in words: verdict, how often it fails, which near law held; what to predict."""

from __future__ import annotations

import math

from app.figures.laws import target_of
from engine.laws.trial import HUNTS
from engine.studies.laws import Job, LawsResult

ENDS = {"stopped": "The hunt was stopped", "time": "The hunt ran out of time"}


def question(result: LawsResult) -> tuple[str, float]:
    """What is to be predicted, and the answer."""
    prompt = f"In how many of 100 random examples does it fail in {result.setup.format}? (0: it always holds)"
    return prompt, round(100 * result.found.chance.share, 1)


def topic(result: LawsResult) -> str:
    setup = result.setup.model_copy(update={"back": 0, "zoom": 0, "examples": 50, "seed": 0})
    return setup.model_dump_json()


def can_be_predicted(result: LawsResult) -> bool:
    return bool(result.found.law.variables) and result.found.chance.said > 0


def verdict(result: LawsResult) -> str:
    """One sentence, as Markdown."""
    hunt, setup = result.found.hunt, result.setup
    if not hunt.path:
        tried = f"held on all {hunt.tried:,} examples that Hypothesis tried in {setup.format}"
        if not result.found.law.variables:
            return ":green[**Holds.**] Without variables there is one example, and it holds."
        return f":green[**Not refuted.**] The law {tried}: tried, not proved.{_early(result)}"
    first, last = hunt.path[0].tries, len(hunt.path) - 1
    found = "The first example breaks it" if first == 1 else f"Example {first:,} breaks it"
    if not result.found.law.variables:
        return f":red[**Refuted.**] The two sides are different numbers of {setup.format}."
    shrunk = f"after {hunt.shrinks:,} further tries and {last:,} simplifications this is the simplest left"
    several = (
        f" ({hunt.hunts} hunts from as many seeds: this is the simplest of their ends.)"
        if hunt.hunts > 1
        else ""
    )
    return f":red[**Refuted** in {setup.format}.] {found}; {shrunk}.{several}{_early(result)}"


def _early(result: LawsResult) -> str:
    end = result.found.hunt.end
    return f" {ENDS[end]}: another run may reach further." if end in ENDS else ""


def notes(result: LawsResult) -> list[str]:
    """How often, by how much, and whether rounding is to blame."""
    return [note for note in (_chance(result), _near_law(result), _reals(result), _skipped(result)) if note]


def _chance(result: LawsResult) -> str:
    chance = result.found.chance
    if not result.found.law.variables:
        return ""
    if not chance.said:
        return f"None of {chance.drawn:,} random examples meets the condition: chance says nothing."
    share = f"{100 * chance.share:.2g} ± {100 * chance.standard_error:.2g} %"
    if chance.broken == 0:
        bound = f"at most {300 / chance.said:.2g} %, with 95 % confidence"
        return f"Of {chance.said:,} random examples none breaks it: {bound} of all do."
    return f"Of {chance.said:,} random examples {chance.broken:,} break it: **{share}** (standard error)."


def _near_law(result: LawsResult) -> str:
    """What was true of every example that was tried."""
    found = result.found
    if target_of(result) is None or found.law.sign not in ("eq", "le", "ge") or not result.found.hunt.path:
        return ""
    said = "the sides are" if found.law.sign == "eq" else "it is missed by"
    if math.isinf(found.largest):
        return (
            f"No near law holds everywhere: among {found.tried:,} examples tried, "
            "an infinity or NaN on one side met a number on the other."
        )
    return (
        f"Near law: {said} at most **{found.largest:,.0f} ulp** {'apart ' if found.law.sign == 'eq' else ''}"
        f"in all {found.tried:,} examples tried (measured, not proved)."
    )


def _reals(result: LawsResult) -> str:
    reals = result.found.reals
    if result.setup.format == "exact":
        return "Exact: rationals, and 140 digits of what is none; differences below 10⁻⁶⁰ count as none."
    if reals.problem:
        return f"Without rounding it was not tried: {reals.problem}."
    if reals.example is None:
        broken = "so what breaks it here is rounding" if result.found.hunt.path else "as here"
        return f"Without rounding it holds on {reals.tried:,} rational examples: {broken}."
    example = ", ".join(f"{name} = {_shown(value)}" for name, value in reals.example.items())
    return f"Without rounding it fails as well, for {example}: it is no law of numbers."


def _shown(value: object) -> str:
    return f"({', '.join(map(str, value))})" if isinstance(value, tuple) else str(value)


def _skipped(result: LawsResult) -> str:
    skipped = result.found.hunt.skipped
    missed, do = ("example missed", "does") if skipped == 1 else ("examples missed", "do")
    return f"{skipped:,} {missed} a condition of the law and {do} not count." if skipped else ""


def progress(job: Job) -> tuple[float, str]:
    """How far a hunt is, from 0 to 1, and what it does."""
    hunt, most = job.progress, job.setup.examples
    if not hunt.calls:
        return 0.0, "Waiting for its turn…"
    if not hunt.path:
        return min(hunt.tried / most, 1.0), f"{hunt.tried:,} of {most:,} tried, none breaks it so far"
    if hunt.hunts > 1:
        return hunt.hunts / HUNTS, f"Broken; hunt {hunt.hunts} of at most {HUNTS} for the simplest example"
    return (
        1 / HUNTS,
        f"Broken by example {hunt.path[0].tries:,}; {hunt.shrinks:,} tries for a simpler one so far",
    )
