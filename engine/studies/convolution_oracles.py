"""The same convolution by torch: values, both gradients, and what torch says to settings it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.studies.convolution_shapes import Plan

Numbers = NDArray[np.float64]
FUNCTIONS = {
    "convolution": "conv{}d",
    "transposed": "conv_transpose{}d",
    "max pooling": "max_pool{}d",
    "average pooling": "avg_pool{}d",
}


def function_name(plan: Plan) -> str:
    """The name in `torch.nn.functional` of what is done: conv2d for instance."""
    return FUNCTIONS[plan.operation].format(len(plan.axes))


def arguments(plan: Plan) -> dict[str, Any]:
    """The keyword arguments of that function, those left out that are as by default."""
    given: dict[str, Any] = {}
    if plan.operation.endswith("pooling"):
        given["kernel_size"] = plan.each("kernel")
    usual = {
        "stride": plan.each("kernel") if "kernel_size" in given else (1,) * len(plan.axes),
        "padding": (0,) * len(plan.axes),
        "output_padding": (0,) * len(plan.axes),
        "groups": 1,
        "dilation": (1,) * len(plan.axes),
    }
    for name, default in usual.items():
        found = plan.groups if name == "groups" else plan.each(name)
        if found != default:
            given[name] = found
    return {name: _short(value) for name, value in given.items()}


def _short(value: int | tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all are the same, as PyTorch takes it."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def by_torch(
    plan: Plan, values: Numbers, weight: Numbers | None, upstream: Numbers
) -> tuple[Numbers, Numbers, Numbers | None]:
    """Output, gradient of the input, and gradient of the weight if there is one, in float64."""
    import torch

    x = torch.tensor(values, requires_grad=True)
    leaves = [x] if weight is None else [x, torch.tensor(weight, requires_grad=True)]
    call = getattr(torch.nn.functional, function_name(plan))
    output = call(x[None], *leaves[1:], **arguments(plan))[0]
    found = torch.autograd.grad(output, leaves, torch.tensor(upstream))
    return output.detach().numpy(), found[0].numpy(), found[1].numpy() if weight is not None else None
