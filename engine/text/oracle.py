"""The net for texts in torch, with the same parameters: losses and gradients to compare."""

from __future__ import annotations

from typing import Any

import engine
from engine.agreement import difference
from engine.nn import functional as F  # noqa: N812
from engine.oracles import torch_version
from engine.studies.study import Check
from engine.text.run import Still
from engine.training.model import values

TOLERANCE = 1e-4
LOOKED_AT = 200  # texts
NAMES = ("embedding.weight", "convolution.weight", "last.weight")


def compared(still: Still) -> list[Check]:
    """Loss on some training texts, and the length of the gradient of every weight."""
    tokens, targets = still.train.inputs[:LOOKED_AT], still.train.targets[:LOOKED_AT]
    names = [f"loss of {len(targets)} training texts", *(f"gradient of {name}" for name in NAMES)]
    found, expected = _ours(still, tokens, targets), _theirs(still, tokens, targets)
    return [
        Check(name, torch_version(), theirs, ours, difference(ours, theirs), TOLERANCE)
        for name, theirs, ours in zip(names, expected, found, strict=True)
    ]


def _ours(still: Still, tokens: Any, targets: Any) -> list[float]:
    out = still.net(engine.from_numpy(tokens.copy()))
    loss = F.binary_cross_entropy_with_logits(out, engine.from_numpy(targets.copy()))
    parameters = dict(still.net.named_parameters())
    gradients = engine.autograd.grad(loss, [parameters[name] for name in NAMES])
    return [loss.item(), *((gradient**2).sum().sqrt().item() for gradient in gradients)]


def _theirs(still: Still, tokens: Any, targets: Any) -> list[float]:
    import torch
    from torch.nn import functional

    copied: dict[str, Any] = {
        name: torch.from_numpy(values(x).copy()).requires_grad_() for name, x in still.net.named_parameters()
    }
    x = functional.embedding(torch.from_numpy(tokens.copy()), copied["embedding.weight"]).transpose(1, 2)
    fired = torch.relu(functional.conv1d(x, copied["convolution.weight"], copied["convolution.bias"]))
    out = functional.linear(fired.amax(2), copied["last.weight"], copied["last.bias"])
    loss = functional.binary_cross_entropy_with_logits(out, torch.from_numpy(targets.copy()))
    loss.backward()
    return [loss.item(), *(copied[name].grad.norm().item() for name in NAMES)]
