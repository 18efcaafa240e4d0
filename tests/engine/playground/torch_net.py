"""The net of the Playground in torch."""

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from engine.playground.run import Run

ACTIVATIONS = {
    "tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "linear": lambda x: x,
    "gelu": functional.gelu, "sin": torch.sin,
}  # fmt: skip


class TorchNet(torch.nn.Module):
    """The same net, from the same first weights."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.setup = run.controls
        self.linears, self.norms = torch.nn.ModuleList(), torch.nn.ModuleList()
        for ours in run.model.net.linears():
            linear = torch.nn.Linear(ours.in_features, ours.out_features)
            linear.weight.data = torch.tensor(ours.weight.detach().numpy().copy())
            linear.bias.data = torch.tensor(ours.bias.detach().numpy().copy())
            linear.bias.requires_grad = ours.bias.requires_grad  # not before a norm, which subtracts it again
            self.linears.append(linear)
            norm = torch.nn.BatchNorm1d(ours.out_features) if self.setup.batch_norm else torch.nn.Identity()
            self.norms.append(norm)

    def forward(self, x: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
        hidden = zip(self.linears, self.norms, self.setup.layers, strict=False)
        for linear, norm, (_, activation) in hidden:
            out = ACTIVATIONS[activation](norm(linear(x)))
            if self.training and self.setup.dropout:
                drawn = torch.tensor(draw.random(out.shape).astype(np.float32))
                out = out * (drawn >= self.setup.dropout) / (1 - self.setup.dropout)
            x = out + x if self.setup.residual and out.shape == x.shape else out
        return self.linears[-1](x)

    def loss(self, part: Any, rows: Any, draw: Any = None) -> torch.Tensor:
        targets = torch.tensor(part.targets[rows])
        out = self(torch.tensor(part.inputs[rows]), draw)
        if self.setup.is_regression or self.setup.loss == "squared":
            out = out if self.setup.is_regression else torch.tanh(out)
            return functional.mse_loss(out, targets) / 2
        return functional.soft_margin_loss(out, targets)  # mean ln(1 + exp(-target · out))

    def penalty(self) -> torch.Tensor:
        weights = [linear.weight for linear in self.linears]
        sizes = {
            "none": torch.tensor(0.0),
            "L1": sum(weight.abs().sum() for weight in weights),
            "L2": sum((weight**2).sum() for weight in weights) / 2,
        }
        return self.setup.penalty_rate * sizes[self.setup.penalty]
