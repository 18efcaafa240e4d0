"""Counted costs, beside what torch counts when it runs the same net."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from engine.playground.costs import costs
from engine.playground.setup import PlaygroundSetup
from tests.engine.playground.runs import setup_of

POINTS = 20
SETUPS = {
    "default": setup_of(),
    "no hidden layer": setup_of(hidden="", features="x1, x2, x1*x2"),
    "wide": setup_of(hidden="32 relu, 16 relu, 8 relu"),
    "batch norm, Adam": setup_of(hidden="8 relu", batch_norm=True, optimiser="Adam"),
}


def torch_net(setup: PlaygroundSetup) -> torch.nn.Sequential:
    parts: list[torch.nn.Module] = []
    fan_in = len(setup.inputs)
    for units, _ in setup.layers:
        parts.append(torch.nn.Linear(fan_in, units))
        if setup.batch_norm:
            parts[-1].bias.requires_grad_(False)
            parts.append(torch.nn.BatchNorm1d(units))
        parts.append(torch.nn.Tanh())
        fan_in = units
    return torch.nn.Sequential(*parts, torch.nn.Linear(fan_in, 1))


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS.keys())
def test_beside_torch(setup: PlaygroundSetup) -> None:
    net, found = torch_net(setup), costs(setup, POINTS)
    learned = [parameter for parameter in net.parameters() if parameter.requires_grad]
    assert found.parameters == sum(parameter.numel() for parameter in learned)
    counter = FlopCounterMode(display=False)
    with counter:
        out = net(torch.zeros(POINTS, len(setup.inputs)))
        forward = counter.get_total_flops()
        out.sum().backward()
    backward = counter.get_total_flops() - forward
    units = sum(part.out_features for part in net if isinstance(part, torch.nn.Linear))
    assert found.forward_flops * POINTS == forward
    assert found.backward_flops * POINTS == backward + units * POINTS  # torch leaves out the biases' sums
    assert found.epoch_flops == POINTS * (found.forward_flops + found.backward_flops)
    optimiser = torch.optim.Adam(learned) if setup.optimiser == "Adam" else torch.optim.SGD(learned)
    optimiser.step()
    kept = [
        value
        for state in optimiser.state.values()
        for name, value in state.items()
        if torch.is_tensor(value) and name != "step"
    ]
    tensors = [*learned, *(parameter.grad for parameter in learned), *kept]
    assert found.parameter_bytes == sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def test_a_way_round_costs_one_addition_a_unit_there_and_back() -> None:
    plain = costs(setup_of(hidden="4 tanh, 4 tanh, 3 tanh"), POINTS)
    residual = costs(setup_of(hidden="4 tanh, 4 tanh, 3 tanh", residual=True), POINTS)
    assert residual.forward_flops - plain.forward_flops == 4
    assert residual.backward_flops - plain.backward_flops == 4


def test_what_a_point_leaves_in_memory() -> None:
    # 2 inputs; 4 and 3 units before and after their activation; the output
    assert costs(setup_of(hidden="4 tanh, 3 relu"), POINTS).activation_bytes == 4 * (2 + 8 + 6 + 1)
    # with a norm, between them, what it gives
    assert costs(setup_of(hidden="4 tanh", batch_norm=True), POINTS).activation_bytes == 4 * (2 + 12 + 1)
