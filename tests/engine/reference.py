"""The table of operators written a second time, by hand: in Python's `math`, and in torch.

Both are oracles for tests and share no code with the engine. An operator that is missing here is compared
with the torch function that its row names, so that adding a row is enough to have it tested.
"""

import math
import operator
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.primitives import TABLE


class _Torch(dict[str, Callable[..., Tensor]]):
    def __missing__(self, name: str) -> Callable[..., Tensor]:
        function: Callable[..., Tensor] = operator.attrgetter(TABLE[name].torch)(torch)
        return function


class _Python(dict[str, Callable[..., float]]):
    def __missing__(self, name: str) -> Callable[..., float]:
        return lambda *operands: float(TORCH[name](*(torch.tensor(x, dtype=torch.float64) for x in operands)))


PYTHON = _Python(
    {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "pow": math.pow,
        "exp": math.exp,
        "log": math.log,
        "sqrt": math.sqrt,
        "sin": math.sin,
        "cos": math.cos,
        "tanh": math.tanh,
        "log1p": math.log1p,
        "expm1": math.expm1,
        "erf": math.erf,
        "abs": math.fabs,
        "sign": lambda a: math.copysign(1.0, a) if a != 0.0 else 0.0,
        "relu": lambda a: max(a, 0.0),
        "sigmoid": lambda a: 0.5 + 0.5 * math.tanh(0.5 * a),
        "softplus": lambda a: math.log1p(math.exp(a)),
        "gelu": lambda a: a * 0.5 * math.erfc(-a / math.sqrt(2.0)),
        "square": lambda a: a**2,
        "inverse": lambda a: a**-1.0,
        "maximum": max,
        "minimum": min,
        "where": lambda condition, a, b: a if condition != 0.0 else b,
        "lt": lambda a, b: float(a < b),
        "le": lambda a, b: float(a <= b),
        "gt": lambda a, b: float(a > b),
        "ge": lambda a, b: float(a >= b),
        "eq": lambda a, b: float(a == b),
        "ne": lambda a, b: float(a != b),
    }
)

TORCH = _Torch(
    {
        "add": torch.add,
        "sub": torch.sub,
        "mul": torch.mul,
        "div": torch.div,
        "neg": torch.neg,
        "pow": torch.pow,
        "exp": torch.exp,
        "log": torch.log,
        "sqrt": torch.sqrt,
        "sin": torch.sin,
        "cos": torch.cos,
        "tanh": torch.tanh,
        "log1p": torch.log1p,
        "expm1": torch.expm1,
        "erf": torch.erf,
        "abs": torch.abs,
        "sign": torch.sign,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "softplus": lambda a: torch.logaddexp(a, torch.zeros_like(a)),
        "gelu": lambda a: torch.nn.functional.gelu(a, approximate="none"),
        "square": torch.square,
        "inverse": torch.reciprocal,
        "maximum": torch.maximum,
        "minimum": torch.minimum,
        "where": lambda condition, a, b: torch.where(condition != 0.0, a, b),
        "lt": lambda a, b: torch.lt(a, b).double(),
        "le": lambda a, b: torch.le(a, b).double(),
        "gt": lambda a, b: torch.gt(a, b).double(),
        "ge": lambda a, b: torch.ge(a, b).double(),
        "eq": lambda a, b: torch.eq(a, b).double(),
        "ne": lambda a, b: torch.ne(a, b).double(),
    }
)


def leaf(value: float | Sequence[float]) -> Tensor:
    """A float64 tensor that wants a gradient."""
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def gradients(output: Tensor, leaves: Sequence[Tensor], create_graph: bool = False) -> tuple[Tensor, ...]:
    """torch.autograd.grad, with zeros for a leaf that the output does not depend on."""
    if not output.requires_grad:
        return tuple(torch.zeros_like(x) for x in leaves)
    return torch.autograd.grad(
        output,
        leaves,
        torch.ones_like(output),
        retain_graph=True,
        create_graph=create_graph,
        materialize_grads=True,
    )


def same(found: float, expected: float, tolerance: float = 1e-13) -> bool:
    """Equal to a relative tolerance, where NaN equals NaN and an infinity only itself."""
    if math.isnan(expected):
        return math.isnan(found)
    if math.isinf(expected) or math.isinf(found):
        return found == expected
    smallest = 1e-320  # a few steps between denormal numbers
    return abs(found - expected) <= tolerance * max(abs(found), abs(expected)) + smallest


def agree(found: Sequence[float], expected: Sequence[float], tolerance: float = 1e-10) -> bool:
    """Whether every derivative agrees to a relative tolerance.

    A derivative below 1e-4 of the largest of its program is what is left of larger contributions that
    cancelled, in torch as in the engine: it is held to the tolerance relative to that bound. At 1e-10
    this allows 1e-14 of the largest, 45 roundings of float64.
    """
    floor = 1e-4 * max((abs(e) for e in expected), default=0.0)
    pairs = zip(found, expected, strict=True)
    return all(abs(f - e) <= tolerance * max(abs(e), floor) for f, e in pairs)
