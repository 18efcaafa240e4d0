"""Multi-head attention."""

from __future__ import annotations

import math

from engine.creation import empty
from engine.dtypes import DType, boolean
from engine.errors import ShapeError
from engine.nn import functional as F  # noqa: N812
from engine.nn import init
from engine.nn.layers.linear import Linear
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.primitives import where
from engine.tensor import Tensor


class MultiheadAttention(Module):
    """Attention in num_heads subspaces of embed_dim/num_heads dimensions each, put side by side and mixed.

    in_proj_weight [3·embed_dim, embed_dim] holds the maps to queries, keys and values one below another.
    Source: Vaswani et al., "Attention Is All You Need", 2017.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim % num_heads:
            raise ShapeError(f"embed_dim {embed_dim} must be a multiple of num_heads {num_heads}")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.in_proj_weight = Parameter(empty(3 * embed_dim, embed_dim))
        self.register_parameter("in_proj_bias", Parameter(empty(3 * embed_dim)) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew; biases start as 0."""
        init.xavier_uniform_(self.in_proj_weight)
        self.out_proj.reset_parameters()
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """What the queries attend to, and (if `need_weights`) with which weights.

        query [N, L, E], key and value [N, S, E] if batch_first, else the first two exchanged; or without N.
        Returns a tensor of the query's shape, and weights [N, L, S], or [N, num_heads, L, S] if they are not
        to be averaged over the heads.
        key_padding_mask  [N, S]: True at keys to be left out, or numbers added to the scores
        attn_mask  [L, S] or [N·num_heads, L, S]: True where a query may *not* look, or numbers added. (As in
                   PyTorch this is the opposite of `scaled_dot_product_attention`.)
        A query that may look nowhere gets 0 from the values; with need_weights PyTorch has NaN there.
        """
        self._check(query, key, value)
        projected = self._project(query, key, value)
        if query.ndim == 3 and not self.batch_first:
            projected = [x.transpose(0, 1) for x in projected]
        queries, keys, values = (x.unflatten(-1, (self.num_heads, -1)).transpose(-3, -2) for x in projected)
        mask = self._merged(attn_mask, key_padding_mask, query)
        weights = F.dropout(F.attention_weights(queries, keys, mask), self.dropout, self.training)
        attended = self.out_proj(weights.matmul(values).transpose(-3, -2).flatten(-2))
        if query.ndim == 3 and not self.batch_first:
            attended = attended.transpose(0, 1)
        if not need_weights:
            return attended, None
        return attended, weights.mean(-3) if average_attn_weights else weights

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        given = (query, key, value)
        ranks = {x.ndim for x in given}
        if ranks not in ({2}, {3}) or any(x.shape[-1] != self.embed_dim for x in given):
            order = "[N, L, E]" if self.batch_first else "[L, N, E]"
            raise ShapeError(
                f"attention needs query, key and value {order} (or [L, E]) with E = {self.embed_dim}, "
                f"got {query.shape}, {key.shape} and {value.shape}"
            )

    def _project(self, query: Tensor, key: Tensor, value: Tensor) -> list[Tensor]:
        """Queries, keys and values; of the same tensor (self-attention) in one product."""
        if query is key is value:
            return list(F.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, -1))
        weights = self.in_proj_weight.chunk(3)
        biases = [None] * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        return [F.linear(*each) for each in zip((query, key, value), weights, biases, strict=True)]

    def _merged(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor
    ) -> Tensor | None:
        """Both masks as numbers to be added to the scores [N, num_heads, L, S] of this query."""
        if attn_mask is not None:
            attn_mask = _added(attn_mask, query.dtype)
            if query.ndim == attn_mask.ndim == 3:
                attn_mask = attn_mask.unflatten(0, (-1, self.num_heads))
        if key_padding_mask is None:
            return attn_mask
        padding = _added(key_padding_mask, query.dtype).unsqueeze(-2).unsqueeze(-2)
        return padding if attn_mask is None else attn_mask + padding


def _added(mask: Tensor, dtype: DType) -> Tensor:
    """-∞ where a boolean mask is True and 0 elsewhere; numbers as they are."""
    if mask.dtype is not boolean:
        return mask
    numbers: Tensor = where(mask, -math.inf, 0.0).to(dtype)
    return numbers
