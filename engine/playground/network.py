"""The net of the Playground: dense layers on points in the plane, whose weights depend on nothing but seed
and place, so that a layer or unit that is added leaves the others as they were."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import engine
from engine import nn
from engine.nn import functional as F  # noqa: N812
from engine.playground.setup import MOST_UNITS, PlaygroundSetup
from engine.tensor import Tensor
from engine.training.model import values

Floats = NDArray[np.float32]

ACTIVATION: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": F.tanh,
    "relu": F.relu,
    "sigmoid": F.sigmoid,
    "linear": lambda x: x,
    "gelu": F.gelu,
    "sin": lambda x: x.sin(),
}


class Block(nn.Module):
    """One hidden layer: activation(norm(linear(x))), some of it dropped; plus x, if there is a way round."""

    def __init__(self, fan_in: int, units: int, activation: str, setup: PlaygroundSetup) -> None:
        super().__init__()
        self.linear = nn.Linear(fan_in, units)
        self.norm = nn.BatchNorm1d(units) if setup.batch_norm else None
        # what a norm subtracts again has gradient 0, of which rounding leaves noise for Adam to make steps of
        self.linear.bias.requires_grad_(not setup.batch_norm)
        self.activation = ACTIVATION[activation]
        self.dropout = setup.dropout
        self.skips = setup.residual and fan_in == units

    def forward(self, x: Tensor) -> Tensor:
        out = self.linear(x)
        if self.norm is not None:
            out = self.norm(out)
        out = F.dropout(self.activation(out), self.dropout, self.training)
        return out + x if self.skips else out


class Network(nn.Module):
    """Hidden layers and one output unit, before its own activation. Inputs [n, features], outputs [n, 1]."""

    def __init__(self, setup: PlaygroundSetup) -> None:
        super().__init__()
        sizes = [len(setup.inputs), *(units for units, _ in setup.layers)]
        self.blocks = nn.ModuleList(
            [
                Block(fan_in, units, activation, setup)
                for fan_in, (units, activation) in zip(sizes, setup.layers, strict=False)
            ]
        )
        self.last = nn.Linear(sizes[-1], 1)
        with engine.no_grad():
            for number, linear in enumerate(self.linears()):
                weight, bias = first_values(setup, number, linear.in_features, linear.out_features)
                linear.weight.copy_(engine.from_numpy(weight))
                linear.bias.copy_(engine.from_numpy(bias))

    def linears(self) -> list[nn.Linear]:
        return [*(block.linear for block in self.blocks), self.last]

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.last(x)
        return out

    def parameter(self, name: str) -> tuple[Tensor, tuple[int, ...]]:
        """A tensor and a place in it, from "weight.layer.unit.input" or "bias.layer.unit"; layers from 0.

        Raises ValueError if the net has no such parameter.
        """
        kind, layer, *place = name.split(".")
        linears = self.linears()
        if int(layer) < len(linears):
            found: Tensor = getattr(linears[int(layer)], kind)
            index = tuple(map(int, place))
            if len(index) == found.dim() and all(
                i < size for i, size in zip(index, found.shape, strict=True)
            ):
                return found, index
        raise ValueError(f"this net has no parameter {name!r}")

    def take_over(self, other: Network) -> None:
        """The values of another net, wherever both have a parameter."""
        mine, theirs = self.linears(), other.linears()
        pairs = list(zip(mine[:-1], theirs[:-1], strict=False))
        if len(mine) == len(theirs):
            pairs.append((mine[-1], theirs[-1]))
        for new, old in pairs:
            units = min(new.out_features, old.out_features)
            inputs = min(new.in_features, old.in_features)
            values(new.weight)[:units, :inputs] = values(old.weight)[:units, :inputs]
            values(new.bias)[:units] = values(old.bias)[:units]
        for block, known in zip(self.blocks, other.blocks, strict=False):
            if (
                block.norm is not None
                and known.norm is not None
                and block.linear.out_features == known.linear.out_features
            ):
                block.norm.load_state_dict(known.norm.state_dict())


WEIGHTS = 1  # so that the random numbers of first weights are not those of anything else


def first_values(setup: PlaygroundSetup, layer: int, fan_in: int, units: int) -> tuple[Floats, Floats]:
    """Weight [units, fan_in] and bias [units] before training."""
    draws = [np.random.default_rng([setup.seed, layer, unit, WEIGHTS]) for unit in range(units)]
    if setup.init == "normal":
        weight = np.stack([draw.standard_normal(MOST_UNITS)[:fan_in] for draw in draws])
    else:
        uniform = np.stack([draw.uniform(-1.0, 1.0, MOST_UNITS)[:fan_in] for draw in draws])
        weight = uniform * _bound(setup.init, fan_in, units)
    bias = np.full(units, 0.1 if setup.init == "playground" else 0.0)
    return weight.astype(np.float32), bias.astype(np.float32)


def _bound(init: str, fan_in: int, units: int) -> float:
    """Of uniform weights: Glorot & Bengio 2010 (xavier), He et al. 2015 (kaiming)."""
    bounds = {
        "playground": 0.5,
        "xavier": (6 / (fan_in + units)) ** 0.5,
        "kaiming": (6 / fan_in) ** 0.5,
        "zeros": 0.0,
    }
    return float(bounds[init])
