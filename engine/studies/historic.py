"""The nets of 1986: what do hidden units find that nobody told them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.agreement import difference
from engine.historic import symmetry
from engine.historic.codes import TRAITS, told
from engine.historic.families import facts
from engine.historic.network import FamilyNet, difference_of_units
from engine.historic.oracle import compared
from engine.historic.run import Run, Still
from engine.historic.seeds import Seeded, median_sweeps, with_seeds
from engine.historic.setup import HistoricSetup
from engine.studies.study import Check, Study
from engine.training.curve import TrainedResult, trained
from engine.training.model import values

PAPER = "Rumelhart, Hinton & Williams 1986"
SETTLED = 2e-3  # loss of a pattern below which a net has settled: its weights then only grow


@dataclass(frozen=True)
class HistoricResult(TrainedResult):
    """A run where it stands, its curve, and what became of other seeds, where they were asked for."""

    seeds: tuple[Seeded, ...] = ()

    @property
    def weights(self) -> Any:
        """Of the first hidden layer, or of the units that stand for a person: [units, inputs]."""
        return values(self.still.net.linears()[0].weight)

    def summary(self) -> Mapping[str, float | int | str]:
        return {**super().summary(), **self._found(), **self._luck()}

    def _found(self) -> dict[str, float | int | str]:
        if self.setup.task == "symmetry":
            found: dict[str, float | int | str] = {}
            each = zip(symmetry.asymmetry(self.weights), symmetry.ratios(self.weights), strict=True)
            for unit, (asymmetry, (middle, largest)) in enumerate(each, 1):
                found[f"unit {unit}: asymmetry"] = float(asymmetry)
                found[f"unit {unit}: ratio"] = f"1 : {middle:.3f} : {largest:.3f}"
            return found
        if isinstance(self.still.net, FamilyNet):
            best = np.nanmax(np.nan_to_num(told(codes_of(self.still))), axis=0)
            return {f"{trait}: most told by a unit": float(x) for trait, x in zip(TRAITS, best, strict=True)}
        return {}

    def _luck(self) -> dict[str, float | int | str]:
        if not self.seeds:
            return {}
        solved = sum(seeded.solved is not None for seeded in self.seeds)
        luck: dict[str, float | int | str] = {
            f"seeds solved within {self.setup.sweeps} sweeps": f"{solved} of {len(self.seeds)}",
            "median sweeps of these": median_sweeps(list(self.seeds)),
        }
        if self.setup.is_family:
            luck["mean test accuracy of all"] = sum(x.tested for x in self.seeds) / len(self.seeds)
        return luck


def codes_of(still: Still) -> Any:
    """What the units that stand for a person give for each: float32 [24, 6]."""
    person = still.net.linears()[0]
    return 1.0 / (1.0 + np.exp(-(values(person.weight).T + values(person.bias))))


def run(setup: HistoricSetup) -> HistoricResult:
    """Train from the beginning to where the setup stands, and as many other seeds as it asks for."""
    training, curve = trained(Run, setup)
    return HistoricResult(training.still(), curve, tuple(with_seeds(setup)))


def check(result: HistoricResult) -> list[Check]:
    """Losses and gradients beside torch; what must hold by symmetry, by counting and by the paper."""
    setup, still = result.setup, result.still
    checks = compared(still)
    if setup.init != "random" and not setup.past:
        apart = difference_of_units(still.net)
        checks.append(Check("difference between units that began alike", "symmetry", 0.0, apart, apart, 1e-6))
    if setup.is_family:
        count = float(len(facts()))
        checks.append(
            Check("facts in both trees", "Hinton 1986", 104.0, count, difference(count, 104.0), 0.0)
        )
    return [*checks, *_claims(result)]


def _claims(result: HistoricResult) -> list[Check]:
    """Weights opposite, and in the ratio of one of the two forms; once a net of two units has settled."""
    loss = result.still.losses[0][0]
    if result.setup.task != "symmetry" or result.setup.hidden != 2 or result.setup.skips or loss > SETTLED:
        return []
    found = []
    weights = result.weights
    for unit in range(len(weights)):
        apart = float(symmetry.asymmetry(weights)[unit])
        found.append(
            Check(f"unit {unit + 1}: asymmetry, within 5 %", PAPER, 0.0, apart, apart, symmetry.NEAR)
        )
        ratio = symmetry.ratios(weights)[unit]
        name, form = min(symmetry.FORMS.items(), key=lambda item: abs(item[1][1] - ratio[1]))
        oracle = PAPER if name == "1 : 2 : 4" else "eight different sums"
        for which, known, ours in zip(("middle", "largest"), form, ratio, strict=True):
            error = difference(float(ours), known)
            label = f"unit {unit + 1}: {which} : smallest weight, within 5 %"
            found.append(Check(label, oracle, known, float(ours), error, symmetry.NEAR))
    return found


SYMMETRY = HistoricSetup()
XOR = HistoricSetup(task="XOR", seed=0, rate=0.5, spread=0.5, pattern="10", sweeps=1000)
FAMILY = HistoricSetup(
    task="family trees", rate=0.05, spread=1.0, seed=0, warm_up=500, decay=0.0005, sweeps=2000,
)  # fmt: skip
PRESETS = {"symmetry": SYMMETRY, "XOR": XOR, "family trees": FAMILY}
EXAMPLES: dict[str, dict[str, HistoricSetup]] = {
    "symmetry": {
        "As in the paper": SYMMETRY,
        "A seed that is stuck": SYMMETRY.model_copy(update={"seed": 0}),
        "Gentle start": SYMMETRY.model_copy(update={"seed": 0, "warm_up": 100}),
        "Four hidden units": SYMMETRY.model_copy(update={"hidden": 4, "warm_up": 100}),
        "Both units alike": SYMMETRY.model_copy(update={"init": "alike", "warm_up": 100}),
        "All zeros": SYMMETRY.model_copy(update={"init": "zeros", "warm_up": 100}),
    },
    "XOR": {
        "Two hidden units": XOR,
        "One, and direct connections": XOR.model_copy(update={"hidden": 1, "skips": True}),
        "One, and no way round": XOR.model_copy(update={"hidden": 1}),
        "All zeros": XOR.model_copy(update={"init": "zeros"}),
    },
    "family trees": {
        "Family trees": FAMILY,
        "As in the paper": FAMILY.model_copy(
            update={"rate": 0.01, "spread": 0.3, "decay": 0.002, "margin": True, "warm_up": 20}
        ),
        "Units alike": FAMILY.model_copy(update={"init": "alike"}),
    },
}

STUDY = Study(
    name="historic",
    version=1,
    question="What do hidden units find that nobody told them?",
    setup=HistoricSetup,
    run=run,
    check=check,
)
