"""What a run looks like in PyTorch: a program with gaps for its controls and points (see `export`)."""

PROGRAM = '''\
"""A run of Unroll's Playground, again in PyTorch: the same points, first weights, batches and changes."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SEED = {seed}
INIT = {init}
REGRESSION = {regression}
END = {end}  # epochs, and points of the one that was begun
controls = {controls}
CHANGES = {changes}  # what was changed on the way, and when

# x, y and what the net should say
TRAIN = torch.tensor([
{train}
])
TEST = torch.tensor([
{test}
])


def features(points):
    x, y = points[:, 0], points[:, 1]
    return torch.stack({features}, 1)


# ---- the net

ACTIVATIONS = {{
    "tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "linear": lambda x: x,
    "gelu": F.gelu, "sin": torch.sin,
}}


def first_values(layer, fan_in, units):
    draws = [np.random.default_rng([SEED, layer, unit, 1]) for unit in range(units)]
    if INIT == "normal":
        weight = np.stack([draw.standard_normal({units})[:fan_in] for draw in draws])
    else:
        bounds = {{
            "playground": 0.5, "zeros": 0.0, "xavier": (6 / (fan_in + units)) ** 0.5,
            "kaiming": (6 / fan_in) ** 0.5,
        }}
        weight = np.stack([draw.uniform(-1.0, 1.0, {units})[:fan_in] for draw in draws]) * bounds[INIT]
    bias = torch.full((units,), 0.1 if INIT == "playground" else 0.0)
    return torch.tensor(weight, dtype=torch.float32), bias


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [{width}, *(units for units, _ in controls["hidden"]), 1]
        norm = nn.BatchNorm1d if controls["batch_norm"] else nn.Identity
        self.linears = nn.ModuleList(nn.Linear(n, m) for n, m in zip(sizes, sizes[1:]))
        self.norms = nn.ModuleList(norm(units) for units in sizes[1:-1])
        for layer, linear in enumerate(self.linears):
            linear.weight.data, linear.bias.data = first_values(layer, *linear.weight.shape[::-1])
            if controls["batch_norm"] and layer < len(self.norms):
                linear.bias.requires_grad_(False)  # the norm subtracts it again

    def forward(self, x):
        for linear, norm, (_, activation) in zip(self.linears, self.norms, controls["hidden"]):
            out = ACTIVATIONS[activation](norm(linear(x)))
            if self.training and controls["dropout"]:
                kept = torch.tensor(dropping.random(out.shape).astype(np.float32)) >= controls["dropout"]
                out = out * kept / (1 - controls["dropout"])
            x = out + x if controls["residual"] and out.shape == x.shape else out
        return self.linears[-1](x)

    def take_over(self, other):
        """The values of the net before, wherever both have a parameter."""
        pairs = list(zip(self.linears[:-1], other.linears[:-1]))
        if len(self.linears) == len(other.linears):
            pairs.append((self.linears[-1], other.linears[-1]))
        for new, old in pairs:
            m, n = (min(sizes) for sizes in zip(new.weight.shape, old.weight.shape))
            new.weight.data[:m, :n] = old.weight.data[:m, :n]
            new.bias.data[:m] = old.bias.data[:m]
        for new, old in zip(self.norms, other.norms):
            if isinstance(new, nn.BatchNorm1d) and getattr(old, "num_features", 0) == new.num_features:
                new.load_state_dict(old.state_dict())


# ---- loss and optimiser


def mean_loss(net, samples):
    out, targets = net(features(samples)), samples[:, 2:]
    if REGRESSION:
        return F.mse_loss(out, targets) / 2
    if controls["loss"] == "squared":
        return F.mse_loss(torch.tanh(out), targets) / 2
    return F.binary_cross_entropy_with_logits(out, (targets + 1) / 2)


def penalty(net):
    weights = [linear.weight for linear in net.linears]
    if controls["penalty"] == "L1":
        return controls["penalty_rate"] * sum(weight.abs().sum() for weight in weights)
    if controls["penalty"] == "L2":
        return controls["penalty_rate"] * sum((weight**2).sum() for weight in weights) / 2
    return 0.0


def rate(epoch):
    if controls["schedule"] == "cosine":
        return controls["rate"] / 2 * (1 + math.cos(math.pi * min(epoch / controls["horizon"], 1)))
    if controls["schedule"] == "halving":
        return controls["rate"] * 0.5 ** (epoch // controls["horizon"])
    return controls["rate"]


def make_optimiser(net):
    kinds = {{
        "SGD": torch.optim.SGD, "Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW,
        "RMSprop": torch.optim.RMSprop, "Adagrad": torch.optim.Adagrad,
        "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
        "Nesterov": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, nesterov=True),
    }}
    return kinds[controls["optimiser"]](net.parameters(), controls["rate"])


# ---- training


def batch(epoch, used):
    """The training points that come next."""
    left = len(TRAIN) - used
    size = min(controls["batch"], left)
    if controls["batch_norm"]:  # needs two points: a single last one joins those before
        size = min(max(size, 2), left)
        size += left - size == 1
    order = np.random.default_rng([SEED, epoch if controls["shuffle"] else 0, 2]).permutation(len(TRAIN))
    return TRAIN[torch.from_numpy(order[used : used + size])]


def change(net, optimiser, entries):
    """Weights are set by hand; or controls are changed, and what was learned is kept where it fits."""
    if set(entries) <= set(controls):
        before = dict(controls)
        controls.update(entries)
        if any(before[name] != controls[name] for name in ("hidden", "batch_norm", "optimiser")):
            new = Net()
            new.take_over(net)
            return new, make_optimiser(new)
        return net, optimiser
    for name, value in entries.items():
        kind, layer, *place = name.split(".")
        getattr(net.linears[int(layer)], kind).data[tuple(map(int, place))] = value
    return net, optimiser


net = Net()
optimiser = make_optimiser(net)
epoch = used = 0
changes = list(CHANGES)
print("epoch train_loss test_loss")
while True:
    if used == 0:
        dropping = np.random.default_rng(SEED * {epochs} + epoch)
    while changes and changes[0][0] <= (epoch, used):
        net, optimiser = change(net, optimiser, changes.pop(0)[1])
    if used == 0 or (epoch, used) >= END:
        net.eval()
        with torch.no_grad():
            print(epoch, mean_loss(net, TRAIN).item(), mean_loss(net, TEST).item())
        net.train()
    if (epoch, used) >= END:
        break
    optimiser.param_groups[0]["lr"] = rate(epoch)
    samples = batch(epoch, used)
    optimiser.zero_grad()
    (mean_loss(net, samples) + penalty(net)).backward()
    optimiser.step()
    used += len(samples)
    if used == len(TRAIN):
        epoch, used = epoch + 1, 0
'''
