"""Unroll's engine: automatic differentiation, and everything the pages compute.

Names and meanings are PyTorch's: a program within the subset runs with `torch` replaced by `engine`.

>>> import engine
>>> x = engine.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
>>> (x @ x).sum().backward()
>>> x.grad.tolist()
[[7.0, 11.0], [9.0, 13.0]]
"""

from typing import Any

from engine import autograd, nn, optim
from engine.autodiff import backward, cotangents, tangents, topological_order
from engine.backends import backend, is_available
from engine.compiler.step import compile  # noqa: A004  (named as in PyTorch)
from engine.context import (
    enable_grad,
    get_default_dtype,
    is_grad_enabled,
    no_grad,
    set_default_dtype,
    set_grad_enabled,
)
from engine.creation import (
    arange,
    as_tensor,
    empty,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from engine.dtypes import boolean, float32, float64, int64
from engine.errors import BackendError, DimensionError, DTypeError, InPlaceError, ShapeError, TraceError
from engine.functional import derivative, grad, grad_and_value, hessian, hvp, jacobian, jvp, vjp
from engine.generator import Generator, manual_seed
from engine.gradient_check import central_difference, check_gradient
from engine.interop import from_dlpack, from_torch
from engine.operations import FUNCTIONS
from engine.primitives import *  # noqa: F403  (one function for each row of the table; see its __all__)
from engine.primitives import TABLE
from engine.scalar import Scalar
from engine.tensor import Tensor


def __getattr__(name: str) -> Any:
    """`engine.record`, for which pydantic is loaded, when it is asked for."""
    if name == "record":
        from engine.tracing import record

        return record
    raise AttributeError(f"module 'engine' has no attribute {name!r}", name=name)


bool = boolean  # noqa: A001  (named as in PyTorch)
double = float64
float = float32  # noqa: A001
long = int64

globals().update(FUNCTIONS)  # one function for each operation: engine.sum, engine.reshape, engine.cat …

__all__ = [
    "BackendError",
    "TraceError",
    "compile",
    "DTypeError",
    "DimensionError",
    "Generator",
    "InPlaceError",
    "Scalar",
    "ShapeError",
    "TABLE",
    "Tensor",
    "arange",
    "as_tensor",
    "autograd",
    "backend",
    "backward",
    "bool",
    "boolean",
    "central_difference",
    "check_gradient",
    "cotangents",
    "derivative",
    "double",
    "empty",
    "enable_grad",
    "eye",
    "float",
    "float32",
    "float64",
    "from_dlpack",
    "from_numpy",
    "from_torch",
    "full",
    "full_like",
    "get_default_dtype",
    "grad",
    "grad_and_value",
    "hessian",
    "hvp",
    "int64",
    "is_available",
    "is_grad_enabled",
    "jacobian",
    "jvp",
    "linspace",
    "long",
    "manual_seed",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "optim",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "set_default_dtype",
    "set_grad_enabled",
    "tangents",
    "tensor",
    "topological_order",
    "vjp",
    "zeros",
    "zeros_like",
    *FUNCTIONS,
    *TABLE,
]
