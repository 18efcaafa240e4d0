"""The same controls with other seeds: how often does such a net succeed?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.historic import symmetry
from engine.historic.run import Run
from engine.historic.setup import HistoricSetup
from engine.training.model import values

LOOKED_EVERY = 5  # sweeps


@dataclass(frozen=True)
class Seeded:
    """What became of one seed after so many sweeps.

    solved    the sweep from which on all training patterns were right; None if they are not.
              Every fifth sweep is judged
    trained   share of right answers among the training patterns, at the end
    tested    the same among the test patterns: those held out of the family trees
    form      "1 : 2 : 4" or another in which all hidden units of a symmetry net ended; "" if in none
    """

    seed: int
    solved: int | None
    trained: float
    tested: float
    form: str


def with_seeds(setup: HistoricSetup, first: int = 0) -> Iterator[Seeded]:
    """Runs with seeds `first`, … up to those that the setup asks for, from the beginning, one by one."""
    for seed in range(first, setup.seeds):
        yield with_seed(setup, seed)


def with_seed(setup: HistoricSetup, seed: int) -> Seeded:
    """One run with the controls of a setup, from its beginning."""
    run, solved = _trained(setup, seed)
    if run.is_provisional and run.is_ready():  # once more, for the numbers that everybody gets
        run, solved = _trained(setup, seed)
    (_, trained), (_, tested) = run.judged()
    return Seeded(seed, solved, trained, tested, form_of(run))


def _trained(setup: HistoricSetup, seed: int) -> tuple[Run, int | None]:
    """A run after so many sweeps, and the sweep from which on it was right."""
    run = Run(setup.model_copy(update={"seed": seed, "epoch": "0", "past": ""}))
    solved = None
    for sweep in range(1, setup.sweeps + 1):
        run.step_epoch()
        if sweep % LOOKED_EVERY and sweep < setup.sweeps:
            continue
        if run.judged()[0][1] < 1.0:
            solved = None
        elif solved is None:
            solved = sweep
    return run, solved


def form_of(run: Run) -> str:
    """The form in which all hidden units of a symmetry net are; "" if they are not, or it is another net."""
    if run.controls.task != "symmetry":
        return ""
    weights = values(run.model.net.linears()[0].weight)
    if bool(np.isnan(weights).any()) or not bool((symmetry.asymmetry(weights) <= symmetry.NEAR).all()):
        return ""
    forms = {symmetry.form(ratio) for ratio in symmetry.ratios(weights)}
    return forms.pop() if len(forms) == 1 else ""


def median_sweeps(found: list[Seeded]) -> float:
    """Sweeps after which half of those that succeeded had; NaN if none did."""
    sweeps = [seeded.solved for seeded in found if seeded.solved is not None]
    return float(np.median(sweeps)) if sweeps else float("nan")
