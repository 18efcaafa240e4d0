"""The patient's loop in PyTorch, with the line that is wrong marked and the cure beside it."""

from __future__ import annotations

from engine.doctor.names import HEALTHY
from engine.studies.doctor import DoctorResult, Patient

PROGRAM = '''\
"""The patient of case {seed} in PyTorch: the same digits, first weights, batches and dropout masks."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

SEED = {seed}
BATCH, STEPS, RATE, DROPOUT = 32, 200, 0.1, 0.2

pixels, targets = load_digits(return_X_y=True)
images, labels = np.round(pixels.reshape(-1, 8, 8) / 16 * 255).astype(np.float32), targets.astype(np.int64)
held_out = np.zeros(len(labels), bool)
draw = np.random.default_rng(0)
for digit in range(10):
    members = np.flatnonzero(labels == digit)
    held_out[draw.permutation(members)[: round(0.2 * len(members))]] = True
train, test = images[~held_out], images[held_out]
train_labels, test_labels = labels[~held_out], labels[held_out]
mean, std = train.mean(), train.std()
{normalise}
{labels}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in [(64, 48), (48, 48), (48, 48), (48, 10)])
        self.masks = np.random.default_rng([SEED, 3])
        draw = np.random.default_rng([SEED, 1])
        for number, layer in enumerate(self.layers):
            drawn = torch.tensor(draw.standard_normal(layer.weight.shape))
            with torch.no_grad():
{weights}
{biases}

    def forward(self, images):
{view}
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
            if self.training:
                x = x * torch.tensor((self.masks.random(x.shape) >= DROPOUT) / (1 - DROPOUT)).float()
        return self.layers[-1](x)


def batches():
    draw = np.random.default_rng([SEED, 2])
    while True:
        order = draw.permutation(len(train_labels))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            yield order[start : start + BATCH]


net = Net()
{optimizer}
for step, batch in zip(range(STEPS), batches()):
    scores = net(torch.tensor(train[batch]))
    loss = nn.functional.cross_entropy(scores, torch.tensor(train_labels[batch]))
{penalty}{zero_grad}
    loss.backward()
    optimizer.step()
    print(step + 1, loss.item())

{evaluate}
with torch.no_grad():
    scores = net(torch.tensor(test))
print("right:", (scores.argmax(1) == torch.tensor(test_labels)).float().mean().item())
'''

HEALTHY_LINES = {
    "normalise": "train, test = (train - mean) / std, (test - mean) / std",
    "labels": "",
    "weights": "                layer.weight.copy_(drawn * (2 / layer.in_features) ** 0.5)",
    "biases": "                layer.bias.zero_()",
    "view": "        x = images.reshape(len(images), 64)",
    "optimizer": "optimizer = torch.optim.SGD(net.parameters(), lr=RATE)",
    "penalty": "",
    "zero_grad": "    optimizer.zero_grad()",
    "evaluate": "net.eval()",
}

# fault -> (part, the wrong line; None where it is missing)
WRONG: dict[str, tuple[str, str | None]] = {
    "no zero_grad": ("zero_grad", None),
    "sign": ("optimizer", "optimizer = torch.optim.SGD(net.parameters(), lr=RATE, maximize=True)"),
    "dead ReLU": ("biases", "                layer.bias.fill_(-10.0 if number == SEED % 3 else 0.0)"),
    "rate": ("optimizer", "optimizer = torch.optim.SGD(net.parameters(), lr=20 * RATE)"),
    "init": ("weights", "                layer.weight.copy_(drawn * (1.0 if SEED % 2 else 0.01))"),
    "label shuffle": ("labels", "train_labels = np.random.default_rng(SEED).permutation(train_labels)"),
    "NaN": (
        "penalty",
        "    loss = loss + 1e-3 * sum(layer.bias.square().sum().sqrt() for layer in net.layers)",
    ),
    "missing normalisation": ("normalise", None),
    "train/eval mix-up": ("evaluate", None),
    "view bug": ("view", "        x = images.reshape(64, len(images)).t()"),
}


def code(result: DoctorResult) -> str:
    """The patient's program with its fault marked; nothing while the answer is not asked for."""
    if not isinstance(result.found, Patient) or not result.setup.answer:
        return ""
    return program(result.found.fault, result.setup.seed)


def program(fault: str, seed: int) -> str:
    """The loop that has this fault, or none."""
    lines = dict(HEALTHY_LINES)
    if fault != HEALTHY:
        part, wrong = WRONG[fault]
        lines[part] = _marked(HEALTHY_LINES[part], wrong)
    if lines["penalty"]:
        lines["penalty"] += "\n"
    return PROGRAM.format(seed=seed, **lines)


def _marked(right: str, wrong: str | None) -> str:
    if wrong is None:
        indent = right[: len(right) - len(right.lstrip())]
        return f"{indent}# <-- the fault: this line is missing: {right.strip()}"
    cure = f", instead of: {right.strip()}" if right else ", which should not be here"
    return f"{wrong}  # <-- the fault{cure}"
