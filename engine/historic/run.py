"""A run of a net of 1986, and what is looked at while it goes on: weights, sums, codes, answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import engine
from engine.historic import symmetry
from engine.historic.codes import told
from engine.historic.families import facts
from engine.historic.model import Model
from engine.historic.network import BitNet, FamilyNet, HistoricNet
from engine.historic.patterns import Patterns, of_facts, question, rows_of_bits, split
from engine.historic.setup import HistoricSetup
from engine.training import inspected
from engine.training.model import values

Floats = NDArray[np.float32]


Still: TypeAlias = inspected.Still[HistoricSetup, Any, Patterns]


class Run(inspected.InspectedRun[HistoricSetup, Model, Patterns]):
    """One run of a net of 1986."""

    def samples(self, setup: HistoricSetup) -> tuple[Patterns, Patterns]:
        return split(setup)

    def make_model(self, setup: HistoricSetup) -> Model:
        return Model(setup)

    @property
    def rate(self) -> float:
        """The learning rate now; while the run begins gently, a growing share of it."""
        return super().rate * min((self.position.epoch + 1) / max(self.controls.warm_up, 1), 1.0)

    def shape(self) -> dict[str, Any]:
        """The net, what is looked at, and which numbers of a row are what."""
        controls = self.controls
        return {
            "task": controls.task,
            "layers": [list(linear.weight.shape) for linear in self.model.net.linears()],
            "bits": controls.bits,
            "question": [controls.person, controls.relation] if controls.is_family else [],
            "lengths": {
                "figures": len(self.figures()),
                **{name: int(np.size(part)) for name, part in self._named().items()},
            },
        }

    def parts(self) -> Sequence[Any]:
        return list(self._named().values())

    def _named(self) -> dict[str, Any]:
        net = self.model.net
        found = {"parameters": parameters(net)}
        with engine.no_grad():
            if isinstance(net, FamilyNet):
                return found | family_parts(net, self.controls, self.test)
            return found | bit_parts(net, self.controls)


def parameters(net: HistoricNet) -> Floats:
    """Weights, then biases, of one layer after the other."""
    layers = [values(part).ravel() for linear in net.linears() for part in (linear.weight, linear.bias)]
    return np.concatenate(layers)


def answers(net: HistoricNet, inputs: Floats) -> Floats:
    """What a net gives for inputs [n, …]: [n, outputs]."""
    return values(net(engine.from_numpy(inputs.copy())))


def bit_parts(net: BitNet, setup: HistoricSetup) -> dict[str, Any]:
    """Outputs of all patterns; for the one looked at sum and output of each hidden unit, and the output."""
    bits = np.array([[int(bit) for bit in setup.bits]], np.float32)
    sums = values(net.hidden(engine.from_numpy(bits)))[0]
    output = answers(net, bits)[0]
    found = {
        "outputs": answers(net, rows_of_bits(len(setup.bits))),
        "sums": sums,
        "activations": values(engine.from_numpy(sums.copy()).sigmoid()),
        "output": output,
    }
    if setup.task == "symmetry":
        weights = values(net.hidden.weight)
        found["halves"] = symmetry.half_sums(weights)
        found["asymmetry"] = symmetry.asymmetry(weights)
        found["ratios"] = symmetry.ratios(weights)
    return found


def family_parts(net: FamilyNet, setup: HistoricSetup, test: Patterns) -> dict[str, Any]:
    """Codes of all people and what they tell; answers to the question that is asked, and to what is held out;
    which of all facts are answered right."""
    everything = of_facts(facts())
    people = engine.eye(net.person.in_features)
    codes = values(net.person(people).sigmoid())
    right = ((answers(net, everything.inputs) > 0.5) == (everything.targets > 0.5)).all(1)
    return {
        "codes": codes,
        "told": told(codes),
        "answer": answers(net, question(setup.person, setup.relation)[None]),
        "held out": answers(net, test.inputs),
        "right": right,
    }
