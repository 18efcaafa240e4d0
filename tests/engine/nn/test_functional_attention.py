"""Scaled dot-product attention against torch, and its weights against its definition."""

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as torch_functional

import engine
import engine.nn.functional as F  # noqa: N812
from engine.errors import ShapeError
from tests.engine.nn.against_torch import check, close, numbers

SHAPES = [
    ((4, 3), (5, 3), (5, 2)),
    ((2, 4, 3), (2, 5, 3), (2, 5, 2)),
    ((2, 3, 4, 3), (2, 3, 4, 3), (2, 3, 4, 3)),
]


def arrays(shapes: Any) -> list[Any]:
    return [numbers(*shape, seed=k) for k, shape in enumerate(shapes)]


def attend(library: Any, **options: Any) -> Any:
    return lambda *tensors: library.scaled_dot_product_attention(*tensors, **options)


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize(
    "options", [{}, {"is_causal": True}, {"scale": 0.3}, {"is_causal": True, "scale": 2.0}]
)
def test_attention(shapes: Any, options: dict[str, Any]) -> None:
    # torch's fused kernels have no second derivative; that of the definition is taken
    check(attend(F, **options), attend(torch_functional, **options), *arrays(shapes))
    check(
        attend(F, **options),
        attend(torch_functional, **options),
        *[x.astype(np.float32) for x in arrays(shapes)],
    )


def by_definition(query: Any, key: Any, value: Any) -> Any:
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    allowed = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    return torch.softmax(scores.masked_fill(~allowed, -math.inf), -1) @ value


def test_second_derivatives() -> None:
    check(attend(F, is_causal=True), by_definition, *arrays(SHAPES[2]), second=True)


@pytest.mark.parametrize("shapes", SHAPES)
def test_boolean_mask(shapes: Any) -> None:
    (*_, rows, _), (*_, columns, _) = shapes[0], shapes[1]
    mask = np.random.default_rng(5).random((rows, columns)) < 0.5
    mask[:, 0] = True
    mask[2] = False  # a query that may look nowhere gets 0, and sends no gradient
    check(
        attend(F, attn_mask=engine.tensor(mask)),
        attend(torch_functional, attn_mask=torch.tensor(mask)),
        *arrays(shapes),
    )


def test_numbers_as_mask() -> None:
    query, key, value = arrays(SHAPES[1])
    mask = numbers(2, 4, 5, seed=9)
    mask[1, 2] = -np.inf
    mask[0, 1, 3] = -np.inf
    check(
        attend(F, attn_mask=engine.tensor(mask)),
        attend(torch_functional, attn_mask=torch.tensor(mask)),
        query,
        key,
        value,
    )


def test_weights() -> None:
    query, key, _ = (engine.tensor(x) for x in arrays(SHAPES[1]))
    weights = F.attention_weights(query, key, is_causal=True)
    np.testing.assert_allclose(weights.numpy().sum(-1), 1.0, rtol=1e-12)
    assert (np.triu(weights.numpy(), 1) == 0.0).all()
    identity = engine.eye(5, dtype=engine.float64)
    close(
        F.scaled_dot_product_attention(query, key, identity),
        torch.softmax(torch.tensor(query.numpy()) @ torch.tensor(key.numpy()).mT / math.sqrt(3.0), -1),
    )


def test_dropout_of_weights() -> None:
    engine.manual_seed(0)
    query, key, _ = (engine.tensor(x) for x in arrays(SHAPES[1]))
    identity = engine.eye(5, dtype=engine.float64)
    plain = F.scaled_dot_product_attention(query, key, identity).numpy()
    dropped = F.scaled_dot_product_attention(query, key, identity, dropout_p=0.5).numpy()
    kept = dropped != 0.0
    assert 0 < kept.sum() < kept.size
    np.testing.assert_allclose(dropped[kept], 2.0 * plain[kept], rtol=1e-12)


def test_errors() -> None:
    x, mask = engine.zeros(4, 3), engine.zeros(4, 4)
    with pytest.raises(ShapeError, match=r"\(4, 3\) and \(4, 2\)"):
        F.scaled_dot_product_attention(x, engine.zeros(4, 2), x)
    with pytest.raises(ValueError, match="not both"):
        F.scaled_dot_product_attention(x, x, x, attn_mask=mask, is_causal=True)
