"""The net of a run in torch, with the same parameters: losses and gradients to compare."""

from __future__ import annotations

from typing import Any

import engine
from engine.agreement import difference
from engine.oracles import torch_version
from engine.playground.model import mean_loss
from engine.playground.network import Network
from engine.playground.points import Part
from engine.playground.run import Still
from engine.playground.setup import PlaygroundSetup
from engine.studies.study import Check

TOLERANCE = 1e-4


def compared(still: Still) -> list[Check]:
    """Loss on both sets, and the length of the gradient of each layer's weights on the training set."""
    found = [
        *_ours(still.setup, still.net, still.train),
        _ours(still.setup, still.net, still.test)[0],
    ]
    expected = [
        *_theirs(still.setup, still.net, still.train),
        _theirs(still.setup, still.net, still.test)[0],
    ]
    layers = [f"gradient of layer {k + 1}'s weights" for k in range(len(found) - 2)]
    names = ["train loss", *layers, "test loss"]
    oracle = torch_version()
    checks = []
    for name, theirs, ours in zip(names, expected, found, strict=True):
        error = difference(ours, theirs)
        checks.append(Check(name, oracle, theirs, ours, error, TOLERANCE))
    return checks


def _ours(setup: PlaygroundSetup, net: Network, part: Part) -> list[float]:
    loss = mean_loss(setup, net(engine.from_numpy(part.inputs)), engine.from_numpy(part.targets))
    weights = [linear.weight for linear in net.linears()]
    gradients = engine.autograd.grad(loss, weights)
    return [loss.item(), *((gradient**2).sum().sqrt().item() for gradient in gradients)]


def _theirs(setup: PlaygroundSetup, net: Network, part: Part) -> list[float]:
    import torch

    def tensor(values: Any) -> Any:
        return torch.from_numpy(values.detach().numpy().copy() if hasattr(values, "detach") else values)

    activations = {
        "tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "linear": lambda x: x,
        "gelu": torch.nn.functional.gelu, "sin": torch.sin,
    }  # fmt: skip
    weights = [tensor(linear.weight).requires_grad_() for linear in net.linears()]
    x = tensor(part.inputs)
    for weight, block, (_, activation) in zip(weights, net.blocks, setup.layers, strict=False):
        out = torch.nn.functional.linear(x, weight, tensor(block.linear.bias))
        if block.norm is not None:
            norm = block.norm
            out = torch.nn.functional.batch_norm(
                out,
                tensor(norm.running_mean),
                tensor(norm.running_var),
                tensor(norm.weight),
                tensor(norm.bias),
            )
        out = activations[activation](out)
        x = out + x if setup.residual and out.shape == x.shape else out
    out = torch.nn.functional.linear(x, weights[-1], tensor(net.last.bias))
    targets = tensor(part.targets)
    if setup.is_regression:
        loss = torch.nn.functional.mse_loss(out, targets) / 2
    elif setup.loss == "squared":
        loss = torch.nn.functional.mse_loss(torch.tanh(out), targets) / 2
    else:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(out, (targets + 1) / 2)
    loss.backward()
    return [loss.item(), *(weight.grad.norm().item() for weight in weights)]
