"""The net for digits in torch, with the same parameters: losses and gradients to compare."""

from __future__ import annotations

from typing import Any

import engine
from engine.agreement import difference
from engine.images.network import ImageNet
from engine.images.run import Still
from engine.images.setup import ImagesSetup
from engine.nn import functional as F  # noqa: N812
from engine.oracles import torch_version
from engine.studies.study import Check
from engine.training.model import values

TOLERANCE = 1e-4
LOOKED_AT = 200  # images


def compared(still: Still) -> list[Check]:
    """Loss on some training images, and the length of the gradient of every weight."""
    inputs, targets = still.train.inputs[:LOOKED_AT], still.train.targets[:LOOKED_AT]
    found, expected = _ours(still.net, inputs, targets), _theirs(still.setup, still.net, inputs, targets)
    weights = [name for name, _ in still.net.named_parameters() if name.endswith("weight")]
    names = [f"loss of {len(targets)} training images", *(f"gradient of {name}" for name in weights)]
    return [
        Check(name, torch_version(), theirs, ours, difference(ours, theirs), TOLERANCE)
        for name, theirs, ours in zip(names, expected, found, strict=True)
    ]


def _ours(net: ImageNet, inputs: Any, targets: Any) -> list[float]:
    loss = F.cross_entropy(net(engine.from_numpy(inputs.copy())), engine.from_numpy(targets.copy()))
    weights = [weight for name, weight in net.named_parameters() if name.endswith("weight")]
    gradients = engine.autograd.grad(loss, weights)
    return [loss.item(), *((gradient**2).sum().sqrt().item() for gradient in gradients)]


def _theirs(setup: ImagesSetup, net: ImageNet, inputs: Any, targets: Any) -> list[float]:
    import torch
    from torch.nn import functional

    copied = {name: torch.from_numpy(values(x).copy()).requires_grad_() for name, x in net.named_parameters()}
    activation = torch.relu if setup.activation == "relu" else torch.tanh
    pooling = functional.max_pool2d if setup.pooling == "max" else functional.avg_pool2d
    x = torch.from_numpy(inputs.copy())
    for number in range(len(net.stages)):
        weight, bias = (copied[f"stages.{number}.convolution.{kind}"] for kind in ("weight", "bias"))
        x = pooling(activation(functional.conv2d(x, weight, bias, padding=setup.kernel // 2)), 2)
    x = x.flatten(1)
    if setup.hidden:
        x = activation(functional.linear(x, copied["hidden.weight"], copied["hidden.bias"]))
    x = functional.linear(x, copied["last.weight"], copied["last.bias"])
    loss = functional.cross_entropy(x, torch.from_numpy(targets.copy()))
    loss.backward()
    lengths = [x.grad.norm().item() for name, x in copied.items() if name.endswith("weight")]
    return [loss.item(), *lengths]
