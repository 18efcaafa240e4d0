"""The nets of 1986 in torch, from the same first weights: loss, gradients, and the curve of the loss."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import engine
from engine.agreement import difference
from engine.historic.families import PEOPLE
from engine.historic.model import OFF, ON, Model
from engine.historic.network import HistoricNet
from engine.historic.patterns import split
from engine.historic.run import Run, Still
from engine.historic.setup import HistoricSetup
from engine.oracles import torch_version
from engine.studies.study import Check
from engine.training.model import values
from engine.training.optimisers import MOMENTUM
from engine.training.position import Position

TOLERANCE = 1e-4
SWEEPS = 20  # of the curve that is trained again
AS_IN_THE_PAPER = {"SGD": 0.0, "momentum": MOMENTUM}


def compared(still: Still) -> list[Check]:
    """What is minimised and the length of its gradients now, and the loss after the first sweeps."""
    found, expected = _ours(still), _theirs(still)
    weights = [name for name, _ in still.net.named_parameters() if name.endswith("weight")]
    names = ["error of all training patterns", *(f"gradient of {name}" for name in weights)]
    checks = [
        Check(name, torch_version(), theirs, ours, difference(ours, theirs), TOLERANCE)
        for name, theirs, ours in zip(names, expected, found, strict=True)
    ]
    first = type(still.setup)(**{**still.setup.at_start(), **_looking_nowhere()})
    if (
        first.optimiser in AS_IN_THE_PAPER
        and first.schedule == "constant"
        and first.batch >= len(still.train)
    ):
        checks.append(curve_check(first))
    return checks


@lru_cache(maxsize=64)
def curve_check(first: HistoricSetup) -> Check:
    """The loss after the first sweeps from the first weights: our run beside torch's."""
    run = Run(first)
    run.go_to(Position(SWEEPS))
    ours, theirs = run.judged()[0][0], torch_curve(first, SWEEPS)[-1]
    name = f"loss after {SWEEPS} sweeps"
    return Check(name, torch_version(), theirs, ours, difference(ours, theirs), TOLERANCE)


def torch_curve(setup: HistoricSetup, sweeps: int) -> list[float]:
    """The loss of a training pattern before the first sweep and after each, all patterns in one step."""
    import torch

    train, _ = split(setup)
    parts = _copied(Model(setup).net)
    speeds = {name: torch.zeros_like(part) for name, part in parts.items()}
    inputs, targets = (torch.from_numpy(array.copy()) for array in (train.inputs, train.targets))
    losses = []
    for sweep in range(sweeps + 1):
        out = _torch_output(setup, parts, inputs)
        losses.append(((out - targets) ** 2).sum(1).mean().item() / 2)
        gradients = torch.autograd.grad(_torch_error(setup, out, targets), list(parts.values()))
        rate = setup.rate
        if sweep < setup.warm_up:
            rate *= (sweep + 1) / setup.warm_up
        with torch.no_grad():
            for (name, part), gradient in zip(parts.items(), gradients, strict=True):
                speeds[name] = AS_IN_THE_PAPER[setup.optimiser] * speeds[name] + gradient
                part -= rate * speeds[name]
                part *= 1.0 - setup.decay
    return losses


def _looking_nowhere() -> dict[str, Any]:
    """What is looked at changes no run: so these fields are as at first, whatever they are."""
    return {name: HistoricSetup.model_fields[name].default for name in HistoricSetup.looking}


def _ours(still: Still) -> list[float]:
    model = Model(still.setup)
    model.take_over(still.net)
    out = model.net(engine.from_numpy(still.train.inputs.copy()))
    error = model.objective(out, engine.from_numpy(still.train.targets.copy()))
    weights = [part for name, part in model.net.named_parameters() if name.endswith("weight")]
    gradients = engine.autograd.grad(error, weights)
    return [error.item(), *((gradient**2).sum().sqrt().item() for gradient in gradients)]


def _theirs(still: Still) -> list[float]:
    import torch

    parts, train = _copied(still.net), still.train
    out = _torch_output(still.setup, parts, torch.from_numpy(train.inputs.copy()))
    error = _torch_error(still.setup, out, torch.from_numpy(train.targets.copy()))
    error.backward()
    return [
        error.item(),
        *(part.grad.norm().item() for name, part in parts.items() if name.endswith("weight")),
    ]


def _copied(net: HistoricNet) -> dict[str, Any]:
    import torch

    return {name: torch.from_numpy(values(x).copy()).requires_grad_() for name, x in net.named_parameters()}


def _torch_output(setup: HistoricSetup, parts: dict[str, Any], x: Any) -> Any:
    import torch
    from torch.nn import functional

    def layer(name: str, x: Any) -> Any:
        return torch.sigmoid(functional.linear(x, parts[f"{name}.weight"], parts[f"{name}.bias"]))

    if setup.is_family:
        people = len(PEOPLE)
        codes = [layer("person", x[:, :people]), layer("relation", x[:, people:])]
        return layer("last", layer("penultimate", layer("central", torch.cat(codes, 1))))
    hidden = layer("hidden", x)
    return layer("last", torch.cat([x, hidden], 1) if setup.skips else hidden)


def _torch_error(setup: HistoricSetup, out: Any, targets: Any) -> Any:
    error = out - targets
    if setup.margin:
        near = ((out > ON) & (targets > 0.5)) | ((out < OFF) & (targets < 0.5))
        error = error.masked_fill(near, 0.0)
    return (error**2).sum() / 2
