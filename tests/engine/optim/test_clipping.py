"""Clipping of gradients, held against torch."""

from math import inf, nan

import numpy as np
import pytest
import torch
from torch.nn.utils import clip_grad_norm_ as torch_clip_norm
from torch.nn.utils import clip_grad_value_ as torch_clip_value

import engine
from engine.nn.utils import clip_grad_norm_, clip_grad_value_

SHAPES = [(4, 3), (5,), ()]


def leaves(seed: int = 0) -> tuple[list[engine.Tensor], list[torch.Tensor]]:
    random = np.random.default_rng(seed)
    ours, theirs = [], []
    for shape in SHAPES:
        gradient = random.standard_normal(shape)
        ours.append(engine.zeros(*shape, dtype=engine.float64, requires_grad=True))
        theirs.append(torch.zeros(shape, dtype=torch.float64, requires_grad=True))
        ours[-1].grad = engine.tensor(gradient)
        theirs[-1].grad = torch.tensor(gradient)
    ours.append(engine.zeros(2, requires_grad=True))
    theirs.append(torch.zeros(2, requires_grad=True))
    return ours, theirs


def check(ours: list[engine.Tensor], theirs: list[torch.Tensor]) -> None:
    for own, other in zip(ours, theirs, strict=True):
        if other.grad is None:
            assert own.grad is None
        else:
            assert own.grad is not None
            np.testing.assert_allclose(own.grad.numpy(), other.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.5, inf])
@pytest.mark.parametrize("max_norm", [0.1, 1.0, 100.0])
def test_norm(max_norm: float, norm_type: float) -> None:
    ours, theirs = leaves()
    own = clip_grad_norm_(iter(ours), max_norm, norm_type)
    other = torch_clip_norm(theirs, max_norm, norm_type)
    assert own.shape == ()
    assert own.item() == pytest.approx(other.item(), rel=1e-12)
    check(ours, theirs)


@pytest.mark.parametrize("bad", [inf, nan])
def test_norm_that_is_not_finite(bad: float) -> None:
    ours, theirs = leaves()
    ours[1].grad = engine.tensor([1.0, 2.0, bad, 4.0, 5.0], dtype=engine.float64)
    theirs[1].grad = torch.tensor([1.0, 2.0, bad, 4.0, 5.0], dtype=torch.float64)
    with pytest.raises(RuntimeError, match=str(bad)):
        clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    clip_grad_norm_(ours, 1.0)
    torch_clip_norm(theirs, 1.0)
    check(ours, theirs)


def test_value() -> None:
    ours, theirs = leaves()
    clip_grad_value_(ours, 0.5)
    torch_clip_value(theirs, 0.5)
    check(ours, theirs)


def test_one_tensor_or_none() -> None:
    ours, theirs = leaves()
    clip_grad_norm_(ours[0], 1.0)
    torch_clip_norm(theirs[0], 1.0)
    clip_grad_value_(ours[1], 0.5)
    torch_clip_value(theirs[1], 0.5)
    check(ours, theirs)
    assert clip_grad_norm_([], 1.0).item() == 0.0


def test_gradients_are_changed_in_place() -> None:
    ours, _ = leaves()
    held = [own.grad for own in ours]
    clip_grad_norm_(ours, 0.1)
    clip_grad_value_(ours, 0.01)
    assert all(own.grad is gradient for own, gradient in zip(ours, held, strict=True))


def test_gradients_that_share_memory_are_scaled_once() -> None:
    a, b = (engine.zeros(3, requires_grad=True) for _ in range(2))
    c, d = (torch.zeros(3, requires_grad=True) for _ in range(2))
    ((a + b) * 2.0).sum().backward()
    ((c + d) * 2.0).sum().backward()
    clip_grad_norm_([a, b], 1.0)
    torch_clip_norm([c, d], 1.0)
    for own, other in ((a, c), (b, d)):
        assert own.grad is not None
        assert other.grad is not None
        np.testing.assert_allclose(own.grad.numpy(), other.grad.numpy(), rtol=1e-6)
