"""Whole runs beside torch: the same points, first weights, batches and dropped units; our parameters and
losses against its own after every step."""

from typing import Any

import numpy as np
import pytest
import torch

from engine.playground.setup import PlaygroundSetup
from engine.training.optimisers import MOMENTUM
from engine.training.setup import MOST_EPOCHS
from tests.engine.playground.runs import begun, setup_of
from tests.engine.playground.torch_net import TorchNet

EPOCHS = 6
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
SETUPS = {
    "SGD, circle": setup_of(hidden="4 tanh, 2 tanh", rate=0.3),
    "logistic, L1": setup_of(hidden="4 tanh", loss="logistic", penalty="L1", data="xor", rate=0.1),
    "momentum, regression, L2": setup_of(
        hidden="4 relu", optimiser="momentum", penalty="L2", penalty_rate=0.1, data="reg-gauss"
    ),
    "Nesterov, cosine": setup_of(
        hidden="4 sigmoid", optimiser="Nesterov", schedule="cosine", horizon=4, features="x1^2, x2^2, x1*x2"
    ),
    "Adam, dropout, halving": setup_of(
        hidden="4 relu, 3 gelu", optimiser="Adam", dropout=0.3, schedule="halving", horizon=2
    ),
    "AdamW, batch norm": setup_of(hidden="4 relu", optimiser="AdamW", batch_norm=True, rate=0.01),
    "RMSprop, residual": setup_of(hidden="3 tanh, 3 sin, 3 linear", optimiser="RMSprop", residual=True),
    "Adagrad, xavier, no shuffle": setup_of(
        hidden="4 tanh", optimiser="Adagrad", init="xavier", shuffle=False, features="sin(x1), cos(x2)"
    ),
    "kaiming, all at once, spiral": setup_of(hidden="4 relu", init="kaiming", batch=2000, data="spiral"),
}
OPTIMISERS = {
    "SGD": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=MOMENTUM),
    "Nesterov": lambda p, lr: torch.optim.SGD(p, lr, momentum=MOMENTUM, nesterov=True),
    "Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW, "RMSprop": torch.optim.RMSprop,
    "Adagrad": torch.optim.Adagrad,
}  # fmt: skip


def rate(setup: PlaygroundSetup, epoch: int) -> float:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], setup.rate)
    schedules = torch.optim.lr_scheduler
    if setup.schedule == "constant":
        return setup.rate
    if setup.schedule == "halving":
        schedule = schedules.StepLR(optimiser, setup.horizon, 0.5)
    else:
        schedule = schedules.CosineAnnealingLR(optimiser, setup.horizon)
    optimiser.step()
    for _ in range(epoch if setup.schedule == "halving" else min(epoch, setup.horizon)):
        schedule.step()
    return float(schedule.get_last_lr()[0])


def same(found: Any, expected: torch.Tensor) -> None:
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), **TOLERANCE)


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS.keys())
def test_every_step_of_a_run(setup: PlaygroundSetup) -> None:
    run = begun(setup)
    net = TorchNet(run)
    # as we have them, weight and bias of one layer after the other, with those of the norm in between
    optimiser = OPTIMISERS[setup.optimiser](net.parameters(), setup.rate)
    n = len(run.train)
    for epoch in range(EPOCHS):
        order = np.random.default_rng([setup.seed, epoch if setup.shuffle else 0, 2]).permutation(n)
        draw = np.random.default_rng(setup.seed * MOST_EPOCHS + epoch)
        optimiser.param_groups[0]["lr"] = rate(setup, epoch)
        starts = list(range(0, n, setup.batch))
        for start in starts:
            loss = net.loss(run.train, order[start : start + setup.batch], draw) + net.penalty()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            run.step()
            for ours, theirs in zip(run.model.net.linears(), net.linears, strict=True):
                same(ours.weight, theirs.weight)
                same(ours.bias, theirs.bias)
        figures = run.figures()
        net.eval()
        with torch.no_grad():
            losses = [net.loss(part, slice(None)).item() for part in (run.train, run.test)]
        net.train()
        assert [figures.train_loss, figures.test_loss] == pytest.approx(losses, rel=1e-4, abs=1e-5)
        assert figures.penalty == pytest.approx(net.penalty().item(), rel=1e-4, abs=1e-7)
        assert figures.rate == pytest.approx(rate(setup, epoch + 1), rel=1e-9, abs=1e-12)
