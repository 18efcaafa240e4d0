"""A run of a net of 1986 as what its component shows, and what the page says of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan
from typing import Any

from app.figures.live_run import run_document
from engine.historic.codes import TRAITS
from engine.historic.families import PEOPLE, RELATIONS, facts
from engine.historic.seeds import Seeded, median_sweeps
from engine.historic.setup import HistoricSetup
from engine.historic.symmetry import FORMS, NEAR
from engine.studies.historic import HistoricResult

RATES = (0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3, 0.5, 1.0)
DECAYS = (0.0, 0.0002, 0.0005, 0.001, 0.002, 0.005)
NAMES = {"symmetry": "Symmetry", "XOR": "XOR", "family trees": "Family trees"}
SEEDS = 20

ABOUT = {  # what the papers claim, and what came of it here
    "symmetry": (
        "Is a row of six bits its own mirror image? No single bit says anything about it. In the paper "
        "two hidden units learned it in 1,425 sweeps, with weights that are opposite about the middle and "
        "in the ratio 1 : 2 : 4: so each of the eight halves sends a sum of its own, which only its "
        "mirror image cancels. Counting finds that 2 : 3 : 4 does that too, and some seeds arrive there. "
        "With the paper's settings many seeds are stuck here: the first steps overshoot, all outputs go to "
        "0, and there is hardly a gradient left. Let the learning rate grow at first (“Gentle start”), and "
        "“Train 20 seeds” below counts how many more succeed."
    ),
    "XOR": (
        "Are two bits different? A net without hidden units cannot tell. Two hidden units can, and so can "
        "a single one, if the inputs also reach the output directly. Rumelhart, Hinton & Williams report "
        "558 sweeps for the latter, at rate 0.5, and that of hundreds of runs only two were stuck, both "
        "with two hidden units (Parallel Distributed Processing, chapter 8, 1986). The first weights and "
        "the momentum here are ours. A single hidden unit without direct connections stays at three "
        "patterns of four, whatever the seed."
    ),
    "family trees": (
        "104 questions that have an answer can be asked about two families of the same shape. In the "
        "paper 100 were trained for 1,500 sweeps, and the net then knew the other four; Hinton's own "
        "report has 7 of 8 right in two runs. The settings here are ours: the paper does not tell the "
        "first weights, and from ±0.3 with its other settings (“As in the paper”: rate 0.01, decay 0.2 %, "
        "no error beyond 0.8 and 0.2; our momentum is 0.9 from the start, of a rate that grows over 20 "
        "sweeps) see how little this net learns in as many sweeps. What is held out is drawn by the seed. An "
        "answer counts as right if the outputs above one half are exactly those of the tree; “Train 20 "
        "seeds” counts how many held-out facts that are, on average."
    ),
}


def payload(result: HistoricResult, token: str, present: bool, veiled: bool = False) -> dict[str, Any]:
    """What the board shows beside the frames of the run. Veiled: the answer is held back."""
    setup = result.setup
    made: dict[str, Any] = {
        **run_document(setup, token, present),
        "classes": True,
        "task": setup.task,
        "veiled": veiled,
        "claims": {"forms": FORMS, "near": NEAR} if setup.task == "symmetry" else None,
        "seeds": strip(setup, result.seeds) if result.seeds and not veiled else None,
    }
    if setup.is_family:
        everything = list(facts())
        made |= {
            "people": PEOPLE,
            "relations": RELATIONS,
            "traits": list(TRAITS),
            "facts": everything,
            "held_out": [everything.index(fact) for fact in result.still.test.facts],
            "person": setup.person,
            "relation": setup.relation,
        }
    return made


def strip(setup: HistoricSetup, seeds: Sequence[Seeded]) -> dict[str, Any]:
    """How often it succeeded, and what became of each seed."""
    solved = [seeded for seeded in seeds if seeded.solved is not None]
    median = median_sweeps(list(seeds))
    detail = "" if isnan(median) else f"half of these after {median:,.0f} sweeps; "
    if setup.is_family:
        mean = sum(seeded.tested for seeded in seeds) / len(seeds) * setup.held_out
        detail += f"of {setup.held_out} held-out facts {mean:.1f} right on average; "
    forms = [seeded.form for seeded in seeds if seeded.form]
    detail += "".join(f"{forms.count(form)} × {form}; " for form in FORMS if form in forms)
    return {
        "title": f"{len(solved)} of {len(seeds)} seeds have learned it after {setup.sweeps:,} sweeps",
        "detail": f"{detail}press one to take it",
        "runs": [
            {
                "seed": seeded.seed,
                "solved": f"{seeded.solved:,}" if seeded.solved else "",
                "told": _told(setup, seeded),
            }
            for seeded in seeds
        ],
    }


def _told(setup: HistoricSetup, seeded: Seeded) -> str:
    if setup.is_family:
        held_out = round(seeded.tested * setup.held_out)
        return f"{100 * seeded.trained:.0f} %, {held_out} of {setup.held_out}"
    return seeded.form or ("" if seeded.solved else f"{100 * seeded.trained:.0f} % right")


def question(setup: HistoricSetup, seeds: Sequence[Seeded]) -> tuple[str, float]:
    """What a visitor is asked before it is shown, and the answer: NaN while it is not measured."""
    if setup.task == "symmetry":
        return (
            "How many times as large as its smallest weight is a hidden unit's largest, once it works?",
            4.0,
        )
    if setup.task == "XOR":
        learned = sum(seeded.solved is not None for seeded in seeds) if len(seeds) == SEEDS else nan
        return f"How many of {SEEDS} seeds learn it in {setup.sweeps:,} sweeps?", learned
    held_out = sum(seeded.tested for seeded in seeds) / SEEDS if len(seeds) == SEEDS else nan
    asked = f"Of {setup.held_out} facts that it is never shown, how many will it know, on average over seeds?"
    return asked, held_out * setup.held_out
