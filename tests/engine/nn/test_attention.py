"""Multi-head attention against torch: masks, dropout, shapes, printing."""

from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import nn
from engine.errors import ShapeError
from tests.engine.nn.against_torch import arrays, close, numbers
from tests.engine.nn.against_torch_modules import check_step, exchange


def attention_pair(**options: Any) -> tuple[Any, Any]:
    own, other = nn.MultiheadAttention(6, 2, **options), torch.nn.MultiheadAttention(6, 2, **options)
    if other.in_proj_bias is not None:  # torch starts biases as 0, which would hide a mistake
        torch.nn.init.normal_(other.in_proj_bias)
        torch.nn.init.normal_(other.out_proj.bias)
    own.double()
    other.double()
    exchange(own, other)
    return own, other


ATTENDED = [
    (((3, 4, 6),) * 3, {}),
    (((3, 4, 6), (3, 5, 6), (3, 5, 6)), {}),
    (((4, 6), (5, 6), (5, 6)), {}),
]


@pytest.mark.parametrize(("given", "_"), ATTENDED)
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("average", [True, False])
def test_attention(given: Any, _: Any, batch_first: bool, bias: bool, average: bool) -> None:
    own, other = attention_pair(batch_first=batch_first, bias=bias)
    if not batch_first and len(given[0]) == 3:
        given = [(shape[1], shape[0], shape[2]) for shape in given]
    inputs = arrays(tuple(given))
    check_step(own, other, *inputs)
    _, found = own(*map(engine.tensor, inputs), average_attn_weights=average)
    _, expected = other(*map(torch.tensor, inputs), average_attn_weights=average)
    close(found, expected)
    output, nothing = own(*map(engine.tensor, inputs), need_weights=False)
    close(output, other(*map(torch.tensor, inputs), need_weights=False)[0])
    assert nothing is None


def test_self_attention_of_one_tensor() -> None:
    own, other = attention_pair(batch_first=True)
    x = numbers(3, 4, 6)
    ours, theirs = engine.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    found, expected = own(ours, ours, ours)[0], other(theirs, theirs, theirs)[0]
    close(found, expected)
    (found * found).sum().backward()
    (expected * expected).sum().backward()
    close(ours.grad, theirs.grad)
    for parameter, reference in zip(own.parameters(), other.parameters(), strict=True):
        close(parameter.grad, reference.grad)


CAUSAL = np.triu(np.ones((4, 5), bool), 1)
PADDING = np.array([[False] * 5, [False, False, True, True, False], [False, False, False, False, True]])
HEADS = np.random.default_rng(6).random((6, 4, 5)) < 0.3
HEADS[..., 0] = False


@pytest.mark.parametrize(
    "masks",
    [
        {"attn_mask": CAUSAL},
        {"attn_mask": numbers(4, 5)},
        {"attn_mask": HEADS},
        {"attn_mask": numbers(6, 4, 5)},
        {"key_padding_mask": PADDING},
        {"key_padding_mask": numbers(3, 5)},
        {"key_padding_mask": PADDING, "attn_mask": HEADS},
        {"key_padding_mask": PADDING, "attn_mask": CAUSAL},
    ],
)
def test_masks(masks: dict[str, Any]) -> None:
    own, other = attention_pair(batch_first=True)
    inputs = arrays(((3, 4, 6), (3, 5, 6), (3, 5, 6)))
    found = own(*map(engine.tensor, inputs), **{name: engine.tensor(mask) for name, mask in masks.items()})
    expected = other(*map(torch.tensor, inputs), **{name: torch.tensor(mask) for name, mask in masks.items()})
    for x, y in zip(found, expected, strict=True):
        close(x, y)


def test_masks_without_a_batch() -> None:
    own, other = attention_pair()
    inputs = arrays(((4, 6), (5, 6), (5, 6)))
    for masks in ({"key_padding_mask": PADDING[1]}, {"attn_mask": HEADS[:2]}):
        found = own(
            *map(engine.tensor, inputs), **{name: engine.tensor(mask) for name, mask in masks.items()}
        )
        expected = other(
            *map(torch.tensor, inputs), **{name: torch.tensor(mask) for name, mask in masks.items()}
        )
        for x, y in zip(found, expected, strict=True):
            close(x, y)


def test_a_query_that_may_look_nowhere() -> None:
    own, other = attention_pair(batch_first=True)
    mask = CAUSAL.copy()
    mask[2] = True
    inputs = arrays(((3, 4, 6), (3, 5, 6), (3, 5, 6)))
    found, weights = own(*map(engine.tensor, inputs), attn_mask=engine.tensor(mask))
    expected, _ = other(*map(torch.tensor, inputs), attn_mask=torch.tensor(mask), need_weights=False)
    close(found, expected)
    assert (weights.numpy()[:, 2] == 0.0).all()


def test_attention_keeps_float32_where_the_default_is_float64() -> None:
    layer, x = nn.MultiheadAttention(6, 2, batch_first=True), engine.randn(3, 4, 6)
    engine.set_default_dtype(engine.float64)
    try:
        found, _ = layer(x, x, x, attn_mask=engine.tensor(CAUSAL[:, :4]))
    finally:
        engine.set_default_dtype(engine.float32)
    assert found.dtype is engine.float32


def test_dropout_of_attention() -> None:
    engine.manual_seed(0)
    layer, x = nn.MultiheadAttention(6, 2, dropout=0.5, batch_first=True), engine.randn(3, 4, 6)
    _, weights = layer(x, x, x, average_attn_weights=False)
    assert 0 < (weights.numpy() == 0.0).sum() < weights.numel()
    layer.eval()
    np.testing.assert_allclose(layer(x, x, x)[1].numpy().sum(-1), 1.0, rtol=1e-6)


def test_attention_names_what_does_not_fit() -> None:
    layer, x = nn.MultiheadAttention(6, 2), engine.zeros(4, 3, 6)
    with pytest.raises(ShapeError, match=r"\[L, N, E\].*E = 6.*\(4, 3, 6\), \(4, 3, 5\)"):
        layer(x, engine.zeros(4, 3, 5), x)
    with pytest.raises(ShapeError, match=r"\(4, 6\)"):
        layer(x, engine.zeros(4, 6), x)


def test_printing_of_attention() -> None:
    """As torch, but for its name of the layer within."""
    expected = repr(torch.nn.MultiheadAttention(6, 2)).replace("NonDynamicallyQuantizableLinear", "Linear")
    assert repr(nn.MultiheadAttention(6, 2)) == expected
