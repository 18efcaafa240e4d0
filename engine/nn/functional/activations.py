"""Activation functions. relu, sigmoid and tanh are rows of the table; the others are made of rows."""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

import math

from engine import primitives
from engine.operations.reductions import log_softmax, softmax
from engine.primitives import relu, sigmoid, tanh
from engine.tensor import Tensor

__all__ = [
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

SQRT_2_OVER_PI = math.sqrt(2.0 / math.pi)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x·Φ(x), Φ the standard normal distribution; approximate="tanh" replaces Φ by a tanh close to it.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    """
    if approximate == "none":
        return input.gelu()
    if approximate != "tanh":
        raise ValueError(f"gelu can be approximate='none' or 'tanh', not {approximate!r}")
    inner = SQRT_2_OVER_PI * (input + 0.044715 * input * input * input)
    return 0.5 * input * (1.0 + inner.tanh())


def silu(input: Tensor) -> Tensor:
    """x·σ(x), also called swish."""
    return input * input.sigmoid()


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + exp(β·x))/β, which is smooth where relu has its kink; x itself where β·x exceeds `threshold`."""
    scaled = input * beta
    smooth: Tensor = primitives.where(scaled > threshold, input, scaled.softplus() / beta)
    return smooth


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where it is positive, else negative_slope·x."""
    bent: Tensor = primitives.where(input > 0.0, input, input * negative_slope)
    return bent


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where it is positive, else α·(exp(x) - 1)."""
    positive = input > 0.0
    # exp sees no large numbers, also where its result is not chosen: a gradient of 0·∞ would be NaN
    below: Tensor = primitives.where(positive, 0.0, input)
    bent: Tensor = primitives.where(positive, input, alpha * below.expm1())
    return bent
