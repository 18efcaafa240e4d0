"""The same faulty loops written again in torch, to hold our losses against."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from engine.doctor.loop import BATCH, DROPOUT, MASKS, ORDER, SIZES, WEIGHTS, Doubles, digits


def torch_losses(name: str, seed: int, steps: int) -> Doubles:
    """The losses of the first batches [steps], by torch on one thread."""
    import torch

    images, labels = digits()[0]
    if name != "missing normalisation":
        images = (images - images.mean()) / images.std()
    if name == "label shuffle":
        labels = np.random.default_rng(seed).permutation(labels)
    net = _net(name, seed)
    optimiser = torch.optim.SGD(net.parameters(), lr=2.0 if name == "rate" else 0.1, maximize=name == "sign")
    masks = np.random.default_rng([seed, MASKS])
    losses = []
    for _, batch in zip(range(steps), _batches(seed, len(labels)), strict=False):
        x = torch.tensor(images[batch])
        x = x.reshape(64, len(x)).t() if name == "view bug" else x.reshape(len(x), 64)
        for layer in list(net)[:-1]:
            x = torch.relu(layer(x))
            kept = masks.random(x.shape) >= DROPOUT
            x = x * torch.tensor(kept / (1 - DROPOUT), dtype=torch.float32)
        loss = torch.nn.functional.cross_entropy(net[-1](x), torch.tensor(labels[batch]))
        if name == "NaN":
            loss = loss + 1e-3 * sum(layer.bias.square().sum().sqrt() for layer in net)
        if name != "no zero_grad":
            optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return np.array(losses)


def _net(name: str, seed: int) -> Any:
    import torch

    net = torch.nn.ModuleList(torch.nn.Linear(*pair) for pair in pairwise(SIZES))
    random = np.random.default_rng([seed, WEIGHTS])
    with torch.no_grad():
        for number, layer in enumerate(net):
            drawn = random.standard_normal((layer.out_features, layer.in_features))
            he = (2.0 / layer.in_features) ** 0.5
            scale = (1.0 if seed % 2 else 0.01) if name == "init" else he
            layer.weight.copy_(torch.tensor(drawn * scale))
            layer.bias.fill_(-10.0 if name == "dead ReLU" and number == seed % 3 else 0.0)
    return net


def _batches(seed: int, samples: int) -> Iterator[Any]:
    random = np.random.default_rng([seed, ORDER])
    while True:
        order = random.permutation(samples)
        for start in range(0, samples - BATCH + 1, BATCH):
            yield order[start : start + BATCH]


def torch_sizes(layers: Any, images: Any, activation: str, residual: bool) -> float:
    """Root mean square of what comes out of the layers of `depth.measure`, by torch."""
    import torch

    h = torch.tensor(images)
    for weight in layers:
        inner = h if activation == "linear" else getattr(torch, activation)(h)
        h = h * float(residual) + inner @ torch.tensor(weight).T
    return float(h.double().square().mean().sqrt())
