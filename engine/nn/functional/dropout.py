"""Dropout: noise in training that keeps units from relying on one another."""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

from engine.creation import rand_like
from engine.tensor import Tensor


def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Each element 0 with probability p, else divided by 1 - p to keep its mean; unchanged if not training.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 2014.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout needs a probability p between 0 and 1, not {p}")
    if not training or p == 0.0:
        return input
    if p == 1.0:
        return input * 0.0
    kept = rand_like(input).ge(p)
    return input * (kept * (1.0 / (1.0 - p))).to(input.dtype)
