"""Attention: every query takes a weighted mean of the values, by how well their keys match it.

Source: Vaswani et al., "Attention Is All You Need", 2017.
"""

from __future__ import annotations

import math

from engine.creation import arange
from engine.dtypes import boolean
from engine.errors import ShapeError
from engine.nn.functional.dropout import dropout
from engine.operations.products import matmul
from engine.operations.reductions import softmax
from engine.primitives import where
from engine.tensor import Tensor


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(query @ keyᵀ · scale) @ value.

    query […, L, E], key […, S, E], value […, S, D]; returns […, L, D]. Dropout is applied whenever dropout_p
    is not 0: there is no training mode here. See `attention_weights` for the masks and the scale.
    """
    weights = attention_weights(query, key, attn_mask, is_causal, scale)
    attended: Tensor = matmul(dropout(weights, dropout_p), value)
    return attended


def attention_weights(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(query @ keyᵀ · scale): how much of each of S values goes into each of L results.

    query […, L, E], key […, S, E]; returns […, L, S].
    attn_mask  broadcast to the result: boolean, True where a query may look; or numbers added to the scores
    is_causal  query i looks at keys 0 … i only
    scale      1/√E if left out

    A query that may look nowhere gets weights 0 (the softmax of nothing), and so does its gradient.
    """
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            f"attention needs query […, L, E] and key […, S, E], got {query.shape} and {key.shape}"
        )
    if is_causal and attn_mask is not None:
        raise ValueError("attention takes attn_mask or is_causal, not both: put what is causal into the mask")
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores: Tensor = matmul(query * factor, key.mT)
    if is_causal:
        rows, columns = (arange(n, device=query.device) for n in scores.shape[-2:])
        return _softmax(where(rows.unsqueeze(-1).ge(columns), scores, -math.inf))
    if attn_mask is None:
        return _softmax(scores)
    scores = where(attn_mask, scores, -math.inf) if attn_mask.dtype is boolean else scores + attn_mask
    blind = scores.detach().amax(-1, keepdim=True).eq(-math.inf)
    weights: Tensor = where(blind, 0.0, _softmax(where(blind, 0.0, scores)))
    return weights


def _softmax(scores: Tensor) -> Tensor:
    weights: Tensor = softmax(scores, -1)
    return weights
