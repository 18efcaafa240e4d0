"""The nets of 1986: every unit gives 1 / (1 + exp(-sum)), the output units too."""

from __future__ import annotations

import numpy as np

import engine
from engine import nn
from engine.historic.families import PEOPLE
from engine.historic.setup import BITS, HistoricSetup
from engine.nn import init
from engine.operations.indexing import getitem
from engine.tensor import Tensor
from engine.training.model import values

CODE = 6  # units that stand for a person, and as many for a relationship
CENTRAL, PENULTIMATE = 12, 6


class BitNet(nn.Module):
    """Rows of bits [n, inputs] to one output [n, 1], by way of one hidden layer; or past it as well."""

    def __init__(self, setup: HistoricSetup) -> None:
        super().__init__()
        inputs = BITS[setup.task]
        given = inputs if setup.skips else 0
        self.hidden = dense(setup, inputs, setup.hidden, given=inputs)
        self.last = dense(setup, given + setup.hidden, 1, given=given)
        self.skips = setup.skips

    def linears(self) -> list[nn.Linear]:
        return [self.hidden, self.last]

    def forward(self, x: Tensor) -> Tensor:
        found = self.hidden(x).sigmoid()
        out: Tensor = self.last(engine.cat([x, found], 1) if self.skips else found).sigmoid()
        return out


class FamilyNet(nn.Module):
    """Questions [n, 24 + 12] to answers [n, 24]: both parts get a code of 6 units each of its own."""

    def __init__(self, setup: HistoricSetup) -> None:
        super().__init__()
        people = len(PEOPLE)
        self.person = dense(setup, people, CODE, given=people)
        self.relation = dense(setup, people // 2, CODE, given=people // 2)
        self.central = dense(setup, 2 * CODE, CENTRAL)
        self.penultimate = dense(setup, CENTRAL, PENULTIMATE)
        self.last = dense(setup, PENULTIMATE, people)

    def linears(self) -> list[nn.Linear]:
        return [self.person, self.relation, self.central, self.penultimate, self.last]

    def forward(self, x: Tensor) -> Tensor:
        people = len(PEOPLE)
        person, relation = getitem(x, np.s_[:, :people]), getitem(x, np.s_[:, people:])
        codes = [self.person(person).sigmoid(), self.relation(relation).sigmoid()]
        found = self.central(engine.cat(codes, 1)).sigmoid()
        out: Tensor = self.last(self.penultimate(found).sigmoid()).sigmoid()
        return out


HistoricNet = BitNet | FamilyNet


def make_net(setup: HistoricSetup) -> HistoricNet:
    """The net of a task with its first weights, which depend on the seed alone."""
    engine.manual_seed(setup.seed)
    return FamilyNet(setup) if setup.is_family else BitNet(setup)


def dense(setup: HistoricSetup, inputs: int, units: int, given: int = 0) -> nn.Linear:
    """A dense layer with its first weights and biases; the first `given` of its inputs are no hidden units.

    Where hidden units begin alike, they get the same weights, and the same is made of what they give.
    """
    layer = nn.Linear(inputs, units)
    for parameter in (layer.weight, layer.bias):
        init.uniform_(parameter, -setup.spread, setup.spread)
        if setup.init == "zeros":
            values(parameter)[...] = 0.0
        if setup.init == "alike":
            values(parameter)[...] = values(parameter)[:1].copy()
    if setup.init == "alike" and given < inputs:
        values(layer.weight)[:, given:] = values(layer.weight)[:, given : given + 1].copy()
    return layer


def difference_of_units(net: HistoricNet) -> float:
    """How far weights into units of the first layer differ at most; 0 while the units are all the same."""
    weights = values(net.linears()[0].weight)
    return float(np.abs(weights - weights[:1]).max())
