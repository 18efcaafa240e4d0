"""What a net costs to compute and to hold, so that two nets can be compared by more than their epochs."""

from __future__ import annotations

from dataclasses import dataclass

from engine.playground.network import Network
from engine.playground.setup import PlaygroundSetup

BYTES = 4  # of a float32
REMEMBERED = {  # numbers that an optimiser keeps for each parameter
    "SGD": 0, "momentum": 1, "Nesterov": 1, "Adam": 2, "AdamW": 2, "RMSprop": 1, "Adagrad": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Costs:
    """Counted, not measured.

    parameters        how many numbers are learned
    forward_flops     additions and multiplications for the output of one point
    backward_flops    those that its gradient takes besides
    epoch_flops       forwards and backwards for all training points
    parameter_bytes   of parameters, their gradients, and what the optimiser keeps for each
    activation_bytes  of what one point leaves in memory on its way: inputs, and each layer's stages
    """

    parameters: int
    forward_flops: int
    backward_flops: int
    epoch_flops: int
    parameter_bytes: int
    activation_bytes: int


def costs(setup: PlaygroundSetup, points: int) -> Costs:
    """The costs of a setup's net on so many training points.

    Of matrix products, biases and residual sums alone; activations, norms and the loss are left out, as in
    most published counts. Forward a layer of m units with n inputs takes 2·m·n, backward 2·m·n for its
    weights' gradient and 2·m·n for that of its inputs, which the first layer does without.
    """
    net = Network(setup)
    layers = [(linear.in_features, linear.out_features) for linear in net.linears()]
    skips = sum(block.linear.out_features for block in net.blocks if block.skips)
    products = [2 * inputs * units for inputs, units in layers]
    units = sum(units for _, units in layers)
    forward = sum(products) + skips  # a product's n terms need n - 1 additions, and the bias one more
    backward = 2 * sum(products) - products[0] + units + skips
    learned = sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
    hidden = sum(units for _, units in layers[:-1])
    held = layers[0][0] + hidden * (3 if setup.batch_norm else 2) + layers[-1][1]
    return Costs(
        parameters=learned,
        forward_flops=forward,
        backward_flops=backward,
        epoch_flops=points * (forward + backward),
        parameter_bytes=BYTES * learned * (2 + REMEMBERED[setup.optimiser]),
        activation_bytes=BYTES * held,
    )
