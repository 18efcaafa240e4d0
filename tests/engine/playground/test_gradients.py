"""A weight's gradient and what each point adds to it, against torch's own of each point's loss."""

import numpy as np
import pytest
import torch

from engine.playground.gradients import next_rows, weight_gradient
from engine.playground.setup import PlaygroundSetup
from tests.engine.playground.runs import begun, setup_of
from tests.engine.playground.torch_net import TorchNet

SETUPS = {
    "squared": setup_of(hidden="4 tanh, 2 relu"),
    "logistic, L1": setup_of(hidden="4 sigmoid", loss="logistic", penalty="L1"),
    "values, L2, no shuffle": setup_of(data="reg-plane", penalty="L2", hidden="3 gelu", shuffle=False),
    "batch norm, residual": setup_of(hidden="3 tanh, 3 sin", batch_norm=True, residual=True, batch=29),
    "dropout is left out": setup_of(hidden="4 tanh", dropout=0.5),
}


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS.keys())
def test_parts_of_a_weights_gradient(setup: PlaygroundSetup) -> None:
    run = begun(setup)
    for _ in range(3):
        run.step()
    still = run.still()
    net = TorchNet(run).double()
    net.setup = run.controls.model_copy(update={"dropout": 0.0})
    for ours, theirs in zip(run.model.net.blocks, net.norms, strict=False):
        if ours.norm is not None:
            theirs.weight.data = torch.tensor(ours.norm.weight.detach().numpy()).double()
            theirs.bias.data = torch.tensor(ours.norm.bias.detach().numpy()).double()
    last = len(net.linears) - 1
    for name in ("weight.0.1.1", "bias.0.0", f"weight.{last}.0.1", f"bias.{last}.0"):
        found = weight_gradient(still, name)
        kind, layer, *place = name.split(".")
        parameter = getattr(net.linears[int(layer)], kind).requires_grad_()
        index = tuple(map(int, place))
        assert found.value == pytest.approx(parameter[index].item())
        inputs = torch.tensor(run.train.inputs[found.rows]).double()
        targets = torch.tensor(run.train.targets[found.rows]).double()
        out = net(inputs, None)[:, 0]
        t = targets[:, 0]
        if setup.is_regression:
            losses = (out - t) ** 2 / 2
        elif setup.loss == "squared":
            losses = (torch.tanh(out) - t) ** 2 / 2
        else:
            losses = torch.log1p(torch.exp(-t * out))
        parts = [
            torch.autograd.grad(loss / len(t), parameter, retain_graph=True)[0][index].item()
            for loss in losses
        ]
        np.testing.assert_allclose(found.parts, parts, rtol=1e-5, atol=1e-8)
        penalty = net.penalty()
        expected = (
            torch.autograd.grad(penalty, parameter, allow_unused=True)[0] if penalty.requires_grad else None
        )
        extra = 0.0 if expected is None else expected[index].item()
        assert found.penalty == pytest.approx(extra, rel=1e-5, abs=1e-9)
        assert found.total == pytest.approx(sum(parts) + extra, rel=1e-5, abs=1e-8)
        assert found.numeric == pytest.approx(found.total, rel=1e-5, abs=1e-7)


def test_the_batch_is_the_one_that_the_next_step_sees() -> None:
    run = begun(setup_of(batch=8))
    for _ in range(9):
        rows = next_rows(run.setup, len(run.train))
        used = run.position.used
        np.testing.assert_array_equal(run._inputs[used : used + len(rows)], run.train.inputs[rows])
        run.step()
        assert run.position.used == (used + len(rows)) % len(run.train)


def test_there_is_no_such_weight() -> None:
    with pytest.raises(ValueError, match="no parameter"):
        weight_gradient(begun(setup_of()).still(), "weight.9.0.0")
