"""Unroll's engine: automatic differentiation, and everything the pages compute.

>>> from engine import Scalar, tanh
>>> x = Scalar(2.0)
>>> y = tanh(x * x)
>>> y.backward()
>>> x.grad == 4.0 * (1.0 - y.value**2)
True
"""

from engine.autodiff import backward, cotangents, tangents, topological_order
from engine.functional import central_difference, check_gradient, derivative, grad, jvp, vjp
from engine.primitives import *  # noqa: F403  (one function for each row of the table; see its __all__)
from engine.primitives import TABLE
from engine.scalar import Scalar

__all__ = [
    "TABLE",
    "Scalar",
    "backward",
    "central_difference",
    "check_gradient",
    "cotangents",
    "derivative",
    "grad",
    "jvp",
    "tangents",
    "topological_order",
    "vjp",
    *TABLE,
]
