"""The program as PyTorch code: what is on screen, with the same numbers, to be run elsewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from engine.studies.tensor_autodiff_language import DECLARATIONS, FUNCTIONS, TensorProgram

HEADER = """\
import math
import numpy as np
import torch
import torch.nn.functional as F

draw = np.random.default_rng({seed})


def parameter(*shape, requires_grad=True, scaled=True):
    fan_in = math.prod(shape[1:]) if len(shape) > 2 else shape[0] if len(shape) == 2 else 1
    scale = fan_in**-0.5 if scaled and len(shape) > 1 else 1.0
    values = np.round(draw.normal(0.0, scale, shape), 2).astype("{dtype}")
    return torch.tensor(values, requires_grad=requires_grad)


def data(*shape):
    return parameter(*shape, requires_grad=False, scaled=False)


def classes(count, kinds):
    return torch.tensor(draw.integers(0, kinds, (count,)))


"""
IN_FUNCTIONAL = {
    "gelu", "softplus", "cross_entropy", "mse_loss", "layer_norm", "conv1d", "conv2d", "max_pool2d",
    "avg_pool2d",
}  # fmt: skip


def torch_program(program: TensorProgram, sizes: Mapping[str, int], dtype: str, seed: int) -> str:
    """Code that prints the output and the gradient of every parameter."""
    lines = [f"{name} = {size}" for name, size in sizes.items()]
    *body, last = [qualified(line) for line in program.source.split("\n")]
    names = _parameters(program)
    shown = [f'print("{name}", {name}.grad)' for name in names]
    code = [*lines, *body, f"L = {last}", "L.sum().backward()", 'print("L", L.item())', *shown]
    return HEADER.format(seed=seed, dtype=dtype) + "\n".join(code) + "\n"


def qualified(line: str) -> str:
    """A line with torch's modules before the functions; methods stay as they are."""
    code, mark, remark = line.partition("#")

    def place(match: re.Match[str]) -> str:
        name = match[1]
        if name in DECLARATIONS or name not in FUNCTIONS:
            return match[0]
        return f"{'F' if name in IN_FUNCTIONAL else 'torch'}.{match[0]}"

    return re.sub(r"(?<![\w.])([A-Za-z_]\w*)(?=\s*\()", place, code) + mark + remark


def _parameters(program: TensorProgram) -> list[str]:
    """Names of the parameters outside loops; those in a loop share a name, and the last one keeps it."""
    found: dict[str, None] = {}
    for statement in program.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                called = node.value.func
                if isinstance(called, ast.Name) and called.id == "parameter":
                    found.setdefault(node.targets[0].id)  # type: ignore[attr-defined]
    return list(found)
